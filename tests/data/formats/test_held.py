"""Arrays in memory read as a table on disk does."""

import numpy as np
import pytest

from pipeline.data.formats import held
from pipeline.data.formats.held import HeldSource
from pipeline.errors import BadInput


def test_columns_have_their_kinds_and_widths():
    found = HeldSource("a", {"z": np.zeros((3, 2)), "one": np.zeros((3, 1)), "t": ["x", "y", "z"], "b": [True] * 3})
    assert {name: (column.kind, column.width) for name, column in found.columns.items()} == {
        "z": ("f", 2), "one": ("f", None), "t": ("U", None), "b": ("b", None),
    }  # fmt: skip
    assert found.where(2) == "row 2 of a"


def test_a_column_of_lists_is_read_as_rows():
    lists = np.empty(2, dtype=object)
    lists[:] = [[1.0, 2.0], [3.0, 4.0]]
    assert HeldSource("a", {"z": lists}).column("z").tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_shards_hold_all_rows_in_order(monkeypatch):
    monkeypatch.setattr(held, "BLOCK_ROWS", 4)
    values = np.arange(10)
    found = HeldSource("a", {"x": values})
    assert found.bounds.tolist() == [0, 4, 8, 10]
    assert found.column("x").tolist() == values.tolist()


def test_equal_content_has_equal_digests_and_other_content_another():
    digests = [HeldSource("a", {"x": values}).digest for values in ([1, 2], [1, 2], [2, 1], ["1", "2"], [1.0, 2.0])]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1, 2], "y": [1]}, "y must have a value for each row; found 1, and 2 of x"),
        ({"x": []}, "a must have a row at least; found none"),
        ({"x": np.zeros((2, 2, 2))}, r"x must have shape \(n,\) or \(n, k\); found \(2, 2, 2\)"),
        ({"x": [[1, 2], [3]]}, "x must have rows of one length"),
    ],
)
def test_columns_that_are_none_are_refused(columns, message):
    with pytest.raises(BadInput, match=message):
        HeldSource("a", columns)
