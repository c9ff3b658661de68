import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import brier_score_loss

from pipeline.metric.brier import Brier
from pipeline.metric.squared_error import SquaredError


def test_of_two_classes_it_is_twice_the_binary_score_against_sklearn():
    rng = np.random.default_rng(0)
    labels, chance = rng.integers(0, 2, 300), rng.random(300)
    found = Brier().values(np.column_stack([1 - chance, chance]), labels, gives="probabilities")
    assert found.mean() == pytest.approx(2 * brier_score_loss(labels, chance), rel=1e-12)


def test_from_logits_against_scipys_softmax_and_sklearn():
    rng = np.random.default_rng(1)
    logits, labels = 50 * rng.normal(size=(300, 4)), rng.integers(0, 4, 300)
    found = Brier().values(logits, labels, gives="logits").mean()
    # One class against the others, class by class, adds up to the score over all classes.
    parts = [brier_score_loss(labels == j, softmax(logits, axis=1)[:, j]) for j in range(4)]
    assert found == pytest.approx(sum(parts), rel=1e-12)


def test_label_probabilities_count_as_they_are():
    soft = np.array([[0.25, 0.75], [1.0, 0.0]])
    assert Brier().values(soft.copy(), soft, gives="probabilities").tolist() == [0.0, 0.0]


def test_probabilities_are_not_changed_in_place():
    given = np.array([[0.5, 0.5]])
    Brier().values(given, np.array([0]), gives="probabilities")
    assert given.tolist() == [[0.5, 0.5]]


def test_the_worst_row_has_the_bound_and_the_squared_error_is_half_of_it():
    sure, label = np.array([[-np.inf, 0.0]]), np.array([0])
    assert Brier().values(sure, label, gives="logits").tolist() == [Brier.most]
    assert SquaredError().values(sure, label, gives="logits").tolist() == [SquaredError.most] == [1.0]
