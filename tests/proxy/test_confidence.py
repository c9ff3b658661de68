import numpy as np
import pytest
from scipy import special, stats

from pipeline.proxy.confidence import Confidence
from pipeline.proxy.entropy import Entropy
from pipeline.records.rows import Dataset


class Given:
    gives = "logits"

    """Logits as they are given: the inputs."""

    n_inputs = n_classes = 3

    def from_stored(self, scale):
        return lambda rows: rows


LOGITS = np.array([[0.0, 0.0, 0.0], [9.0, 1.0, -3.0], [2.0, 2.5, -np.inf], [800.0, -800.0, 0.0]])
DATASET = Dataset(LOGITS, np.zeros(4, int), 3, 1.0, "rows", "d")
P = special.softmax(LOGITS, axis=1)


def test_confidence_is_the_largest_softmax_probability_against_scipy():
    guess = Confidence().guess(DATASET, Given(), data=None)
    np.testing.assert_allclose(guess.accuracy, P.max(axis=1))
    np.testing.assert_allclose(guess.difficulty, 1 - P.max(axis=1), atol=1e-15)
    np.testing.assert_array_equal(guess.loss, guess.difficulty)


def test_entropy_is_that_of_the_softmax_probabilities_against_scipy():
    guess = Entropy().guess(DATASET, Given(), data=None)
    np.testing.assert_allclose(guess.difficulty, stats.entropy(P, axis=1), atol=1e-12)
    np.testing.assert_array_equal(guess.loss, guess.difficulty)
    np.testing.assert_allclose(guess.accuracy, P.max(axis=1))
    assert guess.difficulty[0] == pytest.approx(np.log(3))
