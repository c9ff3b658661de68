"""Networks from safetensors files, against the network of the same weights."""

import struct
import sys

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.model.network import Network
from pipeline.model.safetensors import Safetensors
from pipeline.scoring.rows import score

numpy_format = pytest.importorskip("safetensors.numpy")

RNG = np.random.default_rng(3)
LAYERS = [
    (RNG.normal(0, 0.2, (m, n)).astype("f4"), RNG.normal(0, 0.2, n).astype("f4"))
    for m, n in ((64, 12), (12, 12), (12, 10))
]


@pytest.fixture(scope="module")
def digits():
    return data_family.MEMBERS["digits"]()


def saved(folder, arrays):
    path = folder / "w.safetensors"
    numpy_format.save_file({key: np.ascontiguousarray(array) for key, array in arrays.items()}, path)
    return path


def build(path, digits, **fields):
    return Safetensors(path=str(path), **fields).build(digits)


def own(layers=LAYERS):
    return {f"{kind}{i}": array for i, layer in enumerate(layers, 1) for kind, array in zip("Wb", layer, strict=True)}


def torchs(places=("0", "2", "10"), layers=LAYERS):
    return {f"{at}.weight": w.T for at, (w, _) in zip(places, layers, strict=True)} | {
        f"{at}.bias": b for at, (_, b) in zip(places, layers, strict=True)
    }


@pytest.mark.parametrize(
    "arrays",
    [own(), torchs(), torchs(("net.fc1", "net.fc2", "net.fc3")), torchs(("layers.1.9", "layers.2.1", "layers.10.0"))],
    ids=["W1", "numbers", "fc", "nested"],
)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_both_ways_to_name_them_give_the_network_of_these_weights(tmp_path, digits, arrays, activation):
    found, expected = build(saved(tmp_path, arrays), digits, activation=activation), Network(LAYERS, activation)
    assert found.digest == expected.digest
    dataset = digits.load()
    assert (score(found, dataset).loss == score(expected, dataset).loss).all()


def test_a_file_that_pytorch_wrote_gives_what_pytorch_computes(tmp_path, digits):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(64, 9), torch.nn.Tanh(), torch.nn.Linear(9, 10, bias=False))
    save_file(module.state_dict(), tmp_path / "w.safetensors")
    inputs = digits.load().inputs
    with torch.no_grad():
        expected = module(torch.from_numpy(inputs.astype("f4") / 16)).numpy()
    found = build(tmp_path / "w.safetensors", digits, activation="tanh").from_stored(1 / 16)(inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_half_and_double_precision_are_taken_in_single(tmp_path, digits):
    for kind in ("f2", "f8"):
        network = build(saved(tmp_path, {key: array.astype(kind) for key, array in torchs().items()}), digits)
        np.testing.assert_array_equal(network.layers[0][0], LAYERS[0][0].astype(kind).astype("f4"))


def test_a_single_layer_needs_no_number(tmp_path, digits):
    network = build(saved(tmp_path, {"weight": np.ones((10, 64), "f4"), "bias": np.zeros(10, "f4")}), digits)
    assert (network.n_inputs, network.n_classes) == (64, 10)


BAD = {
    "not ordered": (torchs(("hidden", "middle", "out")), "names that differ in their numbers alone"),
    "one differs": (torchs(("fc1", "fc2", "head3")), "names that differ in their numbers alone"),
    "batch norm": (torchs() | {"1.running_mean": np.ones(12, "f4")}, "linear layers alone; found 1.running_mean"),
    "norm": (torchs() | {"1.weight": np.ones(12, "f4")}, r"1.weight of .* must be a matrix .* found shape \(12,\)"),
    "bias alone": ({"0.bias": np.ones(3, "f4")}, r"0.weight of .* must be a matrix .* found none"),
    "no chain": (torchs(layers=[LAYERS[0], LAYERS[0], LAYERS[2]]), "W2 must take the 12 outputs of W1"),
    "integers": (torchs() | {"0.weight": np.ones((12, 64), "i4")}, "W1 of .* must be float32 or float64; found int32"),
    "nan": (torchs() | {"2.bias": np.full(12, np.nan, "f4")}, "found NaN or infinity in b2"),
    "other names": ({"kernel": np.ones((2, 2), "f4")}, "must hold W1, b1 to W1, b1; found kernel"),
    "nothing": ({}, "found nothing"),
}


@pytest.mark.parametrize(("arrays", "message"), BAD.values(), ids=list(BAD))
def test_tensors_that_make_no_network_are_refused_in_one_line_that_names_the_file(tmp_path, digits, arrays, message):
    path = saved(tmp_path, arrays)
    with pytest.raises(BadInput, match=message) as found:
        build(path, digits)
    assert str(path) in str(found.value)
    assert "\n" not in str(found.value)


def test_missing_and_damaged_files_are_refused(tmp_path, digits):
    with pytest.raises(BadInput, match=r"model\.path must name a safetensors file of weights; found no file"):
        build(tmp_path / "absent", digits)
    content = saved(tmp_path, torchs()).read_bytes()
    for part in (b"", b"none", content[:100], content[:-5], struct.pack("<Q", 1 << 40) + content[8:]):
        (tmp_path / "bad").write_bytes(part)
        with pytest.raises(BadInput, match=r"must be a whole safetensors file; found: [^\n]+$"):
            build(tmp_path / "bad", digits)


def test_a_type_that_numpy_has_not_is_refused(tmp_path, digits):
    header = b'{"W1":{"dtype":"BF16","shape":[1,2],"data_offsets":[0,4]}}'
    (tmp_path / "w").write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(BadInput, match="must hold tensors of float16, float32 or float64; found BF16"):
        build(tmp_path / "w", digits)


def test_no_path_and_an_unknown_activation_are_refused_before_the_work_starts():
    with pytest.raises(BadInput, match=r"found none: add model\.path=FILE"):
        Safetensors()
    with pytest.raises(BadInput, match=r"model\.activation must be one of .*; found 'gelu'"):
        Safetensors(path="w", activation="gelu")


def test_without_the_library_the_error_names_the_extra(tmp_path, digits, monkeypatch):
    path = saved(tmp_path, torchs())
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(BadInput, match=r"needs safetensors; found none: make setup-extras"):
        build(path, digits)
