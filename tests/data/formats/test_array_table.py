"""Arrays: npz files, and folders of npy files."""

import io

import numpy as np
import pytest

from pipeline.data.formats import array_table as module
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput
from tests import written as tables


@pytest.fixture(params=["a.npz", "arrays"])
def written(tmp_path, request):
    """A function from arrays to the table made of them."""
    return lambda **columns: open_table(tables.write(tmp_path, request.param, columns))


def test_shards_are_runs_of_rows(written, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_ROWS", 10)
    source = written(x=np.arange(50).reshape(25, 2), y=np.arange(25))
    assert source.bounds.tolist() == [0, 10, 20, 25]
    (block,) = source.read(2, ["y", "x"])
    assert block["y"].tolist() == [20, 21, 22, 23, 24]
    np.testing.assert_array_equal(block["x"], np.arange(40, 50).reshape(5, 2))


def test_further_axes_are_laid_out_in_a_row_and_one_column_is_one_value(written):
    rng = np.random.default_rng(2)
    deep = rng.normal(size=(4, 3, 2))
    source = written(deep=deep, one=np.arange(4).reshape(4, 1), scalar=np.float64(3))
    np.testing.assert_array_equal(source.column("deep"), deep.reshape(4, 6))
    np.testing.assert_array_equal(source.column("one"), np.arange(4))
    assert list(source.columns) == ["deep", "one"]


@pytest.mark.parametrize("turned", [np.asfortranarray, lambda x: x.astype(">f4"), lambda x: x.astype(np.float16)])
def test_any_order_of_bytes_and_axes_is_read(written, turned):
    x = np.arange(12.0).reshape(4, 3)
    found = written(x=turned(x)).column("x")
    np.testing.assert_array_equal(found, x)
    assert found.dtype.isnative


def test_an_array_of_another_length_is_refused_where_it_is_asked_for(written):
    source = written(logits=np.zeros((4, 2)), label=np.zeros(3, int), other=np.zeros(4))
    assert source.column("other").tolist() == [0] * 4
    with pytest.raises(BadInput, match=r"label of .* must have as many rows as (logits|other); found 3 instead of 4"):
        source.column("label")


def test_objects_are_never_loaded(tmp_path):
    folder = tmp_path / "arrays"
    folder.mkdir()
    np.save(folder / "x.npy", np.array([None, 1], dtype=object), allow_pickle=True)
    np.save(folder / "y.npy", np.arange(2))
    np.savez(tmp_path / "a.npz", x=np.array([None, 1], dtype=object), y=np.arange(2))
    for path in (folder, tmp_path / "a.npz"):
        source = open_table(str(path))
        assert source.columns["x"].kind == "O"
        assert source.columns["x"].type_name.startswith("pickled objects, which are never loaded")
        assert source.column("y").tolist() == [0, 1]


def test_a_folder_is_mapped_and_not_loaded(tmp_path, peak_of):
    path = tables.write(tmp_path, "arrays", {"x": np.ones((1 << 19, 8), np.float32), "y": np.zeros(1 << 19, np.int8)})

    def read_all():
        source = open_table(path)
        assert sum(block["x"].sum() for s in range(4) for block in source.read(s, ["x", "y"])) == 1 << 22

    assert peak_of(read_all) < 1 << 20


def test_a_single_npy_file_has_no_labels(tmp_path):
    np.save(tmp_path / "logits.npy", np.zeros((3, 2)))
    with pytest.raises(
        BadInput, match=r"logits\.npy must come with labels; found one array alone: put it into a folder"
    ):
        open_table(str(tmp_path / "logits.npy"))


def test_arrays_that_would_not_fit_are_refused_before_they_are_unpacked(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros(100), y=np.zeros(100))
    source = open_table(str(tmp_path / "a.npz"), most_bytes=1000)
    source.column("x")
    with pytest.raises(BadInput, match=r"the arrays of .*a\.npz must take at most data\.max_bytes=1,000; found 1600"):
        source.column("y")


def test_an_npy_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': 1}    ")
    with pytest.raises(BadInput, match=r"x\.npy must be an array as NumPy saves it; found: .*: save it again"):
        open_table(str(tmp_path))


def test_an_array_of_no_bytes_that_declares_a_huge_length_is_refused_at_once():
    made = io.BytesIO()
    np.lib.format.write_array_header_1_0(made, {"descr": "|S0", "fortran_order": False, "shape": (10**15,)})
    made.seek(0)
    with pytest.raises(BadInput, match=r"^x must have a shape; found \(1000000000000000,\): save it again"):
        module.header_of(made, "x")
