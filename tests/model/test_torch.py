"""PyTorch's programs and TorchScript, against the same weights in NumPy."""

import io
import json
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model.base import fits
from pipeline.model.torch import Torch
from pipeline.scoring.rows import score

torch = pytest.importorskip("torch")

# PyTorch's own: torch.jit is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")


@pytest.fixture(scope="module")
def digits():
    return data_family.MEMBERS["digits"]()


def module_of(*behind, before=()):
    torch.manual_seed(0)
    layers = [torch.nn.Linear(64, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10)]
    return torch.nn.Sequential(*before, *layers, *behind).eval()


def logits_of(module, inputs):
    (w1, b1), (w2, b2) = [
        (layer.weight.detach().numpy().astype("f8"), layer.bias.detach().numpy())
        for layer in module
        if isinstance(layer, torch.nn.Linear)
    ]
    return np.maximum(inputs @ w1.T + b1, 0) @ w2.T + b2


def exported(path, module, *, row=(64,), is_open=True):
    shapes = ({0: torch.export.Dim("n")},) if is_open else None
    torch.export.save(torch.export.export(module, (torch.zeros(4, *row),), dynamic_shapes=shapes), path)
    return path


def scripted(path, module):
    torch.jit.save(torch.jit.script(module), path)
    return path


def build(path, digits, **fields):
    return Torch(path=str(path), **fields).build(digits)


@pytest.mark.parametrize("save", [exported, scripted])
def test_its_logits_and_figures_are_those_of_the_same_network_in_numpy(tmp_path, digits, save):
    module, dataset = module_of(), digits.load()
    classifier = build(save(tmp_path / "m.pt2", module), digits)
    fits(classifier, dataset)
    expected = logits_of(module, dataset.inputs / 16)
    assert (classifier.gives, classifier.n_inputs, classifier.n_classes) == ("logits", 64, 10)
    np.testing.assert_allclose(classifier.from_stored(1 / 16)(dataset.inputs), expected, rtol=1e-4, atol=1e-5)
    scores = score(classifier, dataset)
    np.testing.assert_allclose(scores.loss, cross_entropy(expected, dataset.labels), rtol=1e-4, atol=1e-5)
    assert (scores.correct == (expected.argmax(axis=1) == dataset.labels)).all()


def test_rows_are_reshaped_to_what_a_program_takes_and_one_row_is_enough(tmp_path, digits):
    module = module_of(before=[torch.nn.Flatten()])
    classifier = build(exported(tmp_path / "m.pt2", module, row=(1, 8, 8)), digits)
    row = digits.load().inputs[:1]
    np.testing.assert_allclose(classifier.from_stored(1 / 16)(row), logits_of(module, row / 16), rtol=1e-4, atol=1e-5)


def test_inputs_that_must_not_be_written_to_are_taken_without_a_warning(tmp_path, digits):
    inputs = np.ones((3, 64), np.float32)
    inputs.setflags(write=False)
    assert build(exported(tmp_path / "m.pt2", module_of()), digits).logits(inputs).shape == (3, 10)


def test_probabilities_are_known_by_their_sums(tmp_path, digits):
    module, dataset = module_of(torch.nn.Softmax(dim=1)), digits.load()
    classifier = build(exported(tmp_path / "m.pt2", module), digits)
    assert classifier.gives == "probabilities"
    expected = cross_entropy(logits_of(module, dataset.inputs / 16), dataset.labels)
    np.testing.assert_allclose(score(classifier, dataset).loss, expected, rtol=1e-4, atol=1e-5)


class Argmax(torch.nn.Module):
    def forward(self, x):
        return x.argmax(dim=1)


def test_a_label_only_model_has_accuracy_and_no_loss(tmp_path, digits):
    module, dataset = module_of(Argmax()), digits.load()
    scores = score(build(exported(tmp_path / "m.pt2", module), digits), dataset)
    assert "loss" not in scores.columns
    assert (scores.correct == (logits_of(module, dataset.inputs / 16).argmax(axis=1) == dataset.labels)).all()


def test_many_threads_get_the_figures_of_one(tmp_path, digits, monkeypatch):
    from pipeline.runtime import cores

    module, dataset = module_of(), data_family.MEMBERS["digits"]().load()
    classifier = build(exported(tmp_path / "m.pt2", module), digits)
    rows = np.tile(np.arange(len(dataset)), 12)
    many = score(classifier, dataset, rows).loss
    monkeypatch.setattr(cores, "count", lambda: 1)
    assert (score(classifier, dataset, rows).loss == many).all()


def refused(path, digits, match, **fields):
    with pytest.raises(BadInput, match=match) as found:
        build(path, digits, **fields)
    assert "\n" not in str(found.value)


def test_a_fixed_batch_size_is_refused(tmp_path, digits):
    path = exported(tmp_path / "m.pt2", module_of(), is_open=False)
    refused(path, digits, r"must take any number of rows .*; found shape \(4, 64\): export it with dynamic_shapes")


