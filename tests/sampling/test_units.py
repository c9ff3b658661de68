import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.estimation.draws import batches_with_values, draw_batches
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval.loss.t import T
from pipeline.records.rows import Dataset
from pipeline.records.scores import Scores
from pipeline.sampling.units import units_of
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan


def rows_of(groups=None, weights=None, n=None):
    n = n or len(groups if groups is not None else weights)
    return Dataset(np.zeros((n, 1), np.float32), np.zeros(n, int), 2, 1.0, "rows", "d", groups, weights)


@given(seed=st.integers(0, 2**32), n=st.integers(2, 40), n_groups=st.integers(2, 8), weighted=st.booleans())
def test_totals_are_the_sums_over_each_groups_rows(seed, n, n_groups, weighted):
    rng = np.random.default_rng(seed)
    groups = np.unique(rng.integers(0, n_groups, n), return_inverse=True)[1]
    weights = rng.random(n) + 0.1 if weighted else None
    values, units = rng.random(n), units_of(rows_of(groups, weights))
    w = np.ones(n) if weights is None else weights
    expected = [(w * values)[groups == g].sum() for g in range(units.size)]
    np.testing.assert_allclose(units.totals(values), expected)
    np.testing.assert_allclose(units.sizes(), [w[groups == g].sum() for g in range(units.size)])
    some = rng.permutation(units.size)[: max(1, units.size // 2)]
    rows = units.rows_of(some)
    assert sorted(rows) == sorted(np.flatnonzero(np.isin(groups, some)))
    np.testing.assert_allclose(units.totals(values[rows], some), np.array(expected)[some])


def test_rows_alike_are_units_without_sizes():
    units = units_of(rows_of(n=4))
    assert units.is_simple
    assert units.size == 4
    assert units.sizes() is None


@pytest.mark.parametrize("plan", [IndependentPlan, SimplePlan])
def test_a_weighted_mean_and_its_variance_against_simulation(plan):
    rng = np.random.default_rng(3)
    n = 400
    weights = rng.lognormal(0, 0.4, n)
    scores = Scores(rng.exponential(0.3, n) * weights**0.5, rng.random(n) < 0.8)
    scored = ScoredUnits(scores, units_of(rows_of(weights=weights)), plan(n, 80))
    found = draw_batches(scored, seed=0, draws=4000)
    for metric, values in (("loss", scores.loss), ("accuracy", scores.correct)):
        truth, batches = np.average(values, weights=weights), found[metric]
        assert scored.mean(metric) == pytest.approx(truth)
        drawn = plan(n, 80).batch(0, 7).indices
        assert batches.mean[7] == pytest.approx(np.average(values[drawn], weights=weights[drawn]))
        spread = batches.mean.std()
        # A ratio's bias is of the order of 1/b: here 1/80 of what is summed.
        assert abs(batches.mean.mean() - truth) < 4 * spread / np.sqrt(4000) + truth / 80
        assert scored.error_variance(metric) == pytest.approx(spread**2, rel=0.1)
        assert batches.error_variance.mean() == pytest.approx(spread**2, rel=0.12)


@pytest.mark.parametrize("plan", [IndependentPlan, SimplePlan])
def test_the_expanded_values_of_groups_are_unbiased_and_within_their_bounds(plan):
    rng = np.random.default_rng(4)
    groups = np.unique(rng.integers(0, 60, 500), return_inverse=True)[1]
    scores = Scores(rng.random(500), rng.random(500) < 0.7)
    units = units_of(rows_of(groups))
    scored = ScoredUnits(scores, units, plan(units.size, 20))
    means = []
    for _, found in batches_with_values(scored, seed=0, draws=4000):
        low, high = found["loss"].bounds
        assert found["loss"].expanded.min() >= low
        assert found["loss"].expanded.max() <= high
        means.append(found["loss"].expanded.mean(axis=1))
    means = np.concatenate(means)
    assert abs(means.mean() - scores.loss.mean()) < 4.5 * means.std() / np.sqrt(4000)


def correlated(rng, n_groups=200, n_each=10):
    """Rows of a group share most of their loss, as the passages of one text do."""
    shared = rng.normal(1.0, 0.5, n_groups)
    loss = np.repeat(shared, n_each) + rng.normal(0, 0.2, n_groups * n_each)
    return np.repeat(np.arange(n_groups), n_each), Scores(loss, loss < 1.3)


def test_ignoring_groups_is_wrong_and_counting_them_is_right_on_correlated_rows():
    groups, scores = correlated(np.random.default_rng(5))
    truth, draws = scores.loss.mean(), 2000
    units = units_of(rows_of(groups))
    found = draw_batches(ScoredUnits(scores, units, IndependentPlan(200, 30)), seed=1, draws=draws)["loss"]
    clustered = T().estimate(found, 0.95)
    held = int(((clustered.low <= truth) & (truth <= clustered.high)).sum())
    assert stats.binomtest(held, draws, 0.95).pvalue > 0.001
    # The same 30 groups, their 300 rows taken for a simple random sample.
    plan = IndependentPlan(200, 30)
    wrong = 0
    for i in range(draws):
        rows = scores.loss[units.rows_of(plan.batch(1, i).indices)]
        reach = stats.t.ppf(0.975, len(rows) - 1) * rows.std(ddof=1) / np.sqrt(len(rows))
        wrong += abs(rows.mean() - truth) <= reach
    # Such rows count for 3 of 10: an interval that takes them for 10 misses more than three times in ten.
    assert wrong / draws < 0.7


def test_a_group_a_row_is_the_same_as_no_groups():
    rng = np.random.default_rng(6)
    scores = Scores(rng.exponential(size=90), rng.random(90) < 0.9)
    grouped = ScoredUnits(scores, units_of(rows_of(np.arange(90))), SimplePlan(90, 25))
    plain = ScoredUnits(scores, units_of(rows_of(n=90)), SimplePlan(90, 25))
    for metric, batches in draw_batches(grouped, seed=2, draws=5).items():
        expected = draw_batches(plain, seed=2, draws=5)[metric]
        np.testing.assert_allclose(batches.mean, expected.mean, rtol=1e-12)
        np.testing.assert_allclose(batches.error_variance, expected.error_variance, rtol=1e-9)
        np.testing.assert_allclose(batches.error_third, expected.error_third, rtol=1e-6, atol=1e-12)
        assert grouped.error_variance(metric) == pytest.approx(plain.error_variance(metric))
