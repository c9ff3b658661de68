"""How metrics are written: units, tolerances, differences, and the columns of a table of cells."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.metric import MEMBERS
from pipeline.metric.base import squared_distance

LOSS, ACCURACY, TOP_5, BRIER = (MEMBERS[name]() for name in ("loss", "accuracy", "top_k", "brier"))


@pytest.mark.parametrize(
    ("metric", "words", "title", "short", "label"),
    [
        (LOSS, "loss", "Loss", "loss", "loss [nats]"),
        (ACCURACY, "accuracy", "Accuracy", "acc.", "accuracy [%]"),
        (TOP_5, "top-5 accuracy", "Top-5 accuracy", "top-5", "top-5 accuracy [%]"),
        (BRIER, "Brier score", "Brier score", "Brier", "Brier score"),
        (MEMBERS["squared_error"](), "squared error", "Squared error", "sq. e.", "squared error"),
    ],
)
def test_names_in_sentences_headings_and_axes(metric, words, title, short, label):
    assert (metric.words, metric.title, metric.short, metric.label) == (words, title, short, label)


@pytest.mark.parametrize(
    ("metric", "within", "tolerance", "named"),
    [
        (LOSS, 0.02, "±0.02 nats", "±0.02 nats"),
        (ACCURACY, 0.01, "±1 point", "±1 accuracy point"),
        (ACCURACY, 0.005, "±0.5 points", "±0.5 accuracy points"),
        (TOP_5, 0.02, "±2 points", "±2 top-5 accuracy points"),
        (BRIER, 0.1, "±0.1", "±0.1 in the Brier score"),
    ],
)
def test_tolerances(metric, within, tolerance, named):
    assert (metric.tolerance(within), metric.named_tolerance(within)) == (tolerance, named)


def test_differences_in_running_text():
    assert [metric.amount("0.1") for metric in (LOSS, ACCURACY, TOP_5, BRIER)] == [
        "0.1 nats",
        "0.1 accuracy points",
        "0.1 top-5 accuracy points",
        "0.1 in the Brier score",
    ]


def test_what_a_share_is_and_what_a_mean_is():
    for share in (ACCURACY, TOP_5):
        assert (share.is_share, share.most, share.origin, share.is_better_low) == (True, 1.0, 1.0, False)
        assert (share.bounds, share.factor, share.digits) == ((0.0, 100.0), 100.0, 2)
    for mean in (LOSS, BRIER):
        assert (mean.is_share, mean.origin, mean.is_better_low, mean.factor) == (False, 0.0, True, 1.0)
    assert (LOSS.bounds, BRIER.bounds) == ((0.0, math.inf), (0.0, 2.0))
    assert [name for name, part in MEMBERS.items() if part().takes_loss_cap] == ["loss"]


def test_columns_come_in_the_unit_drawn_and_rounding_is_no_error():
    cells = pd.DataFrame({"accuracy/all": [0.9, 0.9], "accuracy/rmse": [0.02, 1e-16]})
    np.testing.assert_allclose(ACCURACY.of(cells, "all"), [90.0, 90.0])
    assert np.isnan(ACCURACY.of(cells, "mean")).all()
    np.testing.assert_allclose(ACCURACY.error(cells), [2.0, 0.0], atol=1e-300)


def test_the_squared_distance_by_hand():
    outputs = np.array([[0.0, 0.0], [np.log(3.0), 0.0]])
    labels = np.array([0, 1])
    np.testing.assert_allclose(squared_distance(outputs, labels, gives="logits"), [0.5, 2 * 0.75**2])
    rows = np.array([[0.5, 0.5], [0.75, 0.25]])
    np.testing.assert_allclose(squared_distance(rows, np.eye(2)[labels], gives="probabilities"), [0.5, 1.125])
    np.testing.assert_array_equal(rows, [[0.5, 0.5], [0.75, 0.25]])
