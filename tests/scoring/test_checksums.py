"""A checksum of stored scores is zlib's of the same bytes, and tells every changed bit."""

import zlib

import numpy as np
import pytest

from pipeline.scoring import checksums

BOUNDS = np.array([0, 3, 3, 700_000])
COLUMNS = {"loss": 4, "accuracy": 1}


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(5)
    for name, size in COLUMNS.items():
        (tmp_path / name).write_bytes(rng.bytes(size * int(BOUNDS[-1])))
    return tmp_path


def test_the_checksum_of_a_shard_is_that_of_its_bytes_column_by_column(folder):
    contents = {name: (folder / name).read_bytes() for name in COLUMNS}
    for shards in ([0, 1, 2], [2, 0], []):
        wanted = [
            zlib.crc32(b"".join(contents[n][BOUNDS[s] * k : BOUNDS[s + 1] * k] for n, k in COLUMNS.items()))
            for s in shards
        ]
        assert checksums.of_shards(folder, COLUMNS, BOUNDS, np.array(shards, int)) == wanted


def test_the_checksum_of_values_in_memory_is_the_same(folder):
    checksum = 0
    for name, kind in (("loss", np.float32), ("accuracy", np.uint8)):
        checksum = checksums.of_values(np.fromfile(folder / name, kind)[3:], checksum)
    assert checksums.of_shards(folder, COLUMNS, BOUNDS, np.array([2])) == [checksum]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_flipped_bit_and_a_file_cut_short_are_found_in_their_own_shard(folder, name):
    before = checksums.of_shards(folder, COLUMNS, BOUNDS, np.arange(3))
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    after = checksums.of_shards(folder, COLUMNS, BOUNDS, np.arange(3))
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False]
    (folder / name).write_bytes(content[:-1])
    assert checksums.of_shards(folder, COLUMNS, BOUNDS, np.array([2])) == [-1]
