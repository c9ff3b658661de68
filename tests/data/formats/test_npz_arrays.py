"""The npz reader: nothing unpickled, nothing allocated that is not there, never another exception than BadInput."""

import io
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.data.formats.npz_arrays import read_arrays
from pipeline.data.formats.open_table import open_table
from pipeline.errors import BadInput

X = np.arange(40, dtype=np.float32).reshape(10, 4)
T = np.arange(10) % 3
LIMIT = 1 << 20


def saved(save=np.savez, **arrays):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def npy(array, **keywords):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **keywords)
    return file.getvalue()


def zipped(members, **keywords):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **keywords) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def read(tmp_path):
    """A function from a file's bytes to its arrays."""

    def run(content, *, max_bytes=LIMIT):
        path = tmp_path / "data.npz"
        path.write_bytes(content)
        return read_arrays(path, ("x", "t"), max_bytes=max_bytes)

    return run


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("x", [X, np.asfortranarray(X), X.astype(">f8"), X.astype(np.uint8), X.reshape(2, 5, 4) > 3])
def test_arrays_are_read_as_they_were_saved(read, save, x):
    found = read(saved(save, x=x, t=T, more=np.zeros(3)))
    assert set(found) == {"x", "t"}
    assert found["x"].dtype == x.dtype
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["t"], T)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(read, version):
    found = read(zipped({"x.npy": npy(X, version=version), "t.npy": npy(T)}))
    np.testing.assert_array_equal(found["x"], X)


def test_a_header_of_python_2_is_read_without_a_warning(read):
    header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (2L,), }".ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<2q", 1, 0)
    assert read(zipped({"x.npy": npy(X), "t.npy": content}))["t"].tolist() == [1, 0]


class Tripwire:
    """Unpickling it would end the tests."""

    def __reduce__(self):
        return (pytest.exit, ("a pickle was loaded",))


def test_pickled_objects_are_never_loaded(read):
    objects = np.array([Tripwire()], dtype=object)
    with pytest.raises(BadInput, match=r"x of .* must hold numbers; found pickled objects, which are never loaded"):
        read(saved(x=objects, t=T))
    with pytest.raises(BadInput, match=r"t of .* must be an array as NumPy saves it"):
        read(zipped({"x.npy": npy(X), "t.npy": pickle.dumps(Tripwire())}))


@pytest.mark.parametrize("x", [X * 1j, np.array(["a"]), np.zeros(2, "M8[s]"), np.zeros(2, [("a", "f4")])])
def test_other_than_real_numbers_is_refused(read, x):
    with pytest.raises(BadInput, match=r"x of .* must hold real numbers; found"):
        read(saved(x=x, t=T))


def test_a_missing_array_is_named_with_what_is_there(read):
    with pytest.raises(BadInput, match=r"must hold the arrays x and t; found x, y: save it with t="):
        read(saved(x=X, y=T))
    with pytest.raises(BadInput, match=r"must hold the arrays x and t; found nothing"):
        read(zipped({}))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"found no file .*nowhere.npz"):
        read_arrays(tmp_path / "nowhere.npz", ("x",), max_bytes=LIMIT)
    with pytest.raises(BadInput, match=r"found no file"):
        read_arrays(tmp_path, ("x",), max_bytes=LIMIT)


@pytest.mark.parametrize("content", [b"", b"not a zip", npy(X), saved(x=X, t=T)[:-30]])
def test_what_is_no_npz_is_refused(read, content):
    with pytest.raises(BadInput, match=r"must be a whole npz file; found: File is not a zip file: save it again"):
        read(content)


def test_a_flipped_bit_is_found(read):
    content = bytearray(saved(x=X, t=T))
    content[content.index(X.tobytes()) + 50] ^= 4
    with pytest.raises(BadInput, match=r"must be a whole npz file; found: Bad CRC-32 for file 'x.npy'"):
        read(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_numpy_does_not_write_is_refused(read, method):
    with pytest.raises(BadInput, match=r"x of .* must be stored or deflated"):
        read(zipped({"x.npy": npy(X), "t.npy": npy(T)}, compression=method))


def test_a_small_file_that_unpacks_to_much_is_refused_before_it_is_unpacked(read, peak_of):
    bomb = saved(np.savez_compressed, x=np.zeros((200, 1 << 20), np.uint8), t=T)
    assert len(bomb) < 300_000

    def refused():
        with pytest.raises(
            BadInput, match=r"must unpack to at most data.max_bytes=1,048,576; found 209,71\d,\d+ bytes"
        ):
            read(bomb)

    assert peak_of(refused) < 2_000_000


@pytest.mark.parametrize("shape", ["(1000000000000, 4)", "(9, 4)", "(10,)", "(-10, 4)", "(-10, -4)", "()", "(0, 4)"])
def test_a_shape_that_does_not_match_the_bytes_is_refused_before_room_is_made(read, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + X.tobytes()
    is_none = "-" in shape or "1000000000000" in shape
    found = r"a shape; found \(-?10" if is_none else ".* bytes, as its shape .* declares; found 288"
    with pytest.raises(BadInput, match=rf"x of .* must have {found}"):
        read(zipped({"x.npy": content, "t.npy": npy(T)}))


@pytest.mark.parametrize(
    "header",
    [b"[" * 5000, b"{'descr': 1}", b"{", b"\xff" * 40, b"", b"{'descr': '<f4', 'fortran_order': 0, 'shape': 3}"],
)
def test_a_header_of_nonsense_is_refused(read, header):
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header
    with pytest.raises(BadInput, match=r"x of .* must be an array as NumPy saves it; found") as caught:
        read(zipped({"x.npy": content, "t.npy": npy(T)}))
    assert "\n" not in str(caught.value)


def test_a_header_that_declares_gigabytes_is_refused(read):
    content = b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b" " * 100
    with pytest.raises(BadInput, match=r"x of .* must be an array as NumPy saves it"):
        read(zipped({"x.npy": content, "t.npy": npy(T)}))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([np.savez, np.savez_compressed]), st.data())
def test_mutated_bytes_are_read_right_or_refused(read, save, data):
    content = bytearray(saved(save, x=X, t=T))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        start = data.draw(st.integers(0, len(content)))
        del content[start : start + data.draw(st.integers(0, 40))]
    try:
        found = read(content)
    except BadInput as error:
        said = str(error)
        found = {"x": X, "t": T}
    else:
        said = ""
    assert "\n" not in said
    np.testing.assert_array_equal(found["x"], X)
    np.testing.assert_array_equal(found["t"], T)


def test_a_name_that_stands_twice_is_refused(tmp_path):
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for values in (np.zeros(3), np.ones(3)):
            content = io.BytesIO()
            np.save(content, values)
            archive.writestr("x.npy", content.getvalue())
    for read_it in (lambda path: read_arrays(path, ("x",), max_bytes=1 << 20), lambda path: open_table(str(path))):
        with pytest.raises(BadInput, match=r"a\.npz must name each array once; found 'x\.npy' 2 times: save it again"):
            read_it(tmp_path / "a.npz")
