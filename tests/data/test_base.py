"""What a source of rows does for every member: checks, groups and weights, memoising."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.data.base import SPLITS, Data, check_split, in_memory
from pipeline.data.streamed import Streamed
from pipeline.errors import BadInput
from pipeline.records.rows import Dataset

N = 12


def dataset(labels=True):
    return Dataset(
        inputs=np.arange(N, dtype=np.float32)[:, None],
        labels=np.arange(N) % 3 if labels else None,
        n_classes=3 if labels else 0,
        scale=1.0,
        name="rows",
        digest="digest",
    )


@dataclass
class Source(Data):
    """Rows with two columns, whose file is `path`; how often they are loaded is counted."""

    name: str = "source"
    path: str | None = None

    def load_split(self, split):
        self.loads = [*getattr(self, "loads", []), split]
        return dataset()

    def column(self, split, name, *, key):
        columns = {"writer": np.repeat(["b", "a", "c"], 4), "count": np.arange(1.0, N + 1)}
        return columns[name] if name in columns else super().column(split, name, key=key)


def test_rows_without_groups_and_weights_are_those_of_the_split():
    found = Source().rows("train")
    assert found.groups is found.weights is None
    assert (found.name, found.digest) == ("rows", "digest")


def test_groups_and_weights_are_numbered_named_and_part_of_the_digest():
    grouped, weighted, both = (
        Source(**fields).rows("test")
        for fields in ({"group": "writer"}, {"weight": "count"}, {"group": "writer", "weight": "count"})
    )
    assert grouped.groups.tolist() == [1] * 4 + [0] * 4 + [2] * 4
    assert grouped.name == "rows by writer"
    assert weighted.weights.tolist() == list(range(1, N + 1))
    assert len({"digest", grouped.digest, weighted.digest, both.digest}) == 4


def test_a_source_without_such_a_column_says_so_with_the_key_that_asked_for_it():
    with pytest.raises(BadInput, match=r"^data\.group must name a column of data=source, which has none; found 'age'"):
        Source(group="age").load()


def test_the_rows_of_a_split_are_loaded_once_until_the_file_changes(tmp_path):
    path = tmp_path / "file"
    path.write_text("1")
    source = Source(path=str(path))
    assert source.rows("test") is source.rows("test")
    source.rows("train")
    assert source.loads == ["test", "train"]
    path.write_text("another content")
    source.rows("test")
    assert source.loads == ["test", "train", "test"]


def test_loading_gives_the_configured_split_anew():
    source = Source(split="train")
    assert source.load() is not source.load()
    assert source.loads == ["train", "train"]


def test_rows_that_do_not_fit_into_memory_are_one_clear_line():
    class Large(Source):
        def load_split(self, split):
            return np.empty(1 << 55)

    with pytest.raises(BadInput, match=r"^the test rows of data=source must fit into memory; found: .*: give fewer"):
        Large().load()


@pytest.mark.parametrize("name", ["../up", "a/b", "a b", ""])
def test_a_name_that_is_no_name_of_a_folder_is_refused(name):
    with pytest.raises(BadInput, match=r"^data\.name must be letters, digits, - and _ alone; found "):
        Source(name=name)


def test_the_two_splits_and_no_other_pass():
    for split in SPLITS:
        check_split(split)
    with pytest.raises(BadInput, match=r"data.split must be one of train, test; found 'valid'"):
        check_split("valid")


def test_only_rows_with_labels_that_are_in_memory_pass_as_such():
    rows = dataset()
    assert in_memory(rows) is rows
    with pytest.raises(BadInput, match="this needs inputs and labels; found rows, scores without labels"):
        in_memory(dataset(labels=False))
    streamed = Streamed("file", "", 3, 1.0, 1, np.array([0, 1200]), lambda shard: iter(()), None, str)
    with pytest.raises(BadInput, match=r"this needs all rows in memory; found file, 1,200 rows streamed from disk"):
        in_memory(streamed)
