"""Files that may be anything: read right or refused in one line, in 5 s of work and within a gigabyte."""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.formats.idx import read_idx
from pipeline.data.formats.npz_arrays import read_arrays
from pipeline.data.npz import Npz
from pipeline.errors import BadInput
from pipeline.model.npz import Npz as Weights
from pipeline.tracking import parquet
from tests.fuzz import readers, run, structures

ROOT = Path(__file__).resolve().parents[2]
READERS = list(readers.all_readers())
# `make faults` puts more.
FEW, MANY = 60, int(os.environ.get("BATCHSCOPE_FUZZ", "2000"))
NEEDED = {"lm_eval": "json", "inspect": "inspect_ai", "safetensors": "safetensors"}


def fuzz(count, *names, **environment):
    """Run the fuzzer in one process of its own; what it told by reader, and how it ended."""
    # Arrow's own allocators reserve address space in gigabytes, which the limit would count. So do threads, which there
    # would be one of for each core.
    variables = {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "2"}
    variables = {**os.environ, **variables, "PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", str(count), *names],
        env=variables,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    told = {line["reader"]: line for line in map(json.loads, done.stdout.splitlines())}
    return told, f"status {done.returncode}: {done.stderr[-2000:]}"


@pytest.fixture(scope="module")
def few():
    return fuzz(FEW, *READERS)


def check(told, ended, name, count):
    assert name in told, ended
    own = told[name]
    assert own["wrong"] == "", own["wrong"]
    assert own["read"] + own["refused"] >= count
    # Neither may be the answer to everything.
    assert own["read"] >= 1
    assert own["refused"] >= count / 2


@pytest.mark.parametrize("name", READERS)
def test_every_one_of_a_few_inputs_is_read_right_or_refused_in_one_line(few, name):
    check(*few, name, FEW)


@pytest.mark.slow
@pytest.mark.fault("damaged files, put to each reader", times=MANY, by="name")
@pytest.mark.parametrize("name", READERS)
def test_every_one_of_2000_inputs_is_read_right_or_refused_in_one_line(name):
    check(*fuzz(MANY, name), name, MANY)


@pytest.mark.slow
@pytest.mark.fault("damaged files, put to each reader", times=MANY, by="name")
@pytest.mark.parametrize("name", NEEDED)
def test_every_one_of_2000_damaged_logs_and_weights_is_read_right_or_refused_in_one_line(name):
    pytest.importorskip(NEEDED[name])
    check(*fuzz(MANY, name), name, MANY)


@pytest.mark.slow
def test_every_one_of_2000_damaged_copies_of_mnist_is_read_right_or_refused_in_one_line(mnist_root):
    check(*fuzz(MANY, "mnist", BATCHSCOPE_DATA=str(mnist_root.parent)), "mnist", MANY)


def test_the_fuzzer_itself_finds_what_a_careless_reader_lets_through():
    def careless(folder):
        content = (folder / "images").read_bytes()
        np.frombuffer(content[16:], np.uint8).reshape(struct.unpack(">3I", content[4:16]))

    whole = readers.idx()
    with pytest.raises((struct.error, ValueError), match=r"unpack requires|cannot reshape"):
        run.fuzz(readers.Reader(whole.real[:1], careless, whole.structured), 40, run.Told("careless"))


@pytest.fixture
def placed(tmp_path):
    """A function from bytes to a file's path."""

    def place(content, name="file.npz"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return place


def test_twenty_thousand_arrays_are_refused_before_they_are_opened_one_by_one(placed):
    with pytest.raises(BadInput, match=r"must hold at most 1,000 arrays; found 20,000: save the weights alone"):
        Weights(path=str(placed(structures.crowd()))).build(None)


def test_a_shape_beyond_64_bits_is_refused(placed):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': (0, {10**30}), }}".encode()
    path = placed(structures.zipped([("x.npy", structures.with_header(header.ljust(117) + b"\n", b""))]))
    with pytest.raises(BadInput, match=r"x of .*file\.npz must have a shape; found \(0, 10+\): save it again"):
        read_arrays(path, ("x",), max_bytes=1 << 30)


@pytest.mark.parametrize("name", ["x", "t"])
def test_a_signalling_nan_is_refused_without_a_warning(placed, name):
    odd = np.array([[0x7FF0000000000001]], dtype=np.uint64).view(np.float64)
    arrays = {"x": np.ones((1, 1)), "t": np.ones((1, 1)), name: odd}
    path = placed(structures.zipped([(f"{key}.npy", structures.npy(array)) for key, array in arrays.items()]))
    with pytest.raises(BadInput, match=r"found nan in row 0|found \[?nan\]? in row 0"):
        Npz(path=str(path)).load()


def test_an_entry_that_declares_more_than_its_bytes_can_hold_is_refused_before_room_is_made(placed, tmp_path):
    size = 3 << 30
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},), }}".encode().ljust(117) + b"\n"
    content = bytearray(structures.zipped([("x.npy", structures.with_header(header, b""))]))
    place = content.index(b"PK\x01\x02") + 24
    content[place : place + 4] = struct.pack("<I", size + 128)
    with pytest.raises(BadInput, match=r"x of .* must be as long as it declares; found 3,221,225,600 bytes declared"):
        read_arrays(placed(content), ("x",), max_bytes=1 << 32)
    packed = gzip.compress(struct.pack(">4I", 0x803, 1 << 20, 30, 30), mtime=0)
    with pytest.raises(BadInput, match=r"must be 943,718,416 bytes long .* found at most \d\d,\d\d\d: get the file"):
        read_idx(placed(packed, "images.gz"), n_axes=3)


