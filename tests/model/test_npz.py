import io
import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.digits import Digits
from pipeline.errors import BadInput
from pipeline.model.network import Network
from pipeline.model.npz import Npz

W1, B1 = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), np.array([0.1, 0.2, 0.3], np.float32)
W2, B2 = np.linspace(1, -1, 6, dtype=np.float32).reshape(3, 2), np.array([0.5, -0.5], np.float32)
GOOD = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}


def build(path, activation="sigmoid"):
    return Npz(path=str(path), activation=activation).build(None)


def saved(tmp_path, arrays, save=np.savez):
    save(tmp_path / "weights.npz", **arrays)
    return tmp_path / "weights.npz"


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_saved_network_comes_back(tmp_path, save):
    network = build(saved(tmp_path, GOOD, save), "relu")
    assert network.digest == Network([(W1, B1), (W2, B2)], "relu").digest
    assert (network.n_inputs, network.n_classes) == (4, 2)


def test_a_file_that_is_replaced_within_a_process_is_read_again(tmp_path):
    model = Npz(path=str(saved(tmp_path, GOOD)), activation="relu")
    data = Digits()
    first = model.built(data)
    assert model.built(data) is first
    saved(tmp_path, GOOD | {"b2": B2 + 1}, np.savez_compressed)
    assert model.built(data).digest != first.digest


@pytest.mark.parametrize("depth", [1, 2, 11])
def test_any_depth_is_put_in_order_of_its_numbers_and_other_arrays_are_left_alone(tmp_path, depth):
    arrays = {}
    for i in reversed(range(1, depth + 1)):
        arrays |= {f"W{i}": np.full((i, i + 1), i, np.float32), f"b{i}": np.full(i + 1, -i, np.float32)}
    network = build(saved(tmp_path, arrays | {"note": np.array(5)}))
    assert [weights[0, 0] for weights, _ in network.layers] == list(range(1, depth + 1))


def test_float64_weights_and_biases_of_one_row_are_taken_in_float32(tmp_path):
    network = build(saved(tmp_path, {"W1": W1.astype(np.float64), "b1": B1[None].astype(np.float64)}))
    assert network.layers[0][0].dtype == network.layers[0][1].dtype == np.float32
    assert network.layers[0][1].shape == (3,)


class _Harmful:
    def __reduce__(self):
        return pytest.fail, ("a pickled object was loaded",)


BAD_ARRAYS = {
    "gap": ({"W1": W1, "b1": B1, "W3": W2, "b3": B2}, "must hold W1, b1 to W3, b3; found .* without W2, b2"),
    "no bias": ({"W1": W1, "b1": B1, "W2": W2}, "without b2"),
    "other names": ({"weights": W1}, "must hold W1, b1 to W1, b1; found weights"),
    "numbered from 0": ({"W0": W1, "b0": B1}, "must hold W1, b1 to W1, b1; found W0, b0"),
    "nothing": ({}, "found nothing"),
    "no chain": ({"W1": W1, "b1": B1, "W2": W1, "b2": B1}, "W2 must take the 3 outputs of W1"),
    "nan": (GOOD | {"W2": np.full_like(W2, np.nan)}, "found NaN or infinity in W2"),
    "infinite": (GOOD | {"b1": np.full_like(B1, -np.inf)}, "found NaN or infinity in b1"),
    "beyond float32": (GOOD | {"W1": W1 * np.float64(1e300)}, "found NaN or infinity in W1"),
    "integers": (GOOD | {"W1": W1.astype(np.int32)}, "W1 of .* must be float32 or float64; found int32"),
    "complex": (GOOD | {"W1": W1.astype(np.complex64)}, "found complex64"),
    "strings": (GOOD | {"W1": W1.astype(str)}, "found <U"),
    "pickle": (GOOD | {"W1": np.array([_Harmful()], dtype=object)}, "found pickled objects, which are never loaded"),
    "pickle beside": (GOOD | {"x": np.array([_Harmful()], dtype=object)}, "found pickled objects, which are never"),
}


@pytest.mark.parametrize(("arrays", "message"), BAD_ARRAYS.values(), ids=list(BAD_ARRAYS))
def test_arrays_that_make_no_network_are_refused_in_one_line_that_names_the_file(tmp_path, arrays, message):
    path = saved(tmp_path, arrays)
    with pytest.raises(BadInput, match=message) as found:
        build(path)
    assert str(path) in str(found.value)
    assert "\n" not in str(found.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "absent.npz", tmp_path):
        with pytest.raises(BadInput, match=r"model\.path must name an npz file of weights; found no file"):
            build(path)


def test_no_path_and_an_unknown_activation_are_refused_before_the_work_starts():
    with pytest.raises(BadInput, match=r"found none: add model\.path=FILE"):
        Npz()
    with pytest.raises(BadInput, match=r"model\.activation must be one of .*; found 'gelu'"):
        Npz(path="weights.npz", activation="gelu")


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "weights.npz"
    for content in (b"", b"no zip", pickle.dumps([_Harmful()]), W1.tobytes()):
        path.write_bytes(content)
        with pytest.raises(BadInput, match="must be a whole npz file"):
            build(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = saved(tmp_path, GOOD)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(BadInput, match="must be a whole npz file"):
        build(path)


def declaring(tmp_path, shape, *, file_size=None):
    """A file of a few hundred bytes whose W1 declares `shape`, and whose zip directory declares `file_size`."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    path = tmp_path / "weights.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("W1.npy", header.getvalue())
    if file_size is not None:
        content = bytearray(path.read_bytes())
        struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, file_size)
        path.write_bytes(content)
    return path


def test_a_small_file_that_declares_gigabytes_is_refused_before_room_is_made(tmp_path):
    with pytest.raises(BadInput, match=r"must unpack to at most 1,073,741,824 bytes; found 4,000,000,000 declared"):
        build(declaring(tmp_path, (1000, 10**6), file_size=4 * 10**9))
    with pytest.raises(BadInput, match=r"must have 4,000,000,\d+ bytes, as its shape .* declares; found \d+"):
        build(declaring(tmp_path, (1000, 10**6)))


PACKED = {save: io.BytesIO() for save in (np.savez, np.savez_compressed)}
for save, stream in PACKED.items():
    save(stream, **GOOD)


@given(
    content=st.sampled_from([stream.getvalue() for stream in PACKED.values()]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=200)
def test_mutated_bytes_are_refused_or_make_a_sound_network(tmp_path_factory, content, places):
    mutated = bytearray(content)
    for share, byte in places:
        mutated[int(share * len(mutated))] = byte
    path = tmp_path_factory.getbasetemp() / "mutated.npz"
    path.write_bytes(mutated)
    try:
        network = build(path)
    except BadInput:
        with pytest.raises(BadInput, match=r"^[^\n]+$"):
            build(path)
    else:
        assert network.logits(np.ones((1, network.n_inputs), np.float32)).shape == (1, network.n_classes)
