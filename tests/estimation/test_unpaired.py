"""Intervals of differences of separate samples, against published values, SciPy and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.unpaired import (
    Moments,
    mean_difference,
    mean_interval,
    share_difference,
    share_interval,
)


# Newcombe 1998, table II, method 10, as printed (first minus second there).
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_of_a_difference_of_shares_is_newcombes_printed_one(first, second, low, high):
    found = share_difference(second, first, 0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_the_interval_of_a_difference_of_means_is_scipys_welch_interval(confidence):
    rng = np.random.default_rng(0)
    first, second = rng.exponential(1, 40), rng.exponential(1.3, 70)
    found = mean_difference(moments(first), moments(second), confidence)
    expected = stats.ttest_ind(second, first, equal_var=False).confidence_interval(confidence)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_the_interval_of_one_share_and_of_one_mean_are_scipys():
    values = np.random.default_rng(1).exponential(1, 30)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert mean_interval(moments(values), 0.9) == pytest.approx((expected.low, expected.high), rel=1e-12)
    for right in (0, 1, 17, 20):
        wilson = stats.binomtest(right, 20).proportion_ci(0.9, method="wilson")
        assert share_interval((right, 20), 0.9) == pytest.approx((wilson.low, wilson.high), abs=1e-12)


def test_one_row_or_an_infinite_mean_has_no_interval_and_constants_have_one_of_no_width():
    alone, many = Moments(1, 0.5, 0.0), Moments(10, 1.0, 0.2)
    infinite = Moments(10, math.inf, math.nan)
    assert mean_difference(alone, many, 0.95).low == mean_interval(alone, 0.95)[0] == -math.inf
    assert mean_difference(many, infinite, 0.95).value == mean_interval(infinite, 0.95)[1] == math.inf
    assert math.isnan(mean_difference(infinite, infinite, 0.95).value)
    same = mean_difference(Moments(3, 1.0, 0.0), Moments(4, 2.0, 0.0), 0.95)
    assert (same.value, same.low, same.high) == (1.0, 1.0, 1.0)


def test_the_interval_of_a_difference_of_shares_covers_as_often_as_promised_by_enumeration():
    """Over all outcomes of 50 rows at 96 % and 80 rows at 91 %, weighted by their binomial probabilities."""
    covered = 0.0
    first, second = stats.binom(50, 0.96), stats.binom(80, 0.91)
    for a in range(30, 51):
        for b in range(50, 81):
            found = share_difference((a, 50), (b, 80), 0.95)
            covered += first.pmf(a) * second.pmf(b) * (found.low <= -0.05 <= found.high)
    assert 0.94 < covered < 0.98


def moments(values):
    return Moments(len(values), float(values.mean()), float(values.var()))
