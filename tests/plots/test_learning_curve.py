from __future__ import annotations

import numpy as np
import pytest

from pipeline.plots import learning_curve
from pipeline.records.learning_curve import LearningCurve

CURVE = LearningCurve(np.array([1.5, 0.6, 0.3]), np.array([1.0, 0.5, 0.25]), np.array([0.7, 0.9, 0.955]))


def test_both_losses_and_the_accuracy_are_drawn_from_epoch_1():
    loss, accuracy = learning_curve.draw(CURVE).axes
    np.testing.assert_array_equal([line.get_ydata() for line in loss.lines], [CURVE.batch_loss, CURVE.loss])
    np.testing.assert_array_equal(accuracy.lines[0].get_ydata(), 100 * CURVE.accuracy)
    np.testing.assert_array_equal(accuracy.lines[0].get_xdata(), [1, 2, 3])
    assert (loss.get_xlabel(), loss.get_ylabel()) == ("epoch", "loss [nats]")
    assert accuracy.get_ylabel() == "accuracy of all training rows [%]"


def test_the_title_tells_where_training_ended():
    title = learning_curve.draw(CURVE).get_suptitle()
    assert title == "After 3 epochs: loss 0.25 nats and accuracy 95.5 % on all training rows"


@pytest.mark.parametrize("epochs", [0, 1, 3, 200])
def test_any_number_of_epochs_is_drawn_without_overlap(epochs, laid_out, overlapping_texts, texts_outside):
    values = np.geomspace(2, 0.01, epochs) if epochs else np.empty(0)
    figure = laid_out(learning_curve.draw(LearningCurve(values, values, 1 - values / 3)))
    assert overlapping_texts(figure) == []
    assert texts_outside(figure) == []


def test_a_loss_that_ran_away_is_told():
    curve = LearningCurve(np.array([1.0, np.nan]), np.array([1.0, np.inf]), np.array([0.5, 0.1]))
    figure = learning_curve.draw(curve)
    assert "not finite" in figure.get_suptitle()
    assert "1 of 2 epochs" in figure.axes[0].texts[0].get_text()