def test_a_model_that_is_random_when_asked_is_refused(tmp_path, digits):
    module = module_of(torch.nn.Dropout(0.5)).train()
    refused(exported(tmp_path / "m.pt2", module), digits, "must give the same outputs for the same rows")


def test_a_model_of_another_width_is_told_as_of_any_model(tmp_path, digits):
    path = exported(tmp_path / "m.pt2", torch.nn.Linear(9, 10), row=(9,))
    with pytest.raises(BadInput, match="must take the data's 64 inputs a row; found a model of 9"):
        fits(build(path, digits), digits.load())
    path = scripted(tmp_path / "m.pt", torch.nn.Linear(9, 10))
    refused(path, digits, "must run on rows of 64 numbers; found: .*: check that it was made for this data")


class Harmful:
    def __reduce__(self):
        return pytest.fail, ("a pickled object was loaded",)


@pytest.mark.parametrize("content", [lambda: module_of().state_dict(), Harmful])
def test_pickles_are_refused_and_never_loaded(tmp_path, digits, content):
    torch.save(content(), tmp_path / "m.pt")
    refused(tmp_path / "m.pt", digits, r"found weights or a pickled module of torch\.save, which is never unpickled")


def changed(path, change):
    """The file with its records changed by a function of their names and contents."""
    with zipfile.ZipFile(path) as archive:
        records = {info.filename: archive.read(info) for info in archive.infolist()}
    root = next(iter(records)).partition("/")[0]
    held = {name.removeprefix(f"{root}/"): record for name, record in records.items()}
    change(held)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, record in held.items():
            archive.writestr(f"{root}/{name}", record)
    return path


def pickled(value):
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def with_pickled_weight(held):
    config = json.loads(held["data/weights/model_weights_config.json"])
    config["config"]["0.weight"]["use_pickle"] = True
    held["data/weights/model_weights_config.json"] = json.dumps(config).encode()
    held["data/weights/weight_0"] = pickled(Harmful())


def with_called(held):
    text = held["models/model.json"].decode()
    held["models/model.json"] = re.sub(r"torch\.ops\.aten\.relu\.default", "torch.os.system", text).encode()


def with_evaluated(held):
    text = held["models/model.json"].decode()
    found = re.search(r'"expr_str": ?"[^"]*"', text)
    held["models/model.json"] = text.replace(found[0], '"expr_str": "pytest.fail(1)"').encode()


CHANGES = {
    "nothing": (lambda held: None, None),
    "weight": (with_pickled_weight, "found data/weights/model_weights_config.json, which is compiled or pickled"),
    "inputs": (
        lambda held: held.update({"data/sample_inputs/model.pt": pickled(Harmful())}),
        "found data/sample_inputs",
    ),
    "legacy": (lambda held: held.update({"data/weights/model.pt": pickled(Harmful())}), "found data/weights/model.pt"),
    "compiled": (
        lambda held: held.update({"data/aotinductor/model/a.so": b"ELF"}),
        "found data/aotinductor/model/a.so",
    ),
    "called": (with_called, "must call operators on tensors alone; found torch.os.system"),
    "evaluated": (with_evaluated, r"must call operators on tensors alone; found pytest.fail\(1\)"),
}


@pytest.mark.parametrize(("change", "message"), CHANGES.values(), ids=list(CHANGES))
def test_a_program_that_holds_code_is_refused_before_it_is_loaded(tmp_path, digits, change, message):
    path = changed(exported(tmp_path / "m.pt2", module_of()), change)
    if message is None:
        # So the others are refused for what was changed.
        assert build(path, digits).n_classes == 10
    else:
        refused(path, digits, message)


def test_missing_and_damaged_files_are_refused(tmp_path, digits):
    refused(tmp_path / "absent.pt2", digits, r"model\.path must name a file of torch\.export\.save .*; found no file")
    content = exported(tmp_path / "m.pt2", module_of()).read_bytes()
    for part in (b"", b"no zip", content[: len(content) // 2]):
        (tmp_path / "bad.pt2").write_bytes(part)
        refused(tmp_path / "bad.pt2", digits, r"must be a file of torch\.export\.save .*, whole; found: ")
    with pytest.raises(BadInput, match=r"model\.gives must be one of logits, .*; found 'odds'"):
        Torch(path="m.pt2", gives="odds")


def test_what_it_returns_must_be_one_tensor(tmp_path, digits):
    class Two(torch.nn.Module):
        def forward(self, x):
            return x, x

    refused(exported(tmp_path / "m.pt2", Two()), digits, "must return one tensor; found tuple")


def test_without_the_library_the_error_names_the_extra(tmp_path):
    # In a process of its own: PyTorch can be loaded once.
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pipeline.data import MEMBERS; from pipeline.model.torch import Torch\n"
        "Torch(path=sys.argv[1]).build(MEMBERS['digits']())"
    )
    (tmp_path / "m.pt2").write_bytes(b"")
    found = subprocess.run([sys.executable, "-c", code, str(tmp_path / "m.pt2")], capture_output=True, text=True)
    assert "model=torch needs torch; found none: make setup-extras" in found.stderr
