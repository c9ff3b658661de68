"""What a page says of how its result was made."""

import dataclasses

import pytest

from pipeline.cell.made import Made, when

MADE = Made(
    params={
        "study.name": "evaluate", "model.name": "npz", "model.path": "/data/of/mine/weights.npz", "seed": "7",
        "sampling.name": "without_replacement", "confidence": "0.999",
    },
    datasets=[("mnist test", "ab" * 16)],
    size=10_000,
    environment={
        "python": "3.11.7", "package.numpy": "2.4.6", "package.mlflow": "3.17.2", "package.batchscope": "0.1.0",
        "commit": "0123456789abcdef", "uncommitted": "",
    },
    started=1_700_000_000.9,
    command="make sweep",
    swept={"batch_size": ["1", "1,000"]},
)  # fmt: skip


def facts_of(made=MADE, **changes):
    return {fact.name: fact.value for fact in dataclasses.replace(made, **changes).facts()}


def test_everything_that_is_known_is_told_in_the_order_in_which_it_is_read():
    assert facts_of() == {
        "study": "evaluate",
        "swept: batch_size": "1, 1,000",
        "data": "mnist test",
        "digest of the data": "ab" * 16,
        "rows": "10,000",
        "model": "npz (weights.npz)",
        "sampling design": "without replacement",
        "confidence": "99.9 %",
        "seed": "7",
        "date": "2023-11-14 22:13 UTC",
        "versions": "Batchscope 0.1.0 (commit 01234567), Python 3.11.7, NumPy 2.4.6, MLflow 3.17.2",
        "to repeat it": "make sweep",
    }
    assert {fact.name for fact in MADE.facts() if fact.is_code} == {"digest of the data", "to repeat it"}


def test_what_is_not_known_is_left_out():
    found = facts_of(params={}, datasets=[], size=None, environment={}, command="", swept={})
    assert found == {"date": "2023-11-14 22:13 UTC"}


def test_a_design_that_drew_nothing_is_not_told():
    assert "sampling design" not in facts_of(has_design=False)
    assert facts_of().keys() - facts_of(has_design=False).keys() == {"sampling design"}


def test_the_folders_of_one_machine_are_not_told():
    assert "/data" not in " ".join(facts_of().values())


def test_uncommitted_changes_are_told():
    changed = {**MADE.environment, "uncommitted": "ab: loss.py"}
    assert "(commit 01234567 with uncommitted changes)" in facts_of(environment=changed)["versions"]


@pytest.mark.parametrize(
    ("environment", "said"),
    [({"package.batchscope": "0.1.0"}, "Batchscope 0.1.0"), ({"commit": "01" * 20}, "Batchscope (commit 01010101)")],
)
def test_a_wheel_has_no_commit_and_an_old_run_no_version_of_ours(environment, said):
    assert facts_of(environment=environment)["versions"] == said


def test_predictions_are_no_model_that_was_called():
    assert facts_of(params={"model.name": "given"})["model"] == "none was called: the data are its predictions"


def test_of_very_many_values_the_first_and_the_last_are_told():
    values = [str(value) for value in range(100)]
    assert facts_of(swept={"seed": values})["swept: seed"] == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, … 99 (100 values)"


def test_several_data_sets_are_all_told():
    assert facts_of(datasets=[("a", "1"), ("b", "2")])["data"] == "a, b"


def test_a_time_does_not_depend_on_the_time_zone(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert when(0) == "1970-01-01 00:00 UTC"
