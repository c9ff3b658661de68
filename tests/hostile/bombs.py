"""Small files that unpack to gigabytes, and files that are merely wide; each is made in little memory."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import ipc
from pyarrow import parquet as pq


class Bomb(NamedTuple):
    """A file, how it is read, and a pattern of what is then said."""

    make: Callable[[Path], object]
    kind: str
    name: str
    says: str
    options: Mapping[str, Any] = MappingProxyType({})


def lists(rows: int, width: int) -> Callable[[Path], None]:
    """Lists of zeros in one row group; zeros that are only read take no memory."""

    def make(path: Path) -> None:
        ends = pa.array(np.arange(rows + 1, dtype=np.int32) * width)
        logits = pa.ListArray.from_arrays(ends, pa.array(np.zeros(rows * width, np.float32)))
        pq.write_table(pa.table({"logits": logits, "label": np.arange(rows) % 2}), path, row_group_size=rows)

    return make


def texts(path: Path) -> None:
    """A text of 100 kB that stands in the file once, in 100,000 rows: 10 GB."""
    same = pa.DictionaryArray.from_arrays(np.zeros(100_000, np.int32), ["x" * 100_000])
    pq.write_table(pa.table({"loss": np.ones(100_000), "id": same}), path, store_schema=False)


def constant(path: Path) -> None:
    """A column of zeros that is not encoded but packed: 1.2 GB."""
    rows = 150_000_000
    table = pa.table({"loss": np.zeros(rows)})
    pq.write_table(table, path, compression="zstd", use_dictionary=False, row_group_size=rows)


def columns(rows: int, count: int) -> Callable[[Path], None]:
    """A column a class."""
    values = np.random.default_rng(0).random(rows, dtype=np.float32)
    return lambda path: pq.write_table(
        pa.table({**{f"logit_{i}": values for i in range(count)}, "label": np.arange(rows) % 2}), path
    )


def arrow(path: Path) -> None:
    """One record batch of 600 MB."""
    table = pa.table({"logits": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(120_000_000, np.float32)), 2)})
    table = table.append_column("label", pa.array(np.zeros(60_000_000, np.int8)))
    with ipc.new_file(str(path), table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)


def dictionary(path: Path) -> None:
    """A dictionary of 600 MB for a batch of two rows."""
    names = pa.array(["x" * 300_000_000, "y" * 300_000_000], pa.large_string())
    label = pa.DictionaryArray.from_arrays(pa.array([0, 1], pa.int32()), names)
    table = pa.table({"loss": [0.1, 0.2], "label": label})
    with ipc.new_file(str(path), table.schema, options=ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)


def npz(path: Path) -> None:
    """An array of 600 MB."""
    np.savez_compressed(path, loss=np.zeros(75_000_000))


def csv_in_parts(path: Path) -> None:
    """2 GB of text in parts of 5 MB, of which a file in .gz tells the size of the last alone."""
    part = gzip.compress(b"0.5,1\n" * 900_000)
    path.write_bytes(gzip.compress(b"loss,correct\n") + part * 400)


def json_of_one_line(unit: bytes, size: int) -> Callable[[Path], None]:
    """A line of JSON with a list of so many bytes."""
    return lambda path: path.write_bytes(b'{"loss": [' + unit * (size // len(unit)) + b"0]}\n")


def lm_eval(path: Path) -> None:
    """A log of lm_eval whose line takes 1 GB, in no room on disk."""
    with path.open("wb") as file:
        file.write(b'{"doc_id": "')
        file.truncate(1 << 30)


def eval_log(path: Path) -> None:
    """A log of Inspect whose sample unpacks to 2 GB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        spec = {"task": "t", "dataset": {}, "model": "m", "created": "2026-01-01T00:00:00+00:00", "config": {}}
        header = {"version": 2, "status": "success", "eval": spec, "plan": {}, "results": {}, "stats": {}}
        archive.writestr("header.json", json.dumps(header))
        with archive.open("samples/1_epoch_1.json", "w", force_zip64=True) as file:
            file.write(b'{"id": 1, "epoch": 1, "input": "')
            for _ in range(2000):
                file.write(b"x" * 1_000_000)
            file.write(b'", "target": "x", "scores": {}}')


