"""A data set in memory is read by shards that make up all rows once, in order."""

import numpy as np
import pytest

from pipeline.records import rows
from pipeline.records.rows import Dataset


def dataset_of(n, **more):
    inputs = np.arange(2 * n, dtype=np.float32).reshape(n, 2)
    return Dataset(inputs, np.arange(n) % 3, 3, 1.0, "made", "d", **more)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 9])
def test_the_shards_hold_every_row_once_in_order_and_start_where_bounds_says(monkeypatch, n):
    monkeypatch.setattr(rows, "_SHARD_ROWS", 4)
    dataset = dataset_of(n)
    bounds = dataset.bounds
    blocks = [block for shard in range(len(bounds) - 1) for block in dataset.read(shard)]
    np.testing.assert_array_equal(np.concatenate([block.inputs for block in blocks]), dataset.inputs)
    np.testing.assert_array_equal(np.concatenate([block.labels for block in blocks]), dataset.labels)
    assert [len(block.inputs) for block in blocks] == np.diff(bounds).tolist()
    assert (bounds[0], bounds[-1]) == (0, n)


def test_rows_are_taken_in_the_order_asked_for_repeats_included():
    dataset = dataset_of(6)
    found = dataset.take(np.array([4, 0, 4]))
    np.testing.assert_array_equal(found.inputs, [[8, 9], [0, 1], [8, 9]])
    assert found.labels.tolist() == [1, 0, 1]


def test_scores_without_labels_are_taken_without_labels():
    dataset = Dataset(np.ones((4, 1), np.float32), None, 0, 1.0, "scores", "d")
    assert dataset.take(slice(1, 3)).labels is None
    assert (len(dataset), dataset.width) == (4, 1)


def test_a_row_is_named_by_its_number_or_by_what_the_source_calls_it():
    assert dataset_of(2).where(1) == "row 1"
    assert dataset_of(2, row_name=lambda row: f"line {row + 2} of a.csv").where(1) == "line 3 of a.csv"
