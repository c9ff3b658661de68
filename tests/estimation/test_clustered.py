"""Means of groups: by the textbook's formula, by enumeration, and the promise of the interval by simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.clustered import clustered_mean, sign_flip_p
from pipeline.sampling.units import Units


def grouped(groups, weights=None):
    order = np.argsort(groups, kind="stable")
    return Units(len(groups), weights, order, np.concatenate([[0], np.cumsum(np.bincount(groups))]))


def test_the_variance_is_that_of_a_ratio_of_sums_over_groups():
    rng = np.random.default_rng(0)
    groups = np.sort(rng.integers(0, 12, 90))
    values = rng.normal(size=90) + groups
    found = clustered_mean(values, grouped(groups))
    off = np.array([(values - values.mean())[groups == g].sum() for g in range(12)])
    # The sandwich of a regression on a constant, with the correction G/(G-1) alone.
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(np.sqrt(12 / 11 * (off**2).sum()) / 90)
    low, high = stats.t.interval(0.9, 11, values.mean(), found.error)
    assert found.interval(0.9) == pytest.approx((low, high))


def test_groups_of_one_row_have_students_interval_and_p():
    values = np.random.default_rng(1).normal(0.3, 1, 25)
    found, test = clustered_mean(values, grouped(np.arange(25))), stats.ttest_1samp(values, 0)
    assert found.p == pytest.approx(test.pvalue)
    assert found.interval(0.95) == pytest.approx(tuple(test.confidence_interval(0.95)))


def test_weights_are_those_of_a_weighted_mean():
    rng = np.random.default_rng(2)
    values, weights = rng.normal(size=30), rng.uniform(0.5, 2, 30)
    assert clustered_mean(values, grouped(np.arange(30) // 3, weights)).value == pytest.approx(
        np.average(values, weights=weights)
    )


def test_few_groups_flip_their_signs_in_every_way():
    totals = np.array([0.5, -0.2, 1.7, 0.9, 0.4, -0.1])
    sums = [abs(np.dot(signs, totals)) for signs in itertools.product((1, -1), repeat=6)]
    assert sign_flip_p(totals) == pytest.approx(np.mean(np.array(sums) >= abs(totals.sum()) - 1e-9))
    assert sign_flip_p(totals) == pytest.approx(
        stats.permutation_test(
            (totals,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
        ).pvalue
    )


def test_of_many_groups_the_drawn_flips_are_near_the_normal_p_value():
    totals = np.random.default_rng(3).normal(0.25, 1, 80)
    expected = 2 * stats.norm.sf(abs(totals.sum()) / np.sqrt((totals**2).sum()))
    assert sign_flip_p(totals) == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999) + 0.005)
    assert sign_flip_p(np.zeros(80)) == 1.0


@pytest.mark.parametrize("n_groups", [8, 40])
def test_the_interval_holds_the_truth_as_often_as_promised_and_flips_claim_no_more(n_groups):
    rng, draws = np.random.default_rng(n_groups), 1500
    groups = np.repeat(np.arange(n_groups), 5)
    units, held, claimed = grouped(groups), 0, 0
    for _ in range(draws):
        values = rng.normal(size=n_groups)[groups] + rng.normal(size=len(groups))
        found = clustered_mean(values, units)
        low, high = found.interval(0.95)
        held += low <= 0 <= high
        claimed += n_groups == 8 and sign_flip_p(found.totals) <= 0.05
    assert held >= stats.binom.ppf(0.001, draws, 0.95)
    assert claimed <= stats.binom.ppf(0.999, draws, 0.05)
