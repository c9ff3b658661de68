"""Values of swept keys are told apart by labels as short as they can be."""

import pytest

from pipeline.cell.labels import labels_of


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["../a.csv", "sub/b.csv"], ["a.csv", "b.csv"]),
        (["old/p.csv", "new/p.csv", "q.csv"], ["old/p.csv", "new/p.csv", "q.csv"]),
        (["s3://bucket/x/old/p.csv", "s3://bucket/x/new/p.csv"], ["old/p.csv", "new/p.csv"]),
        (["one/x/p.csv", "two/x/p.csv"], ["one/x/p.csv", "two/x/p.csv"]),
        (["s3://b/a.parquet?endpoint_override=http://host:9000", "s3://b/c.parquet"], ["a.parquet", "c.parquet"]),
    ],
)
def test_a_file_is_labelled_by_its_name_and_by_the_folders_that_it_takes_to_tell_it_apart(values, labels):
    assert list(labels_of("data.path", values).values()) == labels


def test_a_file_above_another_of_its_name_is_told_apart_by_the_folder_that_it_is_in(tmp_path, monkeypatch):
    folder = tmp_path / "outer" / "inner"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    assert list(labels_of("data.path", ["../p.csv", "p.csv"]).values()) == ["outer/p.csv", "inner/p.csv"]


def test_two_ways_to_write_one_file_have_one_label():
    assert set(labels_of("data.path", ["p.csv", "./p.csv"]).values()) == {"p.csv"}


def test_a_long_name_is_cut_in_its_middle_unless_it_would_then_be_anothers():
    long = ["predictions_of_the_model_2026-10-05.csv", "predictions_of_the_model_2026-10-12.csv"]
    assert list(labels_of("data.path", long).values()) == ["predictions…26-10-05.csv", "predictions…26-10-12.csv"]
    alike = [f"predictions_{word}_of_the_model.csv" for word in ("one", "two")]
    assert list(labels_of("data.path", alike).values()) == alike


def test_a_value_that_is_no_file_is_its_own_label():
    assert labels_of("model", ["npz", "mlp"]) == {"npz": "npz", "mlp": "mlp"}
    assert labels_of("data.inputs", ["a/b"]) == {"a/b": "a/b"}
