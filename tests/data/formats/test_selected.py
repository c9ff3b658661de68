"""The rows of a table in which a column has a value, and the others."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from pyarrow import parquet as pq

from pipeline.data.formats.open_table import open_table
from pipeline.data.formats.selected import Selected

LABELS = {
    "whole": pa.array([0, None, 1, None, None, 1, 0, None, 2, None]),
    "floats": pa.array([0.0, None, 1.0, float("nan"), None, 1.0, 0.0, None, 2.0, None]),
    "texts": pa.array(["a", None, "b", "", None, "b", "a", "", "c", None]),
    "a dictionary": pa.array(["a", None, "b", None, None, "b", "a", None, "c", None]).dictionary_encode(),
}
KEPT = [0, 2, 5, 6, 8]


@pytest.fixture(params=list(LABELS))
def source(request, tmp_path):
    """Ten rows in row groups of two, of which the second has no label at all but for one."""
    table = pa.table({"n": np.arange(10), "l": list(np.arange(20.0).reshape(10, 2)), "label": LABELS[request.param]})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=2)
    return open_table(str(tmp_path / "rows.parquet"))


def test_rows_with_a_value_are_read_and_named_by_their_own_number(source):
    found = Selected(source, "label", has_value=True)
    assert found.column("n").tolist() == KEPT
    assert found.column("l")[:, 0].tolist() == [2.0 * row for row in KEPT]
    assert len(found.column("label")) == len(found) == 5
    assert found.rows.tolist() == KEPT
    assert [found.where(i) for i in range(5)] == [source.where(row) for row in KEPT]


def test_the_others_are_read_without_the_column(source):
    found = Selected(source, "label", has_value=False)
    assert found.column("n").tolist() == [1, 3, 4, 7, 9]
    assert set(found.columns) == {"n", "l"}
    assert found.digest not in (source.digest, Selected(source, "label", has_value=True).digest)


def test_an_empty_cell_of_a_csv_file_is_no_value(tmp_path):
    (tmp_path / "rows.csv").write_text("n,label\n0,1\n1,\n2,0\n")
    found = Selected(open_table(str(tmp_path / "rows.csv")), "label", has_value=True)
    assert found.column("n").tolist() == [0, 2]
    assert csv.read_csv(tmp_path / "rows.csv").num_rows == 3


def test_a_table_that_has_all_values_has_no_others(tmp_path):
    pq.write_table(pa.table({"label": [0, 1]}), tmp_path / "rows.parquet")
    source = open_table(str(tmp_path / "rows.parquet"))
    assert len(Selected(source, "label", has_value=False)) == 0
    assert len(Selected(source, "label", has_value=True)) == 2
