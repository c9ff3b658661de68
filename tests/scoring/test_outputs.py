"""What a model says of a row: the class it predicts and how sure it is, from logits, probabilities and labels."""

import numpy as np
import pytest
from scipy import special

from pipeline.scoring.outputs import Odds, besides_of, confidence_of_block, odds_of, predicted_of_block

LOGITS = np.random.default_rng(2).normal(0, 30, size=(50, 4))


def test_the_predicted_class_is_that_of_the_largest_output_a_tie_the_lowest():
    found = predicted_of_block(np.array([[1.0, 1.0, 0.0], [0.0, 0.2, 0.8]]), None, gives="probabilities")
    assert found.tolist() == [0.0, 2.0]
    assert predicted_of_block(np.array([3, 1]), None, gives="labels").tolist() == [3.0, 1.0]


@pytest.mark.parametrize("turned", [False, True])
def test_the_confidence_is_the_largest_softmax(turned):
    rows = np.ascontiguousarray(LOGITS.T).T if turned else LOGITS
    expected = special.softmax(LOGITS, axis=1)
    np.testing.assert_allclose(confidence_of_block(rows, None, gives="logits"), expected.max(axis=1), rtol=1e-12)
    np.testing.assert_allclose(confidence_of_block(expected, None, gives="probabilities"), expected.max(axis=1))


def test_logits_of_minus_infinity_are_classes_that_are_impossible():
    found = confidence_of_block(np.array([[-np.inf, 0.0], [0.0, -np.inf]]), None, gives="logits")
    assert found.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("k", range(4))
def test_the_odds_are_those_of_the_softmax_and_do_not_round_next_to_1(k):
    probabilities = special.softmax(LOGITS / 10, axis=1)
    found = Odds(k).of_block(LOGITS / 10, None, gives="logits")
    np.testing.assert_allclose(found, special.logit(probabilities[:, k]), rtol=1e-9)
    assert Odds(k).of_block(probabilities, None, gives="probabilities").tolist() == probabilities[:, k].tolist()
    sure = np.array([[50.0, 0.0], [60.0, 0.0]])
    assert Odds(0).of_block(sure, None, gives="logits").tolist() == [50.0, 60.0]
    assert special.softmax(sure, axis=1)[:, 0].tolist() == [1.0, 1.0]


def test_odds_of_impossible_classes_are_infinite_and_no_nan():
    rows = np.array([[-np.inf, 0.0, 1.0], [0.0, -np.inf, -np.inf]])
    assert Odds(0).of_block(rows, None, gives="logits").tolist() == [-np.inf, np.inf]
    assert Odds(1).of_block(rows, None, gives="logits")[1] == -np.inf


def test_what_is_evaluated_besides_is_what_the_metrics_need():
    assert besides_of([], 4) == {}
    assert list(besides_of(["predicted"], 4)) == ["predicted"]
    assert list(besides_of(["confidence", "odds"], 2)) == ["predicted", "confidence", "odds_1"]
    assert [each.k for each in odds_of(3)] == [0, 1, 2]
    assert odds_of(1) == []
