from math import comb

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.draws import draw_batches
from pipeline.interval.accuracy.clopper_pearson import ClopperPearson
from pipeline.sampling import MEMBERS
from tests.populations import batches, scored_of, some_scores


def estimate(k, n, confidence=0.95, population_size=None):
    rows = np.arange(n) < np.atleast_1d(k)[:, None]
    return ClopperPearson().estimate(batches(rows, population_size), confidence)


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_against_scipys_binomtest(n, confidence):
    counts = np.unique(np.linspace(0, n, 11).astype(int))
    found = estimate(counts, n, confidence)
    for i, k in enumerate(counts):
        expected = stats.binomtest(int(k), n).proportion_ci(confidence, method="exact")
        assert found.low[i] == pytest.approx(expected.low, abs=1e-9)
        assert found.high[i] == pytest.approx(expected.high, abs=1e-9)


def test_the_published_examples_of_newcombe_1998():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 5 (exact).
    published = [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)]
    for k, n, low, high in published:
        found = estimate(k, n)
        assert (round(float(found.low[0]), 4), round(float(found.high[0]), 4)) == (low, high)


def tails(n, size):
    """P(X ≥ k) and P(X ≤ k) for every K, k, in whole numbers over C(N, n)."""
    chance = np.array([[comb(K, k) * comb(size - K, n - k) / comb(size, n) for k in range(n + 1)]
                       for K in range(size + 1)])  # fmt: skip
    return chance, chance[:, ::-1].cumsum(axis=1)[:, ::-1], chance.cumsum(axis=1)


@pytest.mark.parametrize(("n", "size"), [(1, 1), (1, 2), (3, 4), (7, 8), (10, 20), (13, 40), (39, 40), (5, 60)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_without_replacement_against_all_counts_that_neither_exact_test_rejects(n, size, confidence):
    _, above, below = tails(n, size)
    found = estimate(np.arange(n + 1), n, confidence, size)
    # A chance that is the level itself, but for rounding, does not reject.
    level = (1 - confidence) / 2 * (1 - 1e-9)
    for k in range(n + 1):
        left = np.flatnonzero((above[:, k] > level) & (below[:, k] > level))
        assert found.low[k] == pytest.approx(min(left[0] / size, k / n), abs=1e-12)
        assert found.high[k] == pytest.approx(max(left[-1] / size, k / n), abs=1e-12)


@pytest.mark.parametrize(("n", "size"), [(1, 9), (10, 20), (13, 40), (39, 40)])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_without_replacement_it_holds_what_it_promises_whatever_the_population(n, size, confidence):
    chance, _, _ = tails(n, size)
    found = estimate(np.arange(n + 1), n, confidence, size)
    truth = np.arange(size + 1)[:, None] / size
    holds = (found.low <= truth + 1e-12) & (truth - 1e-12 <= found.high)
    assert (chance * holds).sum(axis=1).min() >= confidence - 1e-12


def test_a_large_population_without_replacement_is_nearly_one_with():
    counts = np.arange(0, 51, 5)
    free, finite = estimate(counts, 50), estimate(counts, 50, population_size=2_000_000)
    np.testing.assert_allclose(finite.low, free.low, atol=2e-5)
    np.testing.assert_allclose(finite.high, free.high, atol=2e-5)


def test_none_and_all_right_reach_to_0_and_to_1_exactly():
    for size in (None, 30):
        found = estimate([0, 7], 7, population_size=size)
        assert (found.low[0], found.high[1]) == (0.0, 1.0)
        assert found.high[0] > 0
        assert found.low[1] < 1


def test_one_row_against_the_roots_of_one_binomial_chance():
    found = estimate([0, 1], 1)
    np.testing.assert_allclose(found.high, [0.975, 1.0])
    np.testing.assert_allclose(found.low, [0.0, 0.025])


@pytest.mark.parametrize("target", ["population", "superpopulation"])
def test_under_strata_the_beta_quantiles_are_those_of_the_effective_rows(target):
    rows = draw_batches(
        scored_of(some_scores(400), MEMBERS["stratified"](), 60), seed=1, draws=20, target=target
    )["accuracy"]  # fmt: skip
    found = ClopperPearson().estimate(rows, 0.9)
    right, wrong = rows.mean * rows.effective, (1 - rows.mean) * rows.effective
    assert not rows.is_simple
    np.testing.assert_allclose(found.low, stats.beta.ppf(0.05, right, wrong + 1), rtol=1e-9)
    np.testing.assert_allclose(found.high, stats.beta.ppf(0.95, right + 1, wrong), rtol=1e-9)


def test_for_the_world_the_whole_population_is_a_binomial_sample():
    scores = some_scores(90)
    rows = draw_batches(
        scored_of(scores, MEMBERS["without_replacement"](), 90), seed=0, draws=1, target="superpopulation"
    )["accuracy"]  # fmt: skip
    found = ClopperPearson().estimate(rows, 0.95)
    expected = stats.binomtest(int(scores.correct.sum()), 90).proportion_ci(0.95, method="exact")
    np.testing.assert_allclose((found.low[0], found.high[0]), tuple(expected), rtol=1e-9)
