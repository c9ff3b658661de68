"""What of a design's ratio is chance: held against enumeration, SciPy and simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.multiple_tests import holm
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from pipeline.study.planning.chance import Chance, bias_p, bias_z, chance_of, plans_of, ratio_range, seeds_of
from tests.populations import frame_of, scored_of, some_scores

NEYMAN = MEMBERS["stratified"](by="proxy", allocation="neyman", strata=3, pilot=30)


def test_a_design_by_a_pilot_has_a_hundred_plans_of_which_the_first_is_the_configured_one():
    frame = frame_of(some_scores(200))
    plans = plans_of(NEYMAN, frame, 40)
    assert len(plans) == 100
    np.testing.assert_array_equal(plans[0].parts.drawn, NEYMAN.plan(frame, 40).parts.drawn)
    assert len({tuple(plan.parts.drawn) for plan in plans}) > 3
    assert {int(plan.parts.drawn.sum()) for plan in plans} == {40}


def test_neighbouring_seeds_share_no_pilot():
    seeds = [seed for own in range(20) for seed in seeds_of(own, 100)]
    assert len(set(seeds)) == 2000
    assert seeds_of(3, 1) == [3]
    assert seeds_of(3, 100) == seeds_of(3, 100)
    frame = frame_of(some_scores(200))
    first, second = (plans_of(MEMBERS["stratified"](**{**vars(NEYMAN), "seed": seed}), frame, 40) for seed in (0, 1))
    same = [tuple(plan.parts.drawn) for plan in first[1:]] == [tuple(plan.parts.drawn) for plan in second[:-1]]
    assert not same


@pytest.mark.parametrize(
    "design", [MEMBERS["stratified"](), MEMBERS["importance"](), MEMBERS["stratified"](allocation="neyman", pilot=200)]
)
def test_a_design_without_a_pilot_or_with_one_of_all_rows_has_one_plan(design):
    assert len(plans_of(design, frame_of(some_scores(200)), 40)) == 1


def test_a_systematic_sample_of_a_sorted_order_is_ranked_and_of_a_random_one_it_is_not():
    scores = some_scores(2_000)
    by_loss = scores.take(np.argsort(scores.loss, kind="stable"))
    for own, is_ranked in ((by_loss, True), (scores, False)):
        found = chance_of(scored_of(own, MEMBERS["systematic"](), 10), "loss", 0)
        assert found.different == 200
        assert found.is_ranked == is_ranked
        assert (found.as_good < 0.01) == is_ranked


def test_of_few_batches_even_a_sorted_order_is_not_ranked():
    scores = some_scores(1_000)
    by_loss = scores.take(np.argsort(scores.loss, kind="stable"))
    found = chance_of(scored_of(by_loss, MEMBERS["systematic"](), 100), "loss", 0)
    assert found.different == 10
    assert found.as_good < 0.01
    assert not found.is_ranked
    assert chance_of(scored_of(scores, MEMBERS["stratified"](), 100), "loss", 0) == Chance()


def test_the_share_of_random_orders_as_good_is_uniform_where_the_order_is_random_against_the_ks_test():
    rng = np.random.default_rng(1)
    shares = []
    for _ in range(60):
        loss = rng.exponential(size=60)
        shares.append(chance_of(scored_of(Scores(loss, loss < 1), MEMBERS["systematic"](), 6), "loss", 0).as_good)
    assert stats.kstest(shares, "uniform").pvalue > 0.01


def test_the_range_of_a_systematic_samples_ratio_is_the_chi_squared_one_and_holds_in_simulation():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        means = rng.standard_normal(10)
        ratio = 1 / means.var(ddof=1)
        low, high = ratio_range(ratio, math.nan, math.nan, np.ones(1), Chance(10))
        held += low <= 1 <= high
    assert held >= stats.binom.ppf(0.001, 400, 0.95)
    assert low == pytest.approx(ratio * stats.chi2.ppf(0.025, 9) / 9)
    assert high == pytest.approx(ratio * stats.chi2.ppf(0.975, 9) / 9)


def test_the_range_is_that_of_the_pilots_where_there_are_some_and_else_that_of_the_draws():
    pilots = np.linspace(1, 2, 100)
    assert ratio_range(1.4, 1.5, 0.1, pilots, Chance()) == tuple(np.quantile(pilots, [0.025, 0.975]))
    low, high = ratio_range(1.4, 1.5, 0.1, np.ones(1), Chance())
    assert math.sqrt(low * high) == pytest.approx(1.5)
    assert high / 1.5 == pytest.approx(math.exp(1.96 * 0.1 / 1.5))


def test_unbiased_means_of_a_long_tail_are_called_biased_no_more_often_than_they_may_be():
    rng = np.random.default_rng(3)
    errors = rng.lognormal(0, 1.8, (3_000, 400)) - math.exp(1.8**2 / 2)
    plain = errors.mean(axis=1) / errors.std(axis=1) * math.sqrt(400)
    corrected = np.array([bias_z(own) for own in errors])
    limit = stats.norm.isf(0.0005)
    # Of ten such tests in a thousand one may be beyond ±3.3; the plain ones are, in one of twenty.
    assert np.mean(np.abs(plain) > limit) > 0.03
    assert np.mean(np.abs(corrected) > limit) < np.mean(np.abs(plain) > limit) / 2
    assert math.isnan(bias_z(np.zeros(5)))


def test_all_tests_of_bias_are_judged_together_by_holm():
    z = [-3.6, 0.1, math.nan, 2.0]
    expected = holm(2 * stats.norm.sf(np.abs(z)))
    np.testing.assert_allclose(bias_p(z), expected)
    assert bias_p([-3.6, *[0.5] * 29])[0] > 0.009
