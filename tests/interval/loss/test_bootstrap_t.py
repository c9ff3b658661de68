import numpy as np
import pytest
from scipy import stats

from pipeline.interval.loss.bootstrap_t import BootstrapT
from tests.populations import batches


def some_losses(seed, m, n):
    return np.random.default_rng(seed).lognormal(-2, 1.5, (m, n))


@pytest.mark.parametrize("n", [5, 10, 100])
@pytest.mark.parametrize(("confidence", "smallest"), [(0.8, 100), (0.9, 50), (0.95, 25)])
def test_the_interval_against_scipys_t_statistic_of_every_resample(n, confidence, smallest):
    rows = some_losses(n, 3, n)
    found = BootstrapT(seed=6).estimate(batches(rows), confidence)
    at = np.random.default_rng((6, n, 0)).integers(0, n, (999, n))
    for i, row in enumerate(rows):
        # Equal values have no statistic; they go to the end that their mean says.
        again = row[at]
        is_equal = np.ptp(again, axis=1) == 0
        t = np.where(again.mean(axis=1) > row.mean(), np.inf, -np.inf)
        t[~is_equal] = stats.ttest_1samp(again[~is_equal], row.mean(), axis=1).statistic
        t.sort()
        # Of 999, the 25th smallest and the 25th largest are the quantiles of 2.5 and of 97.5 %  [Efron & Tibshirani].
        error = stats.sem(row)
        assert found.low[i] == pytest.approx(row.mean() - t[999 - smallest] * error, rel=1e-8)
        assert found.high[i] == pytest.approx(row.mean() - t[smallest - 1] * error, rel=1e-8)


@pytest.mark.parametrize("n", [2, 3])
def test_two_or_three_losses_have_too_many_resamples_of_equal_values_for_an_end(n):
    found = BootstrapT().estimate(batches(some_losses(0, 3, n)), 0.95)
    assert np.isneginf(found.low).all()
    assert np.isposinf(found.high).all()


def test_one_odd_loss_among_equal_ones_gives_no_upper_end():
    # A third of the resamples miss it, whatever n.
    found = BootstrapT().estimate(batches([[0.1] * 29 + [4.0]]), 0.95)
    assert found.high[0] == np.inf


def test_the_whole_population_has_no_width_even_of_two_rows():
    found = BootstrapT().estimate(batches(some_losses(0, 3, 2), 2), 0.95)
    np.testing.assert_array_equal(found.low, found.value)
    np.testing.assert_array_equal(found.high, found.value)


@pytest.mark.parametrize("n", [20, 100])
def test_it_covers_an_exponential_mean_as_often_as_it_says_within_a_point_by_the_binomial_bound(n):
    rows = np.random.default_rng(n).exponential(size=(4000, n))
    found = BootstrapT().estimate(batches(rows), 0.95)
    held = int(((found.low <= 1) & (found.high >= 1)).sum())
    assert stats.binomtest(held, 4000, 0.94, alternative="less").pvalue > 0.001
    assert stats.binomtest(held, 4000, 0.96, alternative="greater").pvalue > 0.001
