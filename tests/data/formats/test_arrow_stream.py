import numpy as np
import pyarrow as pa
import pytest

from pipeline.data.formats import arrow, arrow_files, arrow_stream
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput
from tests import written as tables


def counting(n):
    return pa.table({"text": pa.array([f"row {i}" for i in range(n)]), "n": np.arange(n)})


def test_batches_are_found_and_read_together(tmp_path, monkeypatch):
    for module in (arrow, arrow_files):
        monkeypatch.setattr(module, "BLOCK_ROWS", 20)
    monkeypatch.setattr(arrow_stream, "_ROWS_AT_ONCE", 8)
    tables.stream(tmp_path / "a.arrow", counting(50), rows=4)
    source = open_table(str(tmp_path / "a.arrow"))
    assert source.bounds.tolist() == [0, 20, 40, 50]
    assert [len(block["n"]) for block in source.read(1, ["n"])] == [8, 8, 4]
    np.testing.assert_array_equal(source.column("n"), np.arange(50))
    assert source.column("text").tolist() == [f"row {n}" for n in range(50)]
    assert source.where(41) == f"row 41 of {tmp_path}/a.arrow"


def test_a_stream_without_its_end_is_refused_though_its_batches_are_whole(tmp_path):
    path = tmp_path / "a.arrow"
    tables.stream(path, counting(50), rows=10)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(BadInput, match=r"a\.arrow must be a whole Arrow stream; found no end .* after 50 rows: write"):
        open_table(str(path))


def test_offsets_that_lead_out_of_the_stream_are_refused_before_they_are_followed(tmp_path):
    path = tmp_path / "a.arrow"
    tables.stream(path, counting(3))
    content = bytearray(path.read_bytes())
    place = content.index(np.array([0, 5, 10, 15], np.int32).tobytes())
    content[place + 8 : place + 12] = np.int32(2_000_000_000).tobytes()
    path.write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.arrow must be a whole Arrow stream file; found: .*: write it again"):
        open_table(str(path)).column("text")
    # The other column is whole.
    assert open_table(str(path)).column("n").tolist() == [0, 1, 2]


def test_categories_are_refused_with_what_to_do(tmp_path):
    tables.stream(tmp_path / "a.arrow", pa.table({"a": pa.array(["x", "y"]).dictionary_encode()}))
    with pytest.raises(BadInput, match=r"a\.arrow must have no dictionary columns .*: write them as text"):
        open_table(str(tmp_path / "a.arrow"))


def test_streams_and_files_in_one_folder_are_refused(tmp_path):
    columns = {"n": np.arange(3)}
    tables.stream(tmp_path / "a.arrow", tables.arrow(columns))
    tables.arrow_file(tmp_path / "b.arrow", columns)
    with pytest.raises(BadInput, match=r"b\.arrow must start as an Arrow stream does; found ARRO"):
        open_table(str(tmp_path))
    (tmp_path / "a.arrow").rename(tmp_path / "c.arrow")
    with pytest.raises(BadInput, match=r"c\.arrow must start as an Arrow file .*; found Arrow's stream format"):
        open_table(str(tmp_path))


def test_a_stream_is_read_from_this_machine_alone(tmp_path):
    tables.stream(tmp_path / "a.arrow", counting(3))
    with pytest.raises(BadInput, match=r"must be named by its path on this machine.*; found file://.*, or give P"):
        open_table(f"file://{tmp_path}/a.arrow")
