"""The entropy as a proxy: the loss that a calibrated model expects of itself."""

import numpy as np
from scipy import special, stats

from pipeline.loss import cross_entropy
from pipeline.proxy.entropy import Entropy
from tests.proxy.test_uncertainty import AsGiven, dataset_of

LOGITS = np.random.default_rng(1).normal(0, 2, size=(200, 5))


def test_the_guess_is_the_expected_loss_of_labels_drawn_from_the_models_probabilities():
    p = special.softmax(LOGITS, axis=1)
    guess = Entropy().guess(dataset_of(LOGITS), AsGiven("logits"), data=None)
    losses = np.stack([cross_entropy(LOGITS, np.full(200, label)) for label in range(5)], axis=1)
    np.testing.assert_allclose(guess.loss, (p * losses).sum(axis=1), rtol=1e-9)
    np.testing.assert_array_equal(guess.difficulty, guess.loss)


def test_the_accuracy_is_guessed_by_the_confidence_and_falls_with_the_entropy_of_two_classes():
    logits = np.stack([np.linspace(0, 6, 20), np.zeros(20), *[np.full(20, -np.inf)] * 3], axis=1)
    guess = Entropy().guess(dataset_of(logits), AsGiven("logits"), data=None)
    np.testing.assert_allclose(guess.accuracy, special.expit(np.linspace(0, 6, 20)))
    np.testing.assert_allclose(guess.difficulty, stats.bernoulli.entropy(guess.accuracy), rtol=1e-9)
    assert np.all(np.diff(guess.difficulty) < 0)
