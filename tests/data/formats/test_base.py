import hashlib

import numpy as np

from pipeline.data.formats.base import Column, Source


class Counting(Source):
    """Rows that count on, in shards of 3, 1 and 2 rows, read two rows at a time."""

    name = "counting"
    digest = hashlib.sha256(b"counting").hexdigest()

    def __init__(self):
        self.columns = {"n": Column("i", None, "int64")}
        self.bounds = np.array([0, 3, 4, 6])

    def read(self, shard, columns):
        start, stop = self.bounds[shard : shard + 2]
        for at in range(start, stop, 2):
            yield {name: np.arange(at, min(at + 2, stop)) for name in columns}

    def where(self, row):
        return f"row {row}"


def test_a_whole_column_is_its_blocks_in_order():
    assert Counting().column("n").tolist() == [0, 1, 2, 3, 4, 5]
    assert len(Counting()) == 6


def test_shards_are_told_apart_by_the_table_s_content_and_their_number():
    contents = Counting().contents
    assert len(set(contents)) == 3
    assert all(each.startswith(Counting.digest) for each in contents)
