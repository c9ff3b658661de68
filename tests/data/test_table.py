"""Rows of inputs in a table, for a model."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.formats.parquet import ParquetSource
from pipeline.data.streamed import Streamed
from pipeline.data.table import RowTable
from pipeline.errors import BadInput
from pipeline.model.npz import Npz
from pipeline.scoring.rows import score
from tests import written as tables


def columns(n=40, d=3, k=4, kind=np.float32):
    rng = np.random.default_rng(9)
    return {"x": (rng.normal(size=(n, d)) * 50 + 100).astype(kind), "label": np.arange(n) % k}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))


@pytest.fixture
def model(tmp_path):
    """A small network of three inputs and four classes."""
    rng = np.random.default_rng(4)
    np.savez(tmp_path / "model.npz", W1=rng.normal(size=(3, 4)), b1=rng.normal(size=4))
    return Npz(path=str(tmp_path / "model.npz"), activation="relu")


@pytest.mark.parametrize("memory", [1 << 28, 0])
@pytest.mark.parametrize("name", list(tables.FORMATS))
def test_inputs_in_any_format_are_the_arrays_as_float32(tmp_path, name, memory):
    written = columns()
    found = RowTable(path=tables.write(tmp_path, name, written), memory=memory).load()
    assert isinstance(found, Streamed) == (memory == 0)
    block = found.take(np.arange(40)[::-1])
    assert block.inputs.dtype == np.float32
    assert block.inputs.flags.c_contiguous
    assert block.labels.dtype == np.int64
    np.testing.assert_array_equal(block.inputs, written["x"][::-1])
    np.testing.assert_array_equal(block.labels, written["label"][::-1])
    assert (found.n_classes, found.width, found.scale) == (4, 3, 1.0)


@pytest.mark.parametrize("name", ["a.parquet", "wide.pq", "a.arrow", "a.npz", "arrays"])
def test_pixels_stay_8_bit_and_are_scaled_when_used(tmp_path, name):
    path = tables.write(tmp_path, name, columns(kind=np.uint8))
    for memory in (1 << 28, 0):
        found, plain = (RowTable(path=path, memory=memory, normalize=normalize).load() for normalize in (True, False))
        assert found.take(np.arange(3)).inputs.dtype == np.uint8
        assert found.scale == 1 / 255
        assert plain.scale == 1
        assert found.digest == plain.digest


def test_rows_on_disk_and_in_memory_have_the_same_scores_to_the_last_bit(tmp_path, model):
    path = tables.write(tmp_path, "a.parquet", columns(n=3000))
    datas = [RowTable(path=path, memory=memory) for memory in (1 << 28, 0)]
    kept, streamed = (score(model.build(data), data.load()) for data in datas)
    np.testing.assert_array_equal(kept.loss, streamed.loss)
    np.testing.assert_array_equal(kept.correct, streamed.correct)


def test_a_few_rows_touch_their_own_row_groups_alone(tmp_path, model, monkeypatch):
    path = tables.write(tmp_path, "a.parquet", columns())
    touched = []
    read = ParquetSource.read
    monkeypatch.setattr(
        ParquetSource, "read", lambda self, shard, names: touched.append(shard) or read(self, shard, names)
    )
    data = RowTable(path=path, memory=0, n_classes=4)
    rows = np.array([39, 0, 38, 1, 1])
    found = score(model.build(data), data.load(), rows)
    # Row groups of seven rows.
    assert sorted(touched) == [0, 5]
    whole = score(model.build(data), RowTable(path=path, n_classes=4).load())
    np.testing.assert_array_equal(found.loss, whole.loss[rows])


def test_a_damaged_row_group_that_is_not_touched_does_no_harm(tmp_path, model):
    path = tmp_path / "a.parquet"
    table = tables.arrow(columns(n=400))
    pq.write_table(table, path, row_group_size=100, compression=None, use_dictionary=False, write_page_checksum=True)
    content = bytearray(path.read_bytes())
    first = pq.ParquetFile(path).metadata.row_group(3).column(0).data_page_offset
    content[first + 200] ^= 1
    path.write_bytes(content)
    data = RowTable(path=str(path), memory=0, n_classes=4)
    streamed = data.load()
    assert len(score(model.build(data), streamed, np.arange(300))) == 300
    with pytest.raises(BadInput, match=r"a\.parquet must be a whole Parquet file; found in row group 3"):
        score(model.build(data), streamed, np.array([300]))


def test_the_number_of_classes_is_seen_once(tmp_path, monkeypatch):
    path = tables.write(tmp_path, "a.parquet", columns())
    assert RowTable(path=path).load().n_classes == 4
    asked = []
    read = ParquetSource.read
    monkeypatch.setattr(
        ParquetSource, "read", lambda self, shard, names: asked.append(names) or read(self, shard, names)
    )
    assert RowTable(path=path, memory=0).load().n_classes == 4
    assert asked == []
    assert RowTable(path=path, memory=0, n_classes=9).load().n_classes == 9


def test_named_columns_are_taken_in_the_order_asked_for(tmp_path):
    table = pa.table({"age": [1, 2], "tall": [True, False], "weight": [0.5, 1.5], "label": [0, 1]})
    pq.write_table(table, tmp_path / "t.parquet")
    found = RowTable(path=str(tmp_path / "t.parquet"), inputs="weight,age,tall").load()
    np.testing.assert_array_equal(found.inputs, [[0.5, 1, 1], [1.5, 2, 0]])


def test_groups_and_weights_are_columns(tmp_path):
    path = tables.write(tmp_path, "a.parquet", {**columns(), "writer": np.arange(40) // 4, "w": np.arange(1.0, 41)})
    for memory in (1 << 28, 0):
        found = RowTable(path=path, group="writer", weight="w", memory=memory).load()
        np.testing.assert_array_equal(found.groups, np.arange(40) // 4)
        np.testing.assert_array_equal(found.weights, np.arange(1.0, 41))


def changed(name, place, value, **more):
    written = columns(**more)
    written[name] = written[name].copy()
    written[name][place] = value
    return written


WRONG = {
    "NaN": (
        changed("x", (8, 1), np.nan),
        {},
        r"x(_1)? must hold finite numbers \(in float32\); found nan in (row 8|line 10) of",
    ),
    "beyond float32": (
        changed("x", (8, 1), 1e300, kind=np.float64),
        {},
        r"x(_1)? must hold finite numbers \(in float32\); found 1e\+300 in (row 8|line 10) of",
    ),
    "a label below 0": (
        changed("label", 8, -2),
        {},
        r"label must hold whole class numbers from 0 up; found -2 in (row 8|line 10) of",
    ),
    "a label too large": (
        changed("label", 8, 4),
        {"n_classes": 4},
        r"label must hold classes 0 … 3 \(there are 4\); found 4 in (row 8|line 10) of",
    ),
    "an identifier as label": (
        changed("label", 8, 10**6),
        {},
        r"label must hold class numbers below 1,000,000; found 1000000 in",
    ),
    "one class": (
        columns(k=1),
        {},
        r"label of .* must have at least 2 classes; found 0 alone: set data\.n_classes",
    ),
    "no such inputs": (
        columns(),
        {"inputs": "y"},
        r"data\.inputs must name columns of .*; found no y among the columns",
    ),
    "no such label": (columns(), {"label": "y"}, r"data\.label=y must be a column of"),
}


@pytest.mark.parametrize("memory", [1 << 28, 0])
@pytest.mark.parametrize("name", ["a.parquet", "wide.pq", "a.csv"])
@pytest.mark.parametrize(("written", "named", "says"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_value_is_named_with_file_and_row_when_it_is_read(tmp_path, name, written, named, says, memory):
    path = tables.write(tmp_path, name, written)
    with pytest.raises(BadInput, match=says):
        RowTable(path=path, memory=memory, **named).load().take(np.arange(40))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"path": None}, r"data\.path must name a file or a folder of rows; found none"),
        ({"n_classes": 1}, r"data\.n_classes must be 2 to 1,000,000, or null to see it from the labels; found 1"),
        ({"one_hot": True}, r"data\.one_hot must be false for data=table"),
        ({"memory": -1}, r"data\.memory must be at least 0 bytes; found -1"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(changes, says):
    with pytest.raises(BadInput, match=says):
        RowTable(**{"path": "rows.parquet", **changes})
