"""A learning curve survives the way into a run's metrics and back."""

import numpy as np
import pytest

from pipeline.records.learning_curve import LEARNING, LearningCurve, learning_curve_of, learning_series

CURVE = LearningCurve(np.array([2.0, 1.0, 0.5]), np.array([1.9, 0.9, 0.4]), np.array([0.1, 0.6, 0.9]))


def by_name(series):
    found = {}
    for name, value, step in series:
        found.setdefault(name, []).append((step, value))
    return found


def test_every_epoch_is_a_step_from_1_of_each_metric():
    series = learning_series(CURVE)
    assert len(series) == 3 * len(LEARNING)
    assert by_name(series)["learning/accuracy"] == [(1, 0.1), (2, 0.6), (3, 0.9)]


def test_the_curve_read_back_is_the_curve_written():
    back = learning_curve_of(by_name(learning_series(CURVE)))
    for name in LEARNING:
        np.testing.assert_array_equal(getattr(back, name), getattr(CURVE, name))


def test_no_curve_has_no_metrics():
    assert learning_series(None) == []


@pytest.mark.parametrize("name", LEARNING)
def test_a_run_without_one_of_the_metrics_has_no_curve(name):
    series = by_name(learning_series(CURVE))
    series[f"learning/{name}"] = []
    assert learning_curve_of(series) is None
    del series[f"learning/{name}"]
    assert learning_curve_of(series) is None
