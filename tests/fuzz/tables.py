"""Readers of tables on disk: predictions in every format, and inputs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from pipeline.data.predictions import Predictions
from pipeline.data.table import RowTable
from tests import written as tables
from tests.fuzz.readers import Files, Reader
from tests.fuzz.structures import npz_files


def all_readers() -> dict[str, Callable[[], Reader]]:
    """The readers, by name."""
    return {
        "predictions in parquet": lambda: _predictions("a.parquet", "wide.pq"),
        "predictions in arrow": lambda: _predictions("a.arrow", "a.feather"),
        "predictions in arrow streams": lambda: _predictions("stream.arrow"),
        "predictions in csv": lambda: _predictions("a.csv", "a.csv.gz", structured=_delimited()),
        "predictions in json": lambda: _predictions("a.jsonl", "a.ndjson.gz", structured=_json_lines()),
        "predictions in npz": lambda: _predictions("a.npz", structured=_archives()),
        "inputs in npy": inputs,
    }


def _content() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(6)
    scores = {"loss": rng.exponential(size=40), "correct": rng.random(40) < 0.5}
    chances = {"probability": rng.random(40), "label": rng.integers(0, 2, 40)}
    return [tables.predictions(rng), scores, chances]


def _written(name: str, columns: dict[str, np.ndarray]) -> Files:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(tables.write(Path(folder), name, columns))
        return {file.name: file.read_bytes() for file in ([path] if path.is_file() else sorted(path.iterdir()))}


def _predictions(*names: str, structured: st.SearchStrategy[Files] | None = None) -> Reader:
    def check(folder: Path) -> None:
        (path,) = folder.iterdir()
        sound(lambda memory: Predictions(path=str(path), memory=memory))

    real = [_written(name, columns) for name in names for columns in _content()]
    return Reader(real, check, st.nothing() if structured is None else structured)


def inputs() -> Reader:
    """A folder of npy files, as a model's inputs."""
    rng = np.random.default_rng(7)
    kinds = [np.uint8, np.float32, np.float64, ">i2"]
    real = [
        _written("arrays", {"x": rng.integers(0, 9, (30, 4)).astype(kind), "label": rng.integers(0, 3, 30)})
        for kind in kinds
    ]

    def check(folder: Path) -> None:
        sound(lambda memory: RowTable(path=str(folder), memory=memory))

    return Reader(real, check)


def sound(data: Callable[[int], Predictions | RowTable]) -> None:
    """Assert what the record of rows promises, and that rows in memory and rows on disk are the same."""
    found = data(1 << 24).load()
    n = len(found)
    assert n >= 1
    # A table that declares more than fits is refused when it is read.
    blocks = [block for shard in range(len(found.bounds) - 1) for block in found.read(shard)]
    values = np.concatenate([block.inputs for block in blocks])
    assert values.shape == (n, found.width)
    assert values.dtype in (np.uint8, np.float32, np.float64, np.longdouble)
    assert not np.isnan(values).any()
    assert len(bytes.fromhex(found.digest)) == 32
    if found.n_classes:
        assert found.labels.shape == (n,)
        assert 0 <= found.labels.min() <= found.labels.max() < found.n_classes
    streamed = data(0).load()
    assert streamed.digest == found.digest
    rows = np.arange(n)[:: -max(1, n // 50)]
    np.testing.assert_array_equal(streamed.take(rows).inputs, values[rows])
    assert streamed.where(n - 1).isprintable()


_VALUES = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "-1",
        "0.5",
        "1e400",
        "nan",
        "-inf",
        "",
        "x",
        '"',
        '"a,b"',
        "é",
        "\0",
        "9" * 30,
        "0x1",
        " 1",
        "true",
    ]
)


@st.composite
def _delimited(draw: st.DrawFn) -> Files:
    """Rows that are short, long, quoted, empty, of all kinds of values."""
    names = draw(st.sampled_from(["logit_0,logit_1,label", "probability,label", "loss,correct", "loss", "a,a", ""]))
    rows = draw(st.lists(st.lists(_VALUES, min_size=1, max_size=4), max_size=5))
    end = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"]))
    text = end.join([names, *(",".join(row) for row in rows)]) + draw(st.sampled_from(["", end, end * 3]))
    return {draw(st.sampled_from(["a.csv", "a.csv", "a.tsv"])): text.encode("utf-8")}


_JSON = st.sampled_from(
    ["0", "1", "-1", "0.5", "1e400", "NaN", "-Infinity", "null", "true", '"x"', "[0, 1]", "[0.5, 0.5]", "[1]", "[]",
     "[null, 1]", "[[1], [2]]", '{"a": 1}', "9" * 30, "9" * 400, "[", '"\\ud800"', '["a", "b"]']
)  # fmt: skip


@st.composite
def _json_lines(draw: st.DrawFn) -> Files:
    """Objects with the keys that are looked for, or without, and values of every kind."""
    keys = st.sampled_from(["logits", "probabilities", "label", "loss", "correct", "\\u001b[2J", "label"])
    pairs = st.tuples(keys, _JSON)
    # A key that stands twice is always refused, so that most lines have none.
    once = st.lists(pairs, max_size=3, unique_by=lambda pair: pair[0])
    any_row = st.one_of(once, once, once, st.lists(pairs, max_size=3))
    good = st.just([("loss", "0.5"), ("correct", "true")])
    rows = draw(st.one_of(st.lists(any_row, min_size=1, max_size=4), st.lists(good, min_size=1, max_size=4)))
    start = draw(st.sampled_from(["", '{"logits": [0, 1], "label": 1}\n', '{"loss": 0.5}\n']))
    lines = ("{" + ", ".join(f'"{key}": {value}' for key, value in row) + "}" for row in rows)
    return {"a.jsonl": (start + "\n".join(lines)).encode()}


def _archives() -> st.SearchStrategy[Files]:
    wanted = {"logits": [(4, 3), (4, 3), (4,), (5, 2)], "label": [(4,), (4,), (4, 1), (5,)]}
    return npz_files(wanted).map(lambda content: {"a.npz": content})
