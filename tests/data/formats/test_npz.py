import zipfile

import numpy as np
import pytest

from pipeline.data.formats import npz
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput


@pytest.fixture
def written(tmp_path):
    """A function from arrays to the path of their npz file."""

    def write(**arrays):
        np.savez_compressed(tmp_path / "a.npz", **arrays)
        return str(tmp_path / "a.npz")

    return write


def test_an_array_is_unpacked_when_it_is_asked_for_and_once(written, monkeypatch):
    read, asked = npz.read_arrays, []
    monkeypatch.setattr(
        npz, "read_arrays", lambda path, keys, **limits: asked.append(keys) or read(path, keys, **limits)
    )
    source = open_table(written(x=np.arange(8).reshape(4, 2), y=np.arange(4)))
    assert asked == []
    for _ in range(2):
        assert source.column("y").tolist() == [0, 1, 2, 3]
    assert asked == [("y",)]


def test_arrays_together_may_not_take_more_than_the_limit(written):
    source = open_table(written(x=np.zeros((10, 10)), y=np.zeros(10)), most_bytes=850)
    source.column("x")
    with pytest.raises(
        BadInput, match=r"the arrays of .*a\.npz must take at most data\.max_bytes=850; found 880: raise it"
    ):
        source.column("y")


def test_objects_are_columns_that_are_never_loaded(written):
    source = open_table(written(x=np.arange(2), bad=np.array([{}, None], dtype=object)))
    assert source.columns["bad"].kind == "O"
    assert source.columns["bad"].type_name.startswith("pickled objects, which are never loaded")
    with pytest.raises(BadInput, match=r"bad of .* must hold numbers; found pickled objects, which are never loaded"):
        source.column("bad")


def test_a_file_that_is_cut_off_or_no_zip_is_refused(written, tmp_path):
    path = written(x=np.arange(1000))
    content = (tmp_path / "a.npz").read_bytes()
    for wrong in (content[:-30], b"", b"PK" + bytes(100)):
        (tmp_path / "a.npz").write_bytes(wrong)
        with pytest.raises(
            BadInput, match=r"a\.npz must be a whole npz file; found: .*: save it again with numpy\.savez"
        ):
            open_table(path)


def test_a_directory_of_many_arrays_is_refused_before_they_are_opened(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "MOST_ARRAYS", 3)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for i in range(4):
            archive.writestr(f"{i}.npy", b"no array")
    with pytest.raises(BadInput, match=r"a\.npz must hold at most 3 arrays; found 4: leave some out"):
        open_table(str(tmp_path / "a.npz"))


@pytest.mark.parametrize("kind", ["U", "S"])
def test_text_and_bytes_are_texts(written, kind):
    source = open_table(
        written(label=np.array(["é", "b", "c"]) if kind == "U" else np.array(["é".encode(), b"b", b"c"]))
    )
    assert source.columns["label"].kind == "U"
    assert source.column("label").tolist() == ["é", "b", "c"]


def test_bytes_that_are_no_text_are_refused(written):
    source = open_table(written(label=np.array([b"\xff\xfe", b"b"])))
    with pytest.raises(BadInput, match=r"label of .*a\.npz must be text in UTF-8; found"):
        source.column("label")
