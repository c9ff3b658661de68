"""The other model of a comparison: read in float64, refused where it does not go with the rows, and scored."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.loss import cross_entropy
from pipeline.model.given import GivenClassifier
from pipeline.scoring.rows import score
from pipeline.study.paired.models import Fixed, all_scores, in_double, network_of
from tests.study.predicted import stages_from, two_models, write


def saved(path, layers):
    arrays = {f"{kind}{i}": a for i, layer in enumerate(layers, 1) for kind, a in zip("Wb", layer, strict=True)}
    np.savez(path, **arrays)
    return str(path)


def test_the_other_network_is_read_in_float64_with_the_models_own_activation(stages_of, digits_parts, tmp_path):
    own = digits_parts[1]
    other = network_of(saved(tmp_path / "other.npz", own.layers), None, stages_of())
    assert other.activation == own.activation
    for (W, b), (own_W, own_b) in zip(other.layers, own.layers, strict=True):
        assert W.dtype == b.dtype == np.float64
        np.testing.assert_array_equal(W, own_W)
        np.testing.assert_array_equal(b, own_b)


def test_an_activation_that_is_given_takes_the_place_of_the_models(stages_of, digits_parts, tmp_path):
    path = saved(tmp_path / "other.npz", digits_parts[1].layers)
    assert network_of(path, "tanh", stages_of()).activation == "tanh"


def test_a_network_for_other_rows_is_refused_with_its_file(stages_of, tmp_path):
    path = saved(tmp_path / "other.npz", [(np.zeros((3, 10), "f4"), np.zeros(10, "f4"))])
    with pytest.raises(BadInput, match=r"^study\.against=.*other\.npz: the model must take the data's 64 inputs"):
        network_of(path, None, stages_of())


def test_a_file_that_is_not_there_or_lies_elsewhere_is_refused(stages_of, tmp_path):
    with pytest.raises(BadInput, match=r"^study\.against=.*none\.npz: "):
        network_of(str(tmp_path / "none.npz"), None, stages_of())
    with pytest.raises(BadInput, match=r"^study\.against must be a file of weights on this machine; found ") as found:
        network_of("s3://key:hush@bucket/other.npz", None, stages_of())
    assert "hush" not in str(found.value)


def test_without_an_activation_of_the_model_one_must_be_given(stages_of, tmp_path):
    stages = predicted(stages_of, tmp_path)
    with pytest.raises(BadInput, match=r"^study\.against_activation must be given, one of .*; found null$"):
        network_of(str(tmp_path / "other.npz"), None, stages)


def predicted(stages_of, tmp_path, **fields):
    first, _, labels = two_models()
    path = write(tmp_path / "a.parquet", label=labels, logits=first)
    return stages_from(stages_of, path, fields=fields)


def test_float64_keeps_the_network_and_leaves_other_classifiers_alone(digits_parts, stages_of, tmp_path):
    own = digits_parts[1]
    double = in_double(own)
    x = np.random.default_rng(0).random((20, own.n_inputs))
    np.testing.assert_allclose(double.logits(x), own.logits(x.astype("f4")), rtol=1e-4, atol=1e-4)
    given = predicted(stages_of, tmp_path).classifier
    assert type(given) is GivenClassifier
    assert in_double(given) is given


def test_a_fixed_model_is_the_network_itself(digits_parts):
    assert Fixed(network=digits_parts[1]).build(None) is digits_parts[1]


def test_rows_in_memory_are_scored_as_ever_and_once(stages_of):
    stages = stages_of()
    double = in_double(stages.classifier)
    found, expected = all_scores(double, stages.experiment.model, stages), score(double, stages.rows)
    np.testing.assert_array_equal(found.loss, expected.loss)
    np.testing.assert_array_equal(found.correct, expected.correct)
    assert all_scores(double, stages.experiment.model, stages) is found


def test_scores_of_rows_on_disk_are_kept_in_float64(stages_of, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "mlruns"))
    first, _, labels = two_models()
    stages = predicted(stages_of, tmp_path, memory=0)
    found = all_scores(stages.classifier, stages.experiment.model, stages)
    assert found.loss.dtype == np.float64
    assert found.is_stored
    np.testing.assert_allclose(found.loss, cross_entropy(first, labels), rtol=1e-12)
