import numpy as np
import pytest
from scipy import stats

from pipeline.interval.loss.normal import Normal
from tests.populations import batches


def estimate(rows, confidence=0.95, population_size=None):
    return Normal().estimate(batches(np.atleast_2d(rows), population_size), confidence)


@pytest.mark.parametrize("n", [2, 5, 100])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_against_scipys_normal_around_the_mean_with_its_standard_error(n, confidence):
    rows = np.random.default_rng(n).exponential(size=(4, n))
    found = estimate(rows, confidence)
    low, high = stats.norm.interval(confidence, rows.mean(axis=1), stats.sem(rows, axis=1))
    np.testing.assert_allclose(found.low, low, rtol=1e-12)
    np.testing.assert_allclose(found.high, high, rtol=1e-12)


def test_of_a_normal_mean_it_holds_what_students_t_says_which_is_less_than_promised():
    rows = np.random.default_rng(5).normal(3, 2, size=(20_000, 4))
    found = estimate(rows)
    held = int(((found.low <= 3) & (found.high >= 3)).sum())
    truth = 2 * stats.t.cdf(stats.norm.ppf(0.975), 3) - 1
    assert truth < 0.86
    assert stats.binomtest(held, 20_000, truth).pvalue > 0.001


def test_the_finite_population_correction_shrinks_it_by_the_root_of_what_is_left():
    rows = np.random.default_rng(1).normal(size=(3, 25))
    free, finite = estimate(rows), estimate(rows, population_size=100)
    np.testing.assert_allclose(finite.high - finite.low, (free.high - free.low) * np.sqrt(0.75))


def test_one_row_and_an_infinite_loss_leave_all_numbers_possible():
    for rows in ([2.0], [1.0, np.inf, 0.5]):
        found = estimate(rows)
        assert (found.low[0], found.high[0]) == (-np.inf, np.inf)
