"""The power of the t test, and the rows it takes, against SciPy's noncentral t, a published table, and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.paired import Question, mean_difference, n_for_power, rows_for_mean
from pipeline.estimation.t_power import rows_for_t, t_power


def scipys(n, spreads, alpha, samples=1):
    degrees, centre = samples * (n - 1), spreads * math.sqrt(n)
    end = stats.t.isf(alpha / 2, degrees)
    # Of T far below 0, which hardly comes, SciPy's function has nan.
    return stats.nct.sf(end, degrees, centre) + np.nan_to_num(stats.nct.cdf(-end, degrees, centre))


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("spreads", [0.1, 0.5, 1.68, 4.4, 30.0])
def test_the_power_is_that_of_scipys_noncentral_t(spreads, alpha, samples):
    for n in (2, 3, 5, 20, 99):
        found = t_power(n, spreads, significance=alpha, samples=samples)
        assert found == pytest.approx(scipys(n, spreads, alpha, samples), abs=1e-9)


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("spreads", [0.42, 0.5, 1.0, 1.68, 2.5, 4.4, 9.0])
@pytest.mark.parametrize("samples", [1, 2])
def test_the_rows_have_the_power_and_one_fewer_has_not(spreads, power, samples):
    n = int(rows_for_mean(spreads, 1.0, Question(power=power), samples=samples))
    assert scipys(n, spreads, 0.05, samples) >= power
    assert n == 2 or scipys(n - 1, spreads, 0.05, samples) < power


def test_two_separate_samples_take_the_numbers_of_cohens_table():
    # Cohen (1988), Statistical Power Analysis, table 2.4.1, two-sided 0.05, power 0.80: d = 0.5, 0.8, 1.0 and 1.4.
    found = [rows_for_mean(d, 2.0, Question(), samples=2) for d in (0.5, 0.8, 1.0, 1.4)]
    assert found == [64, 26, 17, 10]


def test_the_cases_for_which_the_normal_formula_says_too_few():
    assert (n_for_power(1.7, 1.0, Question()), rows_for_mean(1.7, 1.0, Question())) == (3, 5)
    assert (n_for_power(4.4, 1.0, Question()), rows_for_mean(4.4, 1.0, Question())) == (2, 3)


def test_from_a_hundred_rows_on_the_normal_formula_stays():
    for spreads in (0.28, 0.1, 0.01):
        about = n_for_power(spreads, 1.0, Question())
        assert about >= 100
        assert rows_for_mean(spreads, 1.0, Question()) == about
    assert rows_for_mean(0.0, 1.0, Question()) == math.inf


@pytest.mark.parametrize("spreads", [1e6, 1e200, math.inf])
def test_differences_without_a_spread_take_two_rows_and_no_warning(spreads):
    assert rows_for_t(spreads, about=2, power=0.8, significance=0.05) == 2


def test_a_level_next_to_0_has_a_number_too():
    n = int(rows_for_t(3.0, about=6, power=0.8, significance=1e-10))
    assert scipys(n, 3.0, 1e-10) >= 0.8 > scipys(n - 1, 3.0, 1e-10)


def test_a_paired_test_of_few_rows_has_the_power_by_simulation():
    rng, effect, draws = np.random.default_rng(8), 1.2, 20_000
    # Ten values whose variance is 1 and whose mean is the effect.
    values = rng.normal(size=10)
    values = (values - values.mean()) / values.std() + effect
    n = int(mean_difference(np.zeros(10), values, Question()).n_for_power)
    assert n == 8
    sample = rng.normal(effect, 1.0, size=(draws, n))
    count = int((stats.ttest_1samp(sample, 0, axis=1).pvalue < 0.05).sum())
    assert stats.binomtest(count, draws, scipys(n, effect, 0.05)).pvalue > 0.001
    assert count / draws > 0.8
