"""Estimates and the moments of their errors, from sums, against closed forms over all batches there can be."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.draws import draw_batches
from pipeline.estimation.moments import to_batches
from pipeline.estimation.power_sums import PowerSums
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval import accuracy
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from pipeline.sampling.units import Units
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from tests.populations import frame_of, scored_of, some_scores

VALUES = np.array([0.1, 0.4, 0.5, 2.0, 3.5, 0.2])


def batches_of_all(plan, n, **options):
    at = np.array(list(combinations(range(len(VALUES)), n)))
    terms = PowerSums.of(VALUES, plan, metric="loss", **options)
    return to_batches(terms, terms.sums_at(at, plan), plan), at


@pytest.mark.parametrize("n", [2, 3, 5])
def test_over_all_batches_the_variance_is_unbiased(n):
    found, at = batches_of_all(SimplePlan(6, n), n)
    np.testing.assert_allclose(found.mean, VALUES[at].mean(axis=1))
    assert found.error_variance.mean() == pytest.approx(VALUES[at].mean(axis=1).var(), rel=1e-12)
    np.testing.assert_array_equal(found.degrees, n - 1)
    assert (found.population_size, found.is_simple) == (6, True)


def test_a_batch_of_all_rows_leaves_no_error():
    found, _ = batches_of_all(SimplePlan(6, 6), 6)
    np.testing.assert_allclose(found.error_variance, 0.0, atol=1e-18)
    assert found.mean[0] == pytest.approx(VALUES.mean())


def test_a_batch_of_one_row_has_no_known_error():
    found, _ = batches_of_all(IndependentPlan(6, 1), 1)
    assert np.isnan(found.error_variance).all()


def test_a_ratio_is_the_weighted_mean_and_its_error_that_of_the_residuals():
    sizes = np.array([1.0, 2.0, 1.0, 3.0, 2.0, 1.0])
    plan = IndependentPlan(6, 3)
    at = np.array([[0, 1, 3], [2, 4, 5]])
    terms = PowerSums.of(VALUES * sizes, plan, metric="loss", sizes=sizes)
    found = to_batches(terms, terms.sums_at(at, plan), plan)
    for i, rows in enumerate(at):
        ratio = (VALUES * sizes)[rows].sum() / sizes[rows].sum()
        residuals = ((VALUES * sizes)[rows] - ratio * sizes[rows]) / sizes[rows].mean()
        assert found.mean[i] == pytest.approx(ratio)
        assert found.error_variance[i] == pytest.approx(residuals.var(ddof=1) / 3)
    assert not found.is_simple


def test_for_the_superpopulation_there_is_no_finite_population_correction():
    plan = SimplePlan(6, 4)
    at = np.array([[0, 1, 2, 3]])
    terms = PowerSums.of(VALUES, plan, metric="loss")
    found = to_batches(terms, terms.sums_at(at, plan), plan, target="superpopulation")
    assert found.error_variance[0] == pytest.approx(VALUES[:4].var(ddof=1) / 4)
    assert found.population_size is None


@pytest.mark.parametrize("plan", [SimplePlan(6, 4), IndependentPlan(6, 4)])
def test_a_units_own_moments_have_no_finite_population_correction(plan):
    found, at = batches_of_all(plan, 4)
    rows = VALUES[at]
    np.testing.assert_allclose(found.unit_variance, rows.var(axis=1, ddof=1))
    cubes = (rows - rows.mean(axis=1, keepdims=True)) ** 3
    np.testing.assert_allclose(found.unit_third, cubes.mean(axis=1), atol=1e-14)


def test_the_most_that_a_row_counts_is_the_largest_weight_of_chances_or_of_strata():
    scores = some_scores(80)
    assert (
        draw_batches(scored_of(scores, MEMBERS["without_replacement"](), 10), seed=0, draws=2)["loss"].most_weight == 1
    )
    chances = scored_of(scores, MEMBERS["importance"](mix=0.5), 10)
    found = draw_batches(chances, seed=0, draws=2)["loss"].most_weight
    assert found == pytest.approx(1 / (80 * chances.plan.chances.min()))
    strata = scored_of(scores, MEMBERS["stratified"](by="proxy", strata=4, allocation="neyman", pilot=80), 20)
    found = draw_batches(strata, seed=0, draws=2)["loss"].most_weight
    assert found == pytest.approx((20 / strata.plan.parts.drawn).max() / 4)


@pytest.mark.parametrize("name", ["blaker", "clopper_pearson"])
def test_a_share_under_unequal_chances_holds_where_half_of_the_errors_are_where_the_proxy_sees_none(name):
    rng = np.random.default_rng(6)
    difficulty = rng.exponential(size=3_000) ** 3
    is_wrong = rng.random(3_000) < np.where(difficulty > 5, 0.4, 0.02)
    scores = Scores(is_wrong + 0.1, ~is_wrong)
    for rows in (30, 100):
        scored = scored_of(scores, MEMBERS["importance"](), rows, frame=frame_of(scores, difficulty=difficulty))
        batches = draw_batches(scored, seed=1, draws=2_000)["accuracy"]
        found = accuracy.MEMBERS[name]().estimate(batches, 0.95)
        held = np.mean((found.low <= scored.mean("accuracy")) & (scored.mean("accuracy") <= found.high))
        assert held * 2_000 >= stats.binom.ppf(0.001, 2_000, 0.95)
        # A batch without an error counts as many rows less as an error there would count more.
        none = batches.mean == 1
        np.testing.assert_allclose(batches.effective[none], rows / batches.most_weight)


def test_a_share_of_ten_groups_holds_where_few_groups_hold_most_errors():
    rng = np.random.default_rng(7)
    wrong = rng.random((2_000, 10)) < rng.beta(0.12, 2.2, 2_000)[:, None]
    scores = Scores(wrong.ravel() + 0.1, ~wrong.ravel())
    units = Units(20_000, starts=np.arange(0, 20_001, 10))
    for groups in (10, 20, 50):
        scored = ScoredUnits(scores, units, IndependentPlan(2_000, groups))
        batches = draw_batches(scored, seed=1, draws=1_500)["accuracy"]
        found = accuracy.MEMBERS["blaker"]().estimate(batches, 0.95)
        held = np.mean((found.low <= scored.mean("accuracy")) & (scored.mean("accuracy") <= found.high))
        assert held * 1_500 >= stats.binom.ppf(0.001, 1_500, 0.95)


def test_groups_that_are_all_alike_count_as_their_rows_do():
    scores = Scores(np.full(400, 0.5), np.tile([True, True, True, False], 100))
    scored = ScoredUnits(scores, Units(400, starts=np.arange(0, 401, 4)), IndependentPlan(100, 10))
    # No group differs from another, so that the design effect is not known, and taken to be 1.
    assert draw_batches(scored, seed=0, draws=3)["accuracy"].effective.tolist() == [10.0] * 3


def test_one_unit_of_the_world_tells_no_error_though_it_is_the_whole_population():
    terms = PowerSums.of(VALUES[:1], SimplePlan(1, 1), metric="loss")
    sums = terms.sums_at(np.array([[0]]), SimplePlan(1, 1))
    assert np.isnan(to_batches(terms, sums, SimplePlan(1, 1), target="superpopulation").error_variance).all()
    assert to_batches(terms, sums, SimplePlan(1, 1)).error_variance == 0
