import numpy as np
import pytest
from scipy import stats

from pipeline.interval.loss.t import T
from tests.populations import batches


def estimate(rows, confidence=0.95, population_size=None):
    return T().estimate(batches(np.atleast_2d(rows), population_size), confidence)


@pytest.mark.parametrize("n", [2, 5, 100])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_against_scipys_t_test(n, confidence):
    rows = np.random.default_rng(n).exponential(size=(4, n))
    found = estimate(rows, confidence)
    for i, row in enumerate(rows):
        expected = stats.ttest_1samp(row, 0).confidence_interval(confidence)
        assert found.low[i] == pytest.approx(expected.low, rel=1e-12)
        assert found.high[i] == pytest.approx(expected.high, rel=1e-12)


def test_it_covers_a_normal_mean_as_often_as_it_says_within_the_binomial_bound():
    rows = np.random.default_rng(5).normal(3, 2, size=(20_000, 4))
    found = estimate(rows, 0.9)
    held = int(((found.low <= 3) & (found.high >= 3)).sum())
    assert stats.binomtest(held, 20_000, 0.9).pvalue > 0.001


def test_the_finite_population_correction_shrinks_it_by_the_root_of_what_is_left():
    rows = np.random.default_rng(1).normal(size=(3, 25))
    free, finite = estimate(rows), estimate(rows, population_size=100)
    np.testing.assert_allclose(finite.high - finite.low, (free.high - free.low) * np.sqrt(0.75))


def test_one_row_says_nothing():
    found = estimate([[2.0], [0.5]])
    assert np.isneginf(found.low).all()
    assert np.isposinf(found.high).all()
    assert np.isnan(found.standard_error).all()


def test_an_infinite_loss_in_the_batch_leaves_all_numbers_possible():
    found = estimate([1.0, np.inf, 0.5, 2.0, 0.1])
    assert (found.value[0], found.low[0], found.high[0]) == (np.inf, -np.inf, np.inf)
