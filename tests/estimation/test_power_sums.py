"""The terms that are summed, and from where values are counted."""

import numpy as np
import pytest

from pipeline.estimation.power_sums import PowerSums, slope_of
from pipeline.sampling import MEMBERS
from pipeline.sampling.with_replacement import IndependentPlan
from tests.populations import scored_of, some_scores

VALUES = np.array([0.5, 2.0, 0.0, 4.0])


def test_a_plain_mean_needs_the_centred_powers():
    terms = PowerSums.of(VALUES, IndependentPlan(4, 2), metric="loss")
    off = VALUES - VALUES.mean()
    np.testing.assert_allclose(terms.columns, np.column_stack([off, off**2, off**3]))
    assert (terms.kind, terms.is_share, terms.centre) == ("plain", False, (VALUES.mean(), 0.0))


def test_the_powers_of_zeros_and_ones_are_the_values_themselves():
    terms = PowerSums.of(np.array([0.0, 1.0, 1.0]), IndependentPlan(3, 2), metric="accuracy")
    assert terms.is_share
    np.testing.assert_array_equal(terms.columns, [[0.0], [1.0], [1.0]])


@pytest.mark.parametrize(("metric", "origin"), [("loss", 0.0), ("accuracy", 1.0), ("top_3", 1.0), ("brier", 0.0)])
def test_under_unequal_chances_the_errors_of_a_share_are_expanded(metric, origin):
    scored = scored_of(some_scores(80), MEMBERS["importance"](), 10)
    values = scored.scores.correct.astype(float)
    terms = PowerSums.of(values, scored.plan, metric=metric)
    assert terms.origin == origin
    np.testing.assert_allclose(terms.a, (values - origin) * scored.plan.expansion)
    plain = PowerSums.of(values, IndependentPlan(80, 10), metric=metric)
    assert plain.origin == 0.0


def test_unequal_weights_make_a_ratio_and_a_proxy_a_difference():
    ratio = PowerSums.of(VALUES, IndependentPlan(4, 2), metric="loss", sizes=np.array([1.0, 2.0, 3.0, 4.0]))
    assert (ratio.kind, ratio.x_mean, ratio.x_most, ratio.columns.shape) == ("ratio", 2.5, 4.0, (4, 9))
    scored = scored_of(some_scores(60), MEMBERS["difference"](), 10)
    difference = PowerSums.of(scored.scores.loss, scored.plan, metric="loss")
    assert (difference.kind, difference.columns.shape) == ("difference", (60, 9))
    np.testing.assert_array_equal(difference.x, scored.plan.auxiliary("loss"))


def test_the_sums_of_batches_by_place_and_in_order_agree():
    values = np.random.default_rng(0).lognormal(size=60)
    terms = PowerSums.of(values, IndependentPlan(60, 6), metric="loss")
    at = np.arange(60).reshape(10, 6)
    np.testing.assert_allclose(terms.sums_at(at, IndependentPlan(60, 6)), terms.sums_by(6), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(terms.sums_by(6)[:, 0], [terms.columns[rows].sum(axis=0) for rows in at], atol=1e-12)


def test_the_slope_takes_the_larger_spread_and_is_0_for_a_proxy_that_is_constant():
    scored = scored_of(some_scores(60), MEMBERS["difference"](), 10)
    terms = PowerSums.of(scored.scores.loss, scored.plan, metric="loss")
    spread = np.array([terms.x_spread / 4, terms.x_spread * 4])
    np.testing.assert_allclose(slope_of(terms, np.ones(2), spread), [1 / terms.x_spread, 1 / (4 * terms.x_spread)])
    flat = PowerSums.of(VALUES, IndependentPlan(4, 2), metric="loss", sizes=np.ones(4))
    np.testing.assert_array_equal(slope_of(flat, np.ones(2), np.zeros(2)), [0.0, 0.0])


def test_a_slope_that_is_held_back_under_unequal_chances_is_so_towards_the_ratio():
    scored = scored_of(some_scores(80), MEMBERS["importance"](), 10)
    terms = PowerSums.of(scored.scores.loss, scored.plan, metric="loss")
    half = np.array([terms.x_spread / 2])
    # Half of the batch's slope of 3, and half of the ratio of 1.
    np.testing.assert_allclose(slope_of(terms, 3 * half, half, np.array([1.0])), [2.0])
    assert terms.x_mean == pytest.approx(1.0)
    assert terms.x_spread == pytest.approx(scored.plan.chances @ (scored.plan.expansion - 1) ** 2)
