"""Confidence and entropy of a model's outputs, against SciPy, block by block."""

import numpy as np
import pytest
from scipy import special, stats

from pipeline.errors import BadInput
from pipeline.model.base import Classifier
from pipeline.proxy import uncertainty
from pipeline.proxy.uncertainty import confidence_and_entropy
from pipeline.records.rows import Dataset

LOGITS = np.random.default_rng(0).normal(0, 4, size=(300, 5))
P = special.softmax(LOGITS, axis=1)


class AsGiven(Classifier):
    """Outputs are the inputs."""

    def __init__(self, gives):
        self.n_inputs = self.n_classes = 5
        self.digest, self.gives = "as given", gives

    def logits(self, inputs):
        return inputs

    def from_stored(self, scale):
        return lambda stored: stored


def dataset_of(rows):
    return Dataset(rows, np.zeros(len(rows), int), 5, 1.0, "rows", "d")


@pytest.mark.parametrize(("gives", "rows"), [("logits", LOGITS), ("probabilities", P)])
def test_both_against_scipy_whatever_the_blocks(gives, rows, monkeypatch):
    for at_once in (7, 1 << 13):
        monkeypatch.setattr(uncertainty, "_AT_ONCE", at_once)
        confidence, entropy = confidence_and_entropy(AsGiven(gives), dataset_of(rows))
        np.testing.assert_allclose(confidence, P.max(axis=1), rtol=1e-12)
        np.testing.assert_allclose(entropy, stats.entropy(P, axis=1), rtol=1e-9, atol=1e-14)


def test_certain_rows_have_confidence_1_and_entropy_0_and_even_ones_1_over_k_and_log_k():
    rows = np.array([[0.0, -np.inf, -np.inf, -np.inf, -np.inf], [3.0] * 5])
    confidence, entropy = confidence_and_entropy(AsGiven("logits"), dataset_of(rows))
    assert (confidence[0], entropy[0]) == (1.0, 0.0)
    assert (confidence[1], entropy[1]) == (pytest.approx(0.2), pytest.approx(np.log(5)))


def test_logits_shifted_by_a_constant_have_the_same_uncertainty():
    one, other = (confidence_and_entropy(AsGiven("logits"), dataset_of(LOGITS + shift)) for shift in (0.0, 700.0))
    np.testing.assert_allclose(one[0], other[0], rtol=1e-9)
    np.testing.assert_allclose(one[1], other[1], rtol=1e-6, atol=1e-12)


def test_a_row_of_nan_is_refused_by_its_number():
    rows = LOGITS.copy()
    rows[17, 2] = np.nan
    with pytest.raises(BadInput, match="row 17"):
        confidence_and_entropy(AsGiven("logits"), dataset_of(rows))


@pytest.mark.parametrize("gives", ["labels", "scores"])
def test_a_model_that_gives_neither_is_refused(gives):
    with pytest.raises(BadInput, match=f"needs its logits or probabilities; found {gives} alone"):
        confidence_and_entropy(AsGiven(gives), dataset_of(LOGITS))
