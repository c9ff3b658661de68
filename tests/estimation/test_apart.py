"""A slice against the other rows: SciPy's tests for single rows, and the chance of a false claim for groups."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.apart import apart_p
from pipeline.sampling.units import Units

RNG = np.random.default_rng(3)
VALUES, INSIDE = RNG.gamma(2.0, 1.0, 200), RNG.random(200) < 0.3
ROWS = Units(200)


def grouped(groups):
    order = np.argsort(groups, kind="stable")
    return Units(len(groups), None, order, np.concatenate([[0], np.cumsum(np.bincount(groups))]))


def test_two_means_are_compared_by_welchs_t():
    expected = stats.ttest_ind(VALUES[INSIDE], VALUES[~INSIDE], equal_var=False).pvalue
    assert apart_p(VALUES, INSIDE, ROWS, is_share=False) == pytest.approx(expected, rel=1e-10)


def test_two_shares_are_compared_by_fishers_exact_test():
    right = VALUES > 1.5
    table = [[np.sum(right & side), np.sum(~right & side)] for side in (INSIDE, ~INSIDE)]
    found = apart_p(right.astype(float), INSIDE, ROWS, is_share=True)
    assert found == pytest.approx(stats.fisher_exact(table).pvalue)


def test_an_infinite_value_leaves_no_test():
    assert math.isnan(apart_p(np.where(INSIDE, np.inf, 1.0), INSIDE, ROWS, is_share=False))


def test_rows_in_groups_that_are_single_rows_have_nearly_welchs_p():
    alone = apart_p(VALUES, INSIDE, grouped(np.arange(200)), is_share=False)
    assert alone == pytest.approx(apart_p(VALUES, INSIDE, ROWS, is_share=False), rel=0.1)


def test_groups_of_alike_rows_are_not_taken_for_independent_rows():
    rng, groups = np.random.default_rng(5), np.repeat(np.arange(40), 10)
    units, inside = grouped(groups), np.repeat(np.arange(40) < 15, 10)
    false = naive = 0
    for _ in range(600):
        values = rng.normal(size=40)[groups] + 0.1 * rng.normal(size=400)
        false += apart_p(values, inside, units, is_share=False) < 0.05
        naive += apart_p(values, inside, Units(400), is_share=False) < 0.05
    assert false <= stats.binom.ppf(0.999, 600, 0.065)
    assert naive > 200
