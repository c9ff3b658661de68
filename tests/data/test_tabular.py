"""What sources that read a table have in common: the split, the memory, row identifiers and further columns."""

import numpy as np
import pytest

from pipeline.data.predictions import Predictions
from pipeline.data.streamed import Streamed
from pipeline.data.table import RowTable
from pipeline.data.tabular import Tabular, labels_of, loaded
from pipeline.errors import BadInput
from pipeline.records.rows import Dataset
from tests import written

N, K = 20, 3
RNG = np.random.default_rng(3)
COLUMNS = {
    "logits": RNG.normal(size=(N, K)),
    "label": RNG.integers(0, K, N),
    "id": np.array([f"row-{i}" for i in range(N)]),
    "weight": np.linspace(1, 2, N),
}


@pytest.fixture
def path(tmp_path):
    """The table in three row groups."""
    return str(written.write(tmp_path, "a.parquet", COLUMNS))


def bytes_of(n):
    """The bytes up to which n rows are taken to need: 8 a number and 8 a label."""
    return 8 * n * (K + 1)


def test_rows_are_streamed_from_one_byte_more_than_the_memory_on(path):
    assert isinstance(Predictions(path=path, memory=bytes_of(N)).load(), Dataset)
    assert isinstance(Predictions(path=path, memory=bytes_of(N) - 1).load(), Streamed)


def test_streamed_rows_that_are_loaded_are_those_of_the_arrays(path):
    streamed = Predictions(path=path, memory=0).load()
    found = loaded(streamed)
    np.testing.assert_array_equal(found.inputs, COLUMNS["logits"])
    np.testing.assert_array_equal(found.labels, COLUMNS["label"])
    assert (found.digest, found.name, found.n_classes) == (streamed.digest, streamed.name, K)
    assert found.where(N - 1) == streamed.where(N - 1)


def test_a_column_is_read_as_it_is_and_labels_as_int64(path):
    data = Predictions(path=path)
    assert data.column("test", "id", key="data.id").tolist() == COLUMNS["id"].tolist()
    labels = labels_of(data.source, "label", lambda stored, where: stored.astype(np.int64))
    assert labels.dtype == np.int64
    assert labels.tolist() == COLUMNS["label"].tolist()


def test_a_column_of_lists_or_of_another_name_is_refused(path):
    data = Predictions(path=path)
    with pytest.raises(BadInput, match=r"data\.group=logits must be a column of .* with one value a row; found .*list"):
        data.column("test", "logits", key="data.group")
    with pytest.raises(BadInput, match=r"data\.group=no must be a column .*; found logits, label, id, weight: name"):
        data.column("test", "no", key="data.group")


@pytest.mark.parametrize("key", ["by", "group", "id", "weight"])
@pytest.mark.parametrize(("ending", "separator"), [("csv", ","), ("tsv", "\t")])
def test_an_empty_cell_is_a_missing_value_and_named_with_its_line(tmp_path, key, ending, separator):
    cells = ["a", "b", "", "a"] if key != "weight" else ["1", "2", "", "1"]
    lines = [["label", "probability_0", "probability_1", "column"], *(["0", "0.5", "0.5", cell] for cell in cells)]
    path = tmp_path / f"a.{ending}"
    path.write_text("\n".join(map(separator.join, lines)) + "\n")
    data = Predictions(path=str(path))
    with pytest.raises(BadInput, match=r"^the column 'column' must have a value in every row; found none in line 4 of"):
        data.column("test", "column", key=f"data.{key}")


def test_a_column_that_is_only_shown_may_have_empty_cells(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("label,probability_0,probability_1,note\n0,0.5,0.5,\n1,0.5,0.5,b\n")
    assert Predictions(path=str(path)).column("test", "note", key="study.show").tolist() == ["", "b"]


def test_identifiers_that_differ_pass_and_a_repeated_one_is_named_with_both_rows(path, tmp_path):
    assert len(Predictions(path=path, id="id").load()) == N
    twice = COLUMNS | {"id": COLUMNS["id"].copy()}
    twice["id"][17] = "row-4"
    (tmp_path / "twice").mkdir()
    other = str(written.write(tmp_path / "twice", "a.parquet", twice))
    with pytest.raises(BadInput, match=r"id must name each row once; found row-4 in row 4 of .* again in row 17 of"):
        Predictions(path=other, id="id").load()


def test_the_table_is_opened_once_in_a_process(path):
    assert Predictions(path=path).source is RowTable(path=path, inputs="logits").source


@pytest.mark.parametrize("member", [Predictions, RowTable])
@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"path": None}, r"data\.path must name a file"),
        ({"one_hot": True}, r"data\.one_hot must be false for data="),
        ({"memory": -1}, r"data\.memory must be at least 0 bytes; found -1"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_when_built(path, member, fields, says):
    with pytest.raises(BadInput, match=says):
        member(**{"path": path} | fields)


def test_a_table_has_no_train_split(path):
    with pytest.raises(
        BadInput, match=r"data\.split must be test for data=predictions, which has no other; found train"
    ):
        Predictions(path=path).load_split("train")


def test_a_path_here_becomes_absolute_and_an_address_stays(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert Predictions(path="rows.parquet").path == str(tmp_path / "rows.parquet")
    assert Predictions(path="s3://bucket/rows.parquet").path == "s3://bucket/rows.parquet"
    assert issubclass(Predictions, Tabular)
