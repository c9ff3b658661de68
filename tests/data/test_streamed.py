import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.streamed import Streamed
from pipeline.records.rows import Block

N, WIDTH = 23, 2
INPUTS = np.arange(N * WIDTH, dtype=np.float32).reshape(N, WIDTH)
LABELS = np.arange(N) % 3


def streamed(bounds, block, *, has_labels=True, touched=None):
    """Rows in shards, each read in blocks; `touched` is told which."""

    def read(shard):
        if touched is not None:
            touched.append(shard)
        for start in range(bounds[shard], bounds[shard + 1], block):
            own = slice(start, min(start + block, bounds[shard + 1]))
            yield Block(INPUTS[own], LABELS[own] if has_labels else None)

    return Streamed(
        name="rows",
        digest="",
        n_classes=3,
        scale=1.0,
        width=WIDTH,
        bounds=np.array(bounds),
        read_shard=read,
        read_labels=(lambda: LABELS) if has_labels else None,
        row_name=lambda row: f"row {row}",
    )


CUTS = st.sets(st.integers(1, N - 1), max_size=6).map(lambda cuts: [0, *sorted(cuts), N])
ROWS = st.lists(st.integers(0, N - 1), max_size=60)


@given(bounds=CUTS, block=st.integers(1, N), rows=ROWS, has_labels=st.booleans())
def test_rows_taken_are_those_of_the_arrays_in_the_order_asked_for(bounds, block, rows, has_labels):
    found = streamed(bounds, block, has_labels=has_labels).take(np.array(rows, dtype=np.int64))
    np.testing.assert_array_equal(found.inputs, INPUTS[rows])
    if has_labels:
        np.testing.assert_array_equal(found.labels, LABELS[rows])
    else:
        assert found.labels is None


@given(bounds=CUTS, block=st.integers(1, N), rows=ROWS)
def test_each_shard_that_holds_a_row_is_read_once_and_no_other(bounds, block, rows):
    touched = []
    streamed(bounds, block, touched=touched).take(np.array(rows, dtype=np.int64))
    assert touched == sorted({int(np.searchsorted(bounds, row, side="right")) - 1 for row in rows})


@given(bounds=CUTS, block=st.integers(1, N))
def test_the_shards_one_after_the_other_are_all_rows(bounds, block):
    found = streamed(bounds, block)
    assert len(found) == N
    blocks = [block for shard in range(len(bounds) - 1) for block in found.read(shard)]
    np.testing.assert_array_equal(np.concatenate([block.inputs for block in blocks]), INPUTS)
    np.testing.assert_array_equal(np.concatenate([block.labels for block in blocks]), LABELS)


@pytest.mark.parametrize("has_labels", [True, False])
def test_labels_are_read_once_where_there_are_any(has_labels):
    found = streamed([0, N], N, has_labels=has_labels)
    assert found.labels is found.labels
    np.testing.assert_array_equal(found.labels, LABELS if has_labels else None)
    assert found.where(3) == "row 3"
