import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc as ipc
import pytest

from pipeline.data.formats import arrow, arrow_files
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput
from tests import written as tables


def written(path, sizes, compression=None):
    """A file of record batches of these sizes; the column counts on."""
    schema = pa.schema({"text": pa.string(), "n": pa.int64()})
    with ipc.new_file(str(path), schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        start = 0
        for size in sizes:
            numbers = np.arange(start, start + size)
            writer.write_batch(pa.record_batch([pa.array([f"row {n}" for n in numbers]), numbers], schema=schema))
            start += size
    return str(path)


def test_a_shard_is_a_run_of_batches_of_enough_rows(tmp_path, monkeypatch):
    for module in (arrow, arrow_files):
        monkeypatch.setattr(module, "BLOCK_ROWS", 10)
    source = open_table(written(tmp_path / "a.arrow", [4, 4, 4, 0, 25, 3, 0, 8, 1]))
    assert source.bounds.tolist() == [0, 12, 37, 48, 49]
    assert [len(block["n"]) for block in source.read(1, ["n"])] == [10, 10, 5]
    np.testing.assert_array_equal(source.column("n"), np.arange(49))
    assert source.column("text").tolist() == [f"row {n}" for n in range(49)]


def test_rows_of_a_folder_are_named_by_their_file(tmp_path):
    for name, sizes in (("a.arrow", [3, 0]), ("b.feather", [2, 2])):
        written(tmp_path / name, sizes)
    source = open_table(str(tmp_path))
    assert source.where(2) == f"row 2 of {tmp_path}/a.arrow"
    assert source.where(3) == f"row 0 of {tmp_path}/b.feather"
    assert source.column("n").tolist() == [0, 1, 2, 0, 1, 2, 3]


@pytest.mark.parametrize("compression", [None, "zstd", "lz4"])
def test_a_file_that_pyarrow_calls_feather_is_read(tmp_path, compression):
    table = tables.arrow(tables.predictions(np.random.default_rng(1)))
    pyarrow.feather.write_feather(table, tmp_path / "a.feather", compression=compression or "uncompressed")
    source = open_table(str(tmp_path / "a.feather"))
    np.testing.assert_array_equal(source.column("label"), table["label"])


def test_other_formats_of_the_same_name_are_refused_with_what_to_do(tmp_path):
    (tmp_path / "b.feather").write_bytes(b"FEA1" + bytes(20))
    with pytest.raises(BadInput, match=r"b\.feather must start as .*; found Feather version 1: write version 2"):
        open_table(str(tmp_path / "b.feather"))


def test_offsets_that_lead_out_of_the_file_are_refused_before_they_are_followed(tmp_path):
    written(tmp_path / "a.arrow", [3])
    content = bytearray((tmp_path / "a.arrow").read_bytes())
    offsets = np.array([0, 5, 10, 15], np.int32).tobytes()
    place = content.index(offsets)
    content[place + 8 : place + 12] = np.int32(2_000_000_000).tobytes()
    (tmp_path / "a.arrow").write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.arrow must be a whole Arrow file; found: .*: write it again"):
        open_table(str(tmp_path / "a.arrow")).column("text")


def test_only_the_columns_asked_for_are_unpacked(tmp_path):
    path = tmp_path / "a.arrow"
    written(path, [1000], compression="zstd")
    content = path.read_bytes()
    # The frames of zstd in order: offsets and text of the first column, then the numbers.
    frames = [i for i in range(len(content)) if content[i : i + 4] == b"\x28\xb5\x2f\xfd"]
    damaged = content[: frames[1] + 4] + bytes(8) + content[frames[1] + 12 :]
    path.write_bytes(damaged)
    source = open_table(str(path))
    np.testing.assert_array_equal(source.column("n"), np.arange(1000))
    with pytest.raises(BadInput, match=r"a\.arrow must be a whole Arrow file"):
        source.column("text")
