from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.interval.accuracy.sequence import Sequence
from pipeline.interval.capital import sequence_interval
from pipeline.interval.share_sequence import share_sequence_interval
from tests.populations import batches


def shares(p, m, n, seed=0):
    return (np.random.default_rng((seed, n)).random((m, n)) < p).astype(float)


@pytest.mark.parametrize("size", [None, 400])
@pytest.mark.parametrize("within", [None, 0.05])
def test_it_is_the_sequence_of_likelihood_ratios_at_its_last_row(size, within):
    rows = shares(0.9, 6, 120)
    found = Sequence(within=within).estimate(batches(rows, size), 0.9)
    low, high = share_sequence_interval(rows, confidence=0.9, population_size=size, within=within)
    np.testing.assert_allclose(found.low, np.minimum(low, rows.mean(axis=1)), rtol=1e-12)
    np.testing.assert_allclose(found.high, np.maximum(high, rows.mean(axis=1)), rtol=1e-12)
    assert found.method.startswith("anytime-valid likelihood ratios, 0.9")


def test_where_units_are_more_than_right_or_wrong_it_is_betting():
    rows = np.random.default_rng(0).random((6, 50))
    found = Sequence(within=0.1).estimate(replace(batches(rows), is_simple=False), 0.9)
    low, high = sequence_interval(rows, confidence=0.9, within=0.1)
    np.testing.assert_allclose(found.low, low, rtol=1e-12)
    np.testing.assert_allclose(found.high, high, rtol=1e-12)
    assert found.method.startswith("anytime-valid betting, 0.9")


@pytest.mark.parametrize("within", [0.0, -0.1, float("inf"), float("nan")])
def test_a_half_width_that_is_none_is_refused(within):
    with pytest.raises(BadInput, match=r"^interval\.accuracy\.within must be above 0 .* or null; found"):
        Sequence(within=within)


@pytest.mark.parametrize("p", [0.02, 0.5, 0.94])
@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
def test_it_holds_the_share_at_least_as_often_as_it_says_within_the_binomial_bound(p, n):
    found = Sequence().estimate(batches(shares(p, 2000, n)), 0.9)
    missed = int(((found.low > p) | (found.high < p)).sum())
    assert stats.binomtest(missed, 2000, 0.1, alternative="greater").pvalue > 0.001


def test_errors_have_the_interval_of_one_minus_the_accuracy():
    rows = shares(0.8, 5, 50)
    right, wrong = Sequence().estimate(batches(rows), 0.95), Sequence().estimate(batches(1 - rows), 0.95)
    np.testing.assert_allclose(right.low, 1 - wrong.high, atol=1e-9)
    np.testing.assert_allclose(right.high, 1 - wrong.low, atol=1e-9)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_none_and_all_right_reach_to_0_and_to_1_and_have_a_width(n):
    none, full = (Sequence().estimate(batches(np.full((1, n), value)), 0.95) for value in (0.0, 1.0))
    assert (none.low[0], full.high[0]) == (0, 1)
    assert none.high[0] > 0
    assert full.low[0] < 1


def test_it_takes_no_cap():
    assert Sequence().with_cap(3.0) == Sequence()
