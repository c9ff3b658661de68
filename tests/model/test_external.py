"""Models that another library runs: what they give is found by a trial run, and every output is checked."""

import numpy as np
import pytest

from pipeline import data as data_family
from pipeline.errors import BadInput
from pipeline.model.external import check_gives, external_classifier, library
from pipeline.model.onnx import Onnx

W = np.random.default_rng(0).normal(size=(64, 10))


@pytest.fixture(scope="module")
def digits():
    return data_family.MEMBERS["digits"]()


def logits_of(rows):
    return rows.reshape(len(rows), -1).astype(np.float64) @ W


def softmax_of(rows):
    e = np.exp(logits_of(rows) / 100)
    return e / e.sum(axis=1, keepdims=True)


def made(run, data, **more):
    return external_classifier(run, data, shaping=["made"], where="the model", **more)


@pytest.mark.parametrize(
    ("run", "output", "gives"),
    [
        (logits_of, "", "logits"),
        (logits_of, "probability", "probabilities"),
        (logits_of, "log_prob", "logits"),
        (softmax_of, "", "probabilities"),
        (lambda rows: logits_of(rows).argmax(axis=1), "", "labels"),
        (lambda rows: logits_of(rows).argmax(axis=1)[:, None], "", "labels"),
    ],
)
def test_what_it_gives_is_decided_by_dtype_shape_name_and_sums(digits, run, output, gives):
    assert made(run, digits, output=output).gives == gives


def test_what_is_said_to_be_given_goes_before_what_is_seen(digits):
    assert made(softmax_of, digits, gives="logits").gives == "logits"


@pytest.mark.parametrize("shape", [(-1,), (64,), (8, 8), (1, 8, 8)])
def test_rows_reach_the_library_in_its_own_shape_and_dtype(digits, shape):
    seen = []

    def run(rows):
        seen.append((rows.shape[1:], rows.dtype))
        return logits_of(rows)

    classifier = made(run, digits, shape=shape, dtype=np.float64)
    rows = np.random.default_rng(1).random((5, 64)).astype(np.float32)
    np.testing.assert_allclose(classifier.logits(rows), logits_of(rows))
    assert set(seen) == {((64,) if shape == (-1,) else shape, np.dtype(np.float64))}
    assert (classifier.n_inputs, classifier.n_classes) == (64, 10)


def test_a_model_of_another_width_is_built_so_that_the_data_can_be_refused(digits):
    assert made(lambda rows: np.ones((len(rows), 10)), digits, shape=(3, 4)).n_inputs == 12


def test_integer_inputs_must_be_whole_numbers_in_range(digits):
    def run(rows):
        return logits_of(rows)

    whole = data_family.MEMBERS["digits"](normalize=False)
    classifier = made(run, whole, dtype=np.uint8)
    rows = np.full((2, 64), 255.0)
    np.testing.assert_allclose(classifier.logits(rows), logits_of(rows))
    for value in (0.5, 256.0, -1.0):
        with pytest.raises(BadInput, match=r"^the model takes uint8 inputs, so the data's must be whole numbers"):
            classifier.logits(np.full((2, 64), value))


def test_a_model_that_gives_other_outputs_the_second_time_is_refused(digits):
    rng = np.random.default_rng(0)
    with pytest.raises(BadInput, match=r"^the model must give the same outputs for the same rows; found others"):
        made(lambda rows: logits_of(rows) + rng.normal(size=(len(rows), 10)), digits)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (lambda n: np.ones((n + 1, 10)), "found float64 of shape"),
        (lambda n: np.ones((n, 1)), "a column of float for each class, at least 2"),
        (lambda n: np.full(n, 0.5), "must give logits or probabilities"),
        (lambda n: np.full(n, 10), "must give labels 0 to 9, the data's classes; found 10"),
        (lambda n: np.full(n, -1), "must give labels 0 to 9, the data's classes; found -1"),
    ],
)
def test_outputs_of_another_kind_are_refused(digits, outputs, message):
    with pytest.raises(BadInput, match=message):
        made(lambda rows: outputs(len(rows)), digits)


def test_an_error_of_the_library_is_told_with_the_name_of_the_model(digits):
    def run(rows):
        raise RuntimeError("no such operator")

    with pytest.raises(BadInput, match=r"^the model must run on rows of 64 numbers; found: no such operator"):
        made(run, digits)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_an_interrupt_and_a_lack_of_memory_are_passed_on(digits, error):
    def run(rows):
        raise error

    with pytest.raises(error):
        made(run, digits)


def test_half_precision_outputs_are_widened_and_double_ones_kept(digits):
    half = made(lambda rows: logits_of(rows).astype(np.float16), digits)
    assert half.logits(np.ones((2, 64), np.float32)).dtype == np.float32
    assert made(logits_of, digits).logits(np.ones((2, 64), np.float32)).dtype == np.float64


def test_what_shapes_the_outputs_shapes_the_digest(digits):
    one, other = (external_classifier(logits_of, digits, shaping=[version], where="m").digest for version in "12")
    assert one != other
    assert one == external_classifier(logits_of, digits, shaping=["1"], where="another place").digest


def test_only_what_a_classifier_may_give_is_taken():
    for gives in (None, "logits", "probabilities", "labels"):
        check_gives(gives)
    with pytest.raises(BadInput, match=r"^model\.gives must be one of logits, probabilities, labels, or null"):
        check_gives("scores")


def test_a_library_that_is_not_there_is_named_with_its_extra():
    assert library("numpy", extra="any") is np
    with pytest.raises(BadInput, match=r"^model=onnx needs no_such_library; found none: make setup-extras"):
        library("no_such_library", extra="onnx")


def test_a_file_is_read_once_from_an_absolute_path_and_a_missing_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    part = Onnx(path="model.onnx")
    with pytest.raises(BadInput, match=r"^model\.path must name an ONNX file; found no file"):
        part.read()
    (tmp_path / "model.onnx").write_bytes(b"content")
    monkeypatch.chdir("/")
    path, content = part.read()
    assert (path, content) == (tmp_path / "model.onnx", b"content")
    with pytest.raises(BadInput, match=r"^model\.path must name an ONNX file; found none: add model\.path=FILE"):
        Onnx(path=" ")
