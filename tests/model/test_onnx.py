"""Models in ONNX files, made here, against the same network in NumPy."""

import os
import signal
import sys
import threading

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model.base import fits
from pipeline.model.onnx import Onnx
from pipeline.scoring.rows import score

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

TYPES = {np.dtype(name): onnx.helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in ("f4", "f8", "u1", "i8")}
RNG = np.random.default_rng(5)
W1, B1 = RNG.normal(0, 0.2, (64, 16)), RNG.normal(0, 0.2, 16)
W2, B2 = RNG.normal(0, 0.5, (16, 10)), RNG.normal(0, 0.2, 10)


def logits_of(inputs):
    return np.maximum(inputs.astype(np.float64) @ W1 + B1, 0) @ W2 + B2


def softmax(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def digits():
    return data_family.MEMBERS["digits"]()


def saved(path, *, dtype="f4", row=(64,), batch="n", last=None, name="y", label=False, **kept):
    """The network as an ONNX file: `last` is put behind its logits; `label` gives their argmax first."""
    node, kind, work = onnx.helper.make_node, TYPES[np.dtype(dtype)], np.dtype("f8" if dtype == "f8" else "f4")
    weights = {"W1": W1, "b1": B1, "W2": W2, "b2": B2}
    held = [onnx.numpy_helper.from_array(array.astype(work), key) for key, array in weights.items()]
    nodes = [
        node("Cast", ["x"], ["cast"], to=TYPES[work]),
        node("Flatten", ["cast"], ["flat"]),
        node("Gemm", ["flat", "W1", "b1"], ["h"]),
        node("Relu", ["h"], ["a"]),
        node("Gemm", ["a", "W2", "b2"], ["z"]),
        node(last or "Identity", ["z"], [name], **({"axis": 1} if last else {})),
    ]
    info = onnx.helper.make_tensor_value_info
    outputs = [info(name, TYPES[work], [batch, 10])]
    if label:
        nodes.append(node("ArgMax", ["z"], ["label"], axis=1, keepdims=0))
        first = info("label", onnx.TensorProto.INT64, [batch])
        outputs = [first] if label == "alone" else [first, *outputs]
    graph = onnx.helper.make_graph(nodes, "g", [info("x", kind, [batch, *row])], outputs, held)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    onnx.save(model, path, **kept)
    return path


def build(path, digits, **fields):
    return Onnx(path=str(path), **fields).build(digits)


@pytest.mark.parametrize(("dtype", "row"), [("f4", (64,)), ("f8", (64,)), ("f4", (1, 8, 8)), ("f4", ("d",))])
def test_its_logits_and_figures_are_those_of_the_same_network_in_numpy(tmp_path, digits, dtype, row):
    classifier, dataset = build(saved(tmp_path / "m.onnx", dtype=dtype, row=row), digits), digits.load()
    fits(classifier, dataset)
    expected = logits_of(dataset.inputs / 16)
    assert (classifier.gives, classifier.n_inputs, classifier.n_classes) == ("logits", 64, 10)
    np.testing.assert_allclose(classifier.from_stored(1 / 16)(dataset.inputs), expected, rtol=1e-4, atol=1e-4)
    scores = score(classifier, dataset)
    np.testing.assert_allclose(scores.loss, cross_entropy(expected, dataset.labels), rtol=1e-4, atol=1e-4)
    assert (scores.correct == (expected.argmax(axis=1) == dataset.labels)).all()


def test_integer_inputs_are_the_stored_pixels_and_scaled_ones_are_refused(tmp_path, digits):
    path = saved(tmp_path / "m.onnx", dtype="u1")
    stored = data_family.MEMBERS["digits"](normalize=False)
    dataset = stored.load()
    expected = logits_of(dataset.inputs)
    found = build(path, stored).from_stored(1.0)(dataset.inputs)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    with pytest.raises(BadInput, match=r"takes uint8 inputs, so .* whole numbers .* pass data\.normalize=false"):
        build(path, digits)


@pytest.mark.parametrize("name", ["y", "output_probability"])
def test_probabilities_are_known_by_their_name_or_their_sums(tmp_path, digits, name):
    classifier, dataset = build(saved(tmp_path / "m.onnx", last="Softmax", name=name), digits), digits.load()
    assert classifier.gives == "probabilities"
    loss = score(classifier, dataset).loss
    np.testing.assert_allclose(
        loss, cross_entropy(logits_of(dataset.inputs / 16), dataset.labels), rtol=1e-4, atol=1e-4
    )


def test_logarithms_of_probabilities_are_logits_whatever_their_name(tmp_path, digits):
    classifier, dataset = build(saved(tmp_path / "m.onnx", last="LogSoftmax", name="log_probs"), digits), digits.load()
    assert classifier.gives == "logits"
    expected = cross_entropy(logits_of(dataset.inputs / 16), dataset.labels)
    np.testing.assert_allclose(score(classifier, dataset).loss, expected, rtol=1e-4, atol=1e-4)


def test_what_it_gives_can_be_said_and_shapes_the_digest(tmp_path, digits):
    path = saved(tmp_path / "m.onnx", last="Softmax")
    said, seen = build(path, digits, gives="logits"), build(path, digits)
    assert (said.gives, seen.gives) == ("logits", "probabilities")
    assert said.digest != seen.digest


@pytest.mark.parametrize(("label", "fields"), [("alone", {}), (True, {"output": "label"}), (True, {"gives": "labels"})])
def test_a_label_only_model_has_accuracy_and_no_loss(tmp_path, digits, label, fields):
    classifier, dataset = build(saved(tmp_path / "m.onnx", label=label), digits, **fields), digits.load()
    assert classifier.gives == "labels"
    scores = score(classifier, dataset)
    assert "loss" not in scores.columns
    assert (scores.correct == (logits_of(dataset.inputs / 16).argmax(axis=1) == dataset.labels)).all()


def test_beside_a_label_the_first_float_matrix_is_read(tmp_path, digits):
    assert build(saved(tmp_path / "m.onnx", label=True), digits).gives == "logits"


def test_weights_in_a_file_beside_are_found_and_are_part_of_the_digest(tmp_path, digits):
    whole = build(saved(tmp_path / "whole.onnx"), digits)
    beside = {"save_as_external_data": True, "location": "w.data", "size_threshold": 0}
    path = saved(tmp_path / "m.onnx", **beside)
    parted = build(path, digits)
    inputs = digits.load().inputs
    np.testing.assert_array_equal(parted.from_stored(1 / 16)(inputs), whole.from_stored(1 / 16)(inputs))
    data = tmp_path / "w.data"
    content = bytearray(data.read_bytes())
    content[:4] = np.float32(0.5).tobytes()
    data.write_bytes(content)
    assert build(path, digits).digest != parted.digest
    data.unlink()
    with pytest.raises(BadInput, match=r"must have its weights beside it, in w\.data; found no such file"):
        build(path, digits)


def refused(path, digits, match, **fields):
    with pytest.raises(BadInput, match=match) as found:
        build(path, digits, **fields)
    assert "\n" not in str(found.value)


def test_a_fixed_batch_size_is_refused(tmp_path, digits):
    refused(saved(tmp_path / "m.onnx", batch=1), digits, r"fixed batch size of 1: export it with a dynamic batch axis")


def test_inputs_and_outputs_that_cannot_be_used_are_refused(tmp_path, digits):
    path = saved(tmp_path / "m.onnx")
    refused(path, digits, r"model\.output must be an output of .*; found 'z9': choose one of y", output="z9")
    refused(path, digits, r"must give a label for each row, an integer 0 to 9; found float32 of shape", gives="labels")
    refused(saved(tmp_path / "s.onnx", row=(1, "h", "w")), digits, "must state all sizes of a row")
    with pytest.raises(BadInput, match=r"model\.gives must be one of logits, .*; found 'odds'"):
        Onnx(path="m.onnx", gives="odds")


def test_a_model_of_another_width_is_told_as_of_any_model(tmp_path, digits):
    dataset = digits.load()
    node, info, kind = onnx.helper.make_node, onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph([node("Identity", ["x"], ["y"])], "g", [info("x", kind, ["n", 9])],
                                   [info("y", kind, ["n", 9])])  # fmt: skip
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(BadInput, match="must take the data's 64 inputs a row; found a model of 9"):
        fits(build(tmp_path / "m.onnx", digits), dataset)


def test_missing_and_damaged_files_are_refused(tmp_path, digits):
    refused(tmp_path / "absent.onnx", digits, r"model\.path must name an ONNX file; found no file")
    content = saved(tmp_path / "m.onnx").read_bytes()
    for part in (b"", b"no model", content[: len(content) // 2]):
        (tmp_path / "bad.onnx").write_bytes(part)
        refused(tmp_path / "bad.onnx", digits, "must be a whole ONNX file that ONNX Runtime .* runs; found: ")
    with pytest.raises(BadInput, match=r"found none: add model\.path=FILE"):
        Onnx()


def test_without_the_library_the_error_names_the_extra(tmp_path, digits, monkeypatch):
    path = saved(tmp_path / "m.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    refused(path, digits, r"needs onnxruntime; found none: make setup-extras")


def endless(path, *, beyond):
    """A model whose Loop has 2**62 trips for blocks of so many rows or more, and none for smaller ones."""
    node, info, held = onnx.helper.make_node, onnx.helper.make_tensor_value_info, onnx.numpy_helper.from_array
    numbers = onnx.TensorProto
    body = onnx.helper.make_graph(
        [node("Identity", ["more"], ["more_out"]), node("Add", ["sum", "one"], ["sum_out"])],
        "body",
        [info("i", numbers.INT64, []), info("more", numbers.BOOL, []), info("sum", numbers.FLOAT, [])],
        [info("more_out", numbers.BOOL, []), info("sum_out", numbers.FLOAT, [])],
    )
    nodes = [
        node("MatMul", ["x", "W"], ["product"]),
        node("Shape", ["x"], ["shape"], start=0, end=1),
        node("ReduceMax", ["shape"], ["rows"], keepdims=0),
        node("GreaterOrEqual", ["rows", "beyond"], ["is_endless"]),
        node("Loop", ["trips", "is_endless", "zero"], ["total"], body=body),
        node("Mul", ["total", "zero"], ["nothing"]),
        node("Add", ["product", "nothing"], ["y"]),
    ]
    constants = {"W": np.ones((64, 10), "f4"), "one": np.float32(1), "zero": np.float32(0)}
    constants |= {"trips": np.int64(2**62), "beyond": np.int64(beyond)}
    ends = [info("x", numbers.FLOAT, ["n", 64])], [info("y", numbers.FLOAT, ["n", 10])]
    graph = onnx.helper.make_graph(nodes, "g", *ends, [held(value, name) for name, value in constants.items()])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)
    return str(path)


@pytest.mark.fault("an ONNX model that never ends")
def test_a_model_that_never_ends_is_refused_at_its_trial(tmp_path, digits):
    found = r"m\.onnx must give the outputs of 256 rows within 1 s; found that it takes longer: raise model\.seconds"
    with pytest.raises(BadInput, match=found):
        Onnx(path=endless(tmp_path / "m.onnx", beyond=1), seconds=1.0).build(digits)
    with pytest.raises(BadInput, match=r"model\.seconds must be a finite number above 0; found 0"):
        Onnx(path="m.onnx", seconds=0.0)


@pytest.mark.fault("an ONNX model that never ends")
@pytest.mark.parametrize("rows", [300, 5000])
def test_ctrl_c_ends_a_model_that_never_ends_after_its_trial_in_one_thread_and_in_many(tmp_path, digits, rows):
    classifier = Onnx(path=endless(tmp_path / "m.onnx", beyond=257)).build(digits)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))

    def interrupted():
        # Started here, for on a busy machine it may have ended before the next line.
        timer.start()
        score(classifier, digits.load(), np.resize(np.arange(300), rows))

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    with pytest.raises(BadInput, match=r"must run on rows of 64 numbers"):
        classifier.logits(np.zeros((1, 64), np.float32))