def test_names_in_a_file_cannot_move_the_terminals_cursor(placed):
    path = placed(structures.zipped([("\x1b[2Jx\n" + "y" * 3000 + ".npy", b"")]))
    with pytest.raises(BadInput, match=r"found \?\[2Jx y+ …: save it with") as caught:
        read_arrays(path, ("x",), max_bytes=1 << 20)
    assert str(caught.value).isprintable()


def test_members_named_outside_the_file_write_nothing_and_are_refused_or_left_alone(placed, tmp_path):
    good = {"x": structures.npy(np.ones((3, 2))), "t": structures.npy(np.arange(3))}
    evil = [("../evil.npy", good["x"]), (f"{tmp_path}/evil.npy", good["x"])]
    path = placed(structures.zipped([*((f"{k}.npy", v) for k, v in good.items()), *evil]))
    before = {*tmp_path.parent.iterdir(), *tmp_path.iterdir()}
    assert len(Npz(path=str(path)).load()) == 3
    with pytest.raises(BadInput, match=r"must hold W1, b1 to W1, b1"):
        Weights(path=str(path)).build(None)
    assert {*tmp_path.parent.iterdir(), *tmp_path.iterdir()} == before


FRAME = pd.DataFrame(
    {
        "draw": np.arange(9),
        "loss": [np.nan, np.inf, 0.5] * 3,
        "curve": ["all", None, "é"] * 3,
        "ok": [True, False, True] * 3,
    }
)


@pytest.mark.parametrize("frame", [FRAME, FRAME.iloc[:0], FRAME[["draw"]], FRAME.astype({"loss": "float32"})])
def test_a_table_is_read_as_pandas_reads_it(tmp_path, frame):
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    pd.testing.assert_frame_equal(parquet.read(tmp_path / "t.parquet"), pd.read_parquet(tmp_path / "t.parquet"))


BAD_TABLES = {
    "categories of bytes": ({"a": pd.Categorical([b"x"])}, r"found dictionary<.*> in the column 'a'"),
    "lists": ({"a": [[1, 2]]}, r"found list<.*> in the column 'a'"),
    "bytes": ({"a": [b"x"]}, r"found binary in the column 'a'"),
    "dates": ({"a": pd.to_datetime(["2020"])}, r"found timestamp"),
    "too many rows": ({"a": np.zeros(60_000_000, np.int8)}, r"at most 400,000,000 bytes; found 60,000,000 rows of 1"),
}


@pytest.mark.parametrize(("columns", "says"), BAD_TABLES.values(), ids=list(BAD_TABLES))
def test_a_table_that_is_not_plain_or_too_large_is_refused(tmp_path, columns, says):
    pd.DataFrame(columns).to_parquet(tmp_path / "t.parquet", index=False)
    with pytest.raises(BadInput, match=says):
        parquet.read(tmp_path / "t.parquet")


def test_a_long_text_that_stands_once_in_the_file_and_in_many_rows_is_refused_before_it_is_repeated(tmp_path):
    texts = pa.DictionaryArray.from_arrays(np.zeros(50_000, np.int32), ["x" * 10_000])
    pq.write_table(pa.table({"a": texts}), tmp_path / "t.parquet", store_schema=False)
    assert (tmp_path / "t.parquet").stat().st_size < 30_000
    with pytest.raises(
        BadInput, match=r"at most 400,000,000 bytes; found 50,000 texts of up to 10,000 bytes in the col"
    ):
        parquet.read(tmp_path / "t.parquet")


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"found no file"):
        parquet.read(tmp_path)
    for content in (b"", b"PAR1", b"PAR1" * 20, b"no table"):
        (tmp_path / "t.parquet").write_bytes(content)
        with pytest.raises(BadInput, match=r"t\.parquet must be a whole Parquet file; found: .*: log the run again"):
            parquet.read(tmp_path / "t.parquet")
