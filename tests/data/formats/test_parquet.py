import struct

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from pipeline.data.formats import parquet as module
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput


def test_a_shard_is_a_row_group_with_rows(tmp_path):
    schema = pa.schema({"n": pa.int64()})
    with pq.ParquetWriter(tmp_path / "a.parquet", schema) as writer:
        for start, stop in ((0, 5), (5, 5), (5, 7)):
            writer.write_table(pa.table({"n": np.arange(start, stop)}, schema=schema))
    source = open_table(str(tmp_path / "a.parquet"))
    assert source.bounds.tolist() == [0, 5, 7]
    assert [each.rpartition(" ")[2] for each in source.contents] in (["0", "1"], ["0", "2"])


def test_wide_rows_are_decoded_in_smaller_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_NUMBERS_AT_ONCE", 64)
    rows = np.arange(320.0).reshape(40, 8)
    table = pa.table({"l": pa.array(list(rows)), "n": np.arange(40)})
    pq.write_table(table, tmp_path / "a.parquet")
    source = open_table(str(tmp_path / "a.parquet"))
    assert [len(block["l"]) for block in source.read(0, ["l"])] == [8] * 5
    assert [len(block["n"]) for block in source.read(0, ["n"])] == [40]
    np.testing.assert_array_equal(source.column("l"), rows)


def test_a_page_that_was_changed_is_found_by_its_checksum(tmp_path):
    path = tmp_path / "a.parquet"
    numbers = np.random.default_rng(0).integers(0, 1 << 60, 1000)
    options = {"use_dictionary": False, "compression": "none", "write_page_checksum": True}
    pq.write_table(pa.table({"n": numbers}), path, **options)
    content = bytearray(path.read_bytes())
    content[content.index(numbers[500].tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.parquet must be a whole Parquet file; found in row group 0: .*: write it"):
        open_table(str(path)).column("n")


def test_a_file_that_is_cut_off_is_refused_when_it_is_opened(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": np.arange(100)}), path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(BadInput, match=r"a\.parquet must be a whole Parquet file; found: .*: write it again"):
        open_table(str(path))


def test_column_metadata_at_which_pyarrow_ends_the_process_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": pa.array([1.0, None, 2.0]), "l": pa.array([[1.0], [None], [2.0]])}), path)
    content = path.read_bytes()
    size = struct.unpack("<I", content[-8:-4])[0]
    footer = bytearray(content[-8 - size : -8])
    # The histogram of definition levels, 1 null and 2 values, as a Thrift list of two; then of one.
    place = footer.index(b"\x26\x02\x04")
    footer[place : place + 3] = b"\x16\x02"
    path.write_bytes(content[: -8 - size] + footer + struct.pack("<I", len(footer)) + b"PAR1")
    found = r"a\.parquet must be a whole Parquet file; found in row group 0: .*histogram size mismatch.*: write it"
    with pytest.raises(BadInput, match=found):
        open_table(str(path)).column("n")


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": np.arange(100)}), path)
    source = open_table(str(path))
    pq.write_table(pa.table({"n": np.arange(101)}), path)
    with pytest.raises(BadInput, match=r"a\.parquet must stay as it is while it is read; found it changed"):
        source.column("n")


def test_the_width_of_lists_is_read_from_one_row(tmp_path, monkeypatch):
    asked = []
    whole = pq.ParquetFile.iter_batches
    monkeypatch.setattr(
        pq.ParquetFile, "iter_batches", lambda self, size, **kw: asked.append(size) or whole(self, size, **kw)
    )
    pq.write_table(pa.table({"a.b": [[1.0, 2.0]] * 9, "c": [[1.0, 2.0, 3.0]] * 9}), tmp_path / "a.parquet")
    source = open_table(str(tmp_path / "a.parquet"))
    assert {name: column.width for name, column in source.columns.items()} == {"a.b": 2, "c": 3}
    assert asked == [1]


def test_texts_are_the_same_through_a_dictionary(tmp_path):
    texts = np.random.default_rng(0).choice(["a", "bb", "é", ""], 1000)
    for options in ({}, {"use_dictionary": False}, {"row_group_size": 7}):
        pq.write_table(
            pa.table({"t": texts, "large": pa.array(texts, pa.large_string())}), tmp_path / "a.pq", **options
        )
        source = open_table(str(tmp_path / "a.pq"))
        for name in ("t", "large"):
            found = source.column(name)
            assert found.dtype == object
            assert found.tolist() == texts.tolist()


def test_long_texts_are_decoded_in_smaller_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_BYTES", 1000)
    pq.write_table(pa.table({"t": [f"{i:>100}" for i in range(40)], "n": np.arange(40)}), tmp_path / "a.pq")
    source = open_table(str(tmp_path / "a.pq"))
    assert {len(block["t"]) for block in source.read(0, ["t"])} == {8}
    assert [len(block["n"]) for block in source.read(0, ["n"])] == [40]


def test_pages_of_many_columns_may_not_take_more_than_the_limit(tmp_path):
    pq.write_table(pa.table({f"n_{i}": np.random.default_rng(i).random(1000) for i in range(100)}), tmp_path / "a.pq")
    source = open_table(str(tmp_path / "a.pq"), most_bytes=100_000)
    with pytest.raises(BadInput, match=r"pages of the 100 columns of .* must take at most data\.max_bytes=100,000 tog"):
        next(source.read(0, list(source.columns)))
    assert len(next(source.read(0, ["n_0", "n_1"]))["n_0"]) == 1000