def onnx(path: Path) -> None:
    """Logits to which 4 GB of zeros are added up."""
    from onnx import TensorProto, helper, numpy_helper, save

    size = numpy_helper.from_array(np.array([1_000_000_000]), "size")
    weights = numpy_helper.from_array(np.ones((64, 10), np.float32), "W")
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["zero"], keepdims=0),
        helper.make_node("MatMul", ["x", "W"], ["product"]),
        helper.make_node("Add", ["product", "zero"], ["y"]),
    ]
    ends = [helper.make_tensor_value_info(*each) for each in (("x", TensorProto.FLOAT, ["n", 64]),
                                                              ("y", TensorProto.FLOAT, ["n", 10]))]  # fmt: skip
    graph = helper.make_graph(nodes, "bomb", ends[:1], ends[1:], [size, weights])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def skops(path: Path) -> None:
    """An archive whose schema unpacks to 2 GB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("schema.json", "w", force_zip64=True) as file,
    ):
        file.write(b'{"a": "')
        for _ in range(2000):
            file.write(b"x" * 1_000_000)
        file.write(b'"}')


_ROW = r"a row of .*\.parquet must take at most 67,108,864 bytes; found 400,000,008 declared: check what wrote the file"
_NO_NUMBERS = "must have keys whose values are numbers, texts or lists of numbers; found none in lines 1 to 1"
BOMBS = {
    "20,000 lists of 10,000": Bomb(lists(20_000, 10_000), "predictions", "a.parquet", "read 20,000 rows"),
    "100,000 inputs of 4,000": Bomb(
        lists(100_000, 4000), "table", "b.parquet", "read 100,000 rows of 4,000", {"inputs": "logits"}
    ),
    "450 lists of a million": Bomb(lists(450, 1_000_000), "predictions", "c.parquet", "read 450 rows"),
    "two lists of 50 million": Bomb(lists(2, 50_000_000), "predictions", "d.parquet", _ROW),
    "a text in 100,000 rows": Bomb(texts, "predictions", "e.parquet", "id must name each row once", {"id": "id"}),
    "pages of zeros": Bomb(
        constant, "predictions", "f.parquet", r"row group 0 of .*, column 'loss', must unpack to at most 100 times its"
    ),
    "10,000 columns": Bomb(columns(200, 10_000), "predictions", "g.parquet", "read 200 rows of 10,000"),
    "10,000 columns of a megabyte": Bomb(
        columns(60_000, 3000),
        "predictions",
        "h.parquet",
        r"pages of the 3,001 columns of .* must take at most data\.max_bytes=.*: write row groups of fewer rows",
    ),
    "a record batch": Bomb(
        arrow, "predictions", "a.arrow", r"a record batch of .*a\.arrow must unpack to at most data\.max_bytes=536,870"
    ),
    "a dictionary": Bomb(dictionary, "predictions", "b.arrow", r"a record batch of .*b\.arrow must unpack to at most"),
    "an npz file": Bomb(
        npz, "predictions", "a.npz", r"the arrays of .*a\.npz must take at most data\.max_bytes=536,870,912; found 600"
    ),
    "a packed CSV in parts": Bomb(
        csv_in_parts, "predictions", "a.csv.gz", r"a\.csv\.gz must unpack to at most 100 times its [\d,]+ bytes, or to"
    ),
    "a packed CSV in parts, in Python": Bomb(
        csv_in_parts, "scores", "s.csv.gz", r"s\.csv\.gz must unpack to at most 100 times its [\d,]+ bytes, or to"
    ),
    "a line of 24 MB, in Python": Bomb(
        json_of_one_line(b"0,", 24_000_000), "scores", "s.jsonl", r"line 1 of .*s\.jsonl must take at most 16,777"
    ),
    "a line of 24 MB": Bomb(
        json_of_one_line(b"0,", 24_000_000), "predictions", "a.jsonl", r"line 1 of .*a\.jsonl must take at most 16,777"
    ),
    "a line of 16 MB of lists": Bomb(json_of_one_line(b"[],", 16_000_000), "predictions", "b.jsonl", _NO_NUMBERS),
    "a line of 16 MB of objects": Bomb(json_of_one_line(b"{},", 16_000_000), "predictions", "c.jsonl", _NO_NUMBERS),
    "a log's line of a gigabyte": Bomb(
        lm_eval, "lm_eval", "samples_a.jsonl", r"line 1 of .* must take at most 16,777,216 bytes; found more"
    ),
    "a log of Inspect": Bomb(
        eval_log, "inspect", "a.eval", r"samples/1_epoch_1\.json in .*a\.eval must unpack to at most 100 times its"
    ),
    "an ONNX graph": Bomb(onnx, "onnx", "a.onnx", r"must be loaded, and give the outputs of 256 rows, within [\d,]+"),
    "a skops archive": Bomb(skops, "sklearn", "a.skops", r"must be loaded, and give the outputs of 256 rows, within"),
}  # fmt: skip
