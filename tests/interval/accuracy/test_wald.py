import numpy as np
import pytest
from scipy import stats

from pipeline.interval.accuracy.wald import Wald
from tests.populations import batches


def estimate(k, n, confidence=0.95, population_size=None):
    rows = np.arange(n) < np.atleast_1d(k)[:, None]
    return Wald().estimate(batches(rows, population_size), confidence)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
@pytest.mark.parametrize("population_size", [None, 120])
def test_the_interval_against_its_formula_where_it_stays_within_0_and_1(confidence, population_size):
    n, k = 40, np.array([15, 20, 28])
    found, p = estimate(k, n, confidence, population_size), k / n
    left = 1 if population_size is None else 1 - n / population_size
    reach = stats.norm.ppf((1 + confidence) / 2) * np.sqrt(left * p * (1 - p) / (n - 1))
    np.testing.assert_allclose(found.low, p - reach, rtol=1e-12)
    np.testing.assert_allclose(found.high, p + reach, rtol=1e-12)


def test_it_is_cut_off_at_0_and_1():
    found = estimate([1, 19], 20)
    assert (found.low[0], found.high[1]) == (0.0, 1.0)
    assert (found.high[0], found.low[1]) != (1.0, 0.0)


def test_none_and_all_right_give_no_width_which_is_its_fault():
    found = estimate([0, 9], 9)
    assert found.low.tolist() == found.high.tolist() == [0.0, 1.0]


def test_one_row_leaves_all_shares_possible():
    found = estimate([0, 1], 1)
    assert found.low.tolist() == [0.0, 0.0]
    assert found.high.tolist() == [1.0, 1.0]


def test_of_95_percent_promised_it_holds_less_than_65_at_a_share_of_2_percent_by_the_sum_over_all_counts_of_50():
    n, p = 50, 0.02
    found = estimate(np.arange(n + 1), n)
    holds = (found.low <= p) & (p <= found.high)
    assert stats.binom.pmf(np.arange(n + 1), n, p)[holds].sum() < 0.65
