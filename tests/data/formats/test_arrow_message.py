import struct

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import ipc

from pipeline.data.formats.arrow_message import batch_of, blocks_of, refuse_unpacking, unpacked_bytes
from pipeline.data.formats.locations import Location
from pipeline.errors import BadInput

N = 5000


@pytest.fixture
def table():
    """A column of every layout."""
    ends = pa.array(np.arange(N + 1, dtype=np.int32) * 4)
    return pa.table(
        {
            "list": pa.ListArray.from_arrays(ends, pa.array(np.zeros(4 * N, np.float32))),
            "text": ["ab"] * N,
            "class": pa.array(["x", "y"] * (N // 2)).dictionary_encode(),
            "flag": np.zeros(N, bool),
            "none": pa.nulls(N),
            "struct": pa.array([{"a": 1, "b": "q"}] * N),
            "fixed": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(3 * N)), 3),
            "time": pa.array(np.arange(N), pa.timestamp("s")),
            "bytes": pa.array([b"abc"] * N, pa.binary(3)),
        }
    )


def messages(path):
    """The messages of the dictionaries and of the record batches, and the handle that they lie in."""
    handle = pa.memory_map(str(path))
    for places in blocks_of(handle):
        found = []
        for place in places:
            handle.seek(place)
            found.append(ipc.read_message(handle))
        yield found


@pytest.mark.parametrize("codec", [None, "zstd", "lz4"])
def test_the_header_tells_the_rows_and_the_bytes_that_arrow_unpacks(tmp_path, table, codec):
    with ipc.new_file(str(tmp_path / "a"), table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
        writer.write_table(table, max_chunksize=3000)
    dictionaries, batches = messages(tmp_path / "a")
    assert [batch_of(each).rows for each in dictionaries] == [2]
    found = [batch_of(each) for each in batches]
    assert [batch.rows for batch in found] == [3000, 2000]
    assert {batch.is_packed for batch in found} == {codec is not None}
    for batch, read in zip(found, table.to_batches(max_chunksize=3000), strict=True):
        for name in ("list", "fixed", "time", "bytes"):
            # Arrow's own size of it, which leaves out the last of the offsets.
            last = 4 if name == "list" else 0
            assert unpacked_bytes(batch, table.schema, [name]) == read.column(name).nbytes + last
        assert unpacked_bytes(batch, table.schema, ["none"]) == 0
        assert unpacked_bytes(batch, table.schema, table.schema.names) == sum(batch.buffers)


def test_a_type_whose_buffers_are_not_known_counts_all_columns(tmp_path):
    table = pa.table({"view": pa.array(["a" * 20] * 9, pa.string_view()), "n": np.arange(9)})
    with ipc.new_file(str(tmp_path / "a"), table.schema) as writer:
        writer.write_table(table)
    _, (message,) = messages(tmp_path / "a")
    batch = batch_of(message)
    assert unpacked_bytes(batch, table.schema, ["n"]) == sum(batch.buffers)


def test_a_compressed_batch_beyond_the_limit_is_refused_and_one_that_is_not_compressed_is_not(tmp_path):
    table = pa.table({"n": np.zeros(1000), "other": np.zeros(9000).reshape(1000, 9).tolist()})
    for codec in ("zstd", None):
        with ipc.new_file(str(tmp_path / "a"), table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(table)
        _, (message,) = messages(tmp_path / "a")
        batch, place = batch_of(message), Location(str(tmp_path / "a"))
        refuse_unpacking(batch, table.schema, ["n"], place, 8000)
        if codec is None:
            refuse_unpacking(batch, table.schema, None, place, 8000)
            continue
        with pytest.raises(
            BadInput, match=r"a record batch of .*a must unpack to at most data\.max_bytes=7,999; found 8"
        ):
            refuse_unpacking(batch, table.schema, ["n"], place, 7999)


class Damaged:
    """What pyarrow's Message has."""

    def __init__(self, metadata):
        self.metadata, self.body = metadata, b""


def test_a_damaged_header_raises_what_is_told_as_damage(tmp_path, table):
    with ipc.new_file(str(tmp_path / "a"), table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    _, (message,) = messages(tmp_path / "a")
    whole = bytes(message.metadata)
    rng = np.random.default_rng(0)
    for _ in range(2000):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 3):
            changed[place] = rng.integers(256)
        try:
            batch = batch_of(Damaged(bytes(changed)))
        except (ValueError, struct.error):
            continue
        assert batch.rows >= 0
        assert min(batch.buffers, default=0) >= 0
