"""All pairs at once: Tukey's studentised range, Student's t for two models, and the promise by simulation."""

import time

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.league import league_of
from pipeline.runtime.cores import blas_in_one_thread
from pipeline.sampling.units import Units


def test_two_models_have_nearly_students_paired_interval():
    values = np.random.default_rng(0).normal([[0.0], [0.1]], 1.0, (2, 200))
    found = league_of(values, is_better_low=True, confidence=0.95)
    test = stats.ttest_rel(values[1], values[0])
    assert (found.low[1, 0], found.high[1, 0]) == pytest.approx(tuple(test.confidence_interval(0.95)), rel=0.05)
    assert found.p[1, 0] == pytest.approx(test.pvalue, abs=0.02)


def test_independent_models_of_one_spread_have_tukeys_critical_value():
    rng, k, n = np.random.default_rng(1), 6, 15
    values = rng.normal(size=(k, n))
    # Made exactly uncorrelated and of variance 1.
    values -= values.mean(axis=1, keepdims=True)
    values = np.linalg.solve(np.linalg.cholesky(values @ values.T / (n - 1)), values)
    found = league_of(values, is_better_low=True, confidence=0.95)
    reach = (found.high[0, 1] - found.low[0, 1]) / 2
    expected = stats.studentized_range.ppf(0.95, k, n - 1) / np.sqrt(n)
    assert reach == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("kind", ["loss", "accuracy", "groups"])
def test_all_true_ranks_are_in_their_intervals_as_often_as_promised(kind):
    rng, draws, missed = np.random.default_rng(7), 400, 0
    true = np.array([0.0, 0.0, 0.1, 0.1, 0.3])
    units = Units(400, None, np.arange(400), np.arange(0, 401, 10)) if kind == "groups" else None
    for _ in range(draws):
        shared = rng.normal(size=400)
        if kind == "groups":
            shared = np.repeat(rng.normal(size=40), 10) * np.array([1, 1.2, 0.8, 1, 1])[:, None]
        values = true[:, None] + shared + rng.normal(size=(5, 400))
        if kind == "accuracy":
            values = (values > 0).astype(float)
        found = league_of(values, is_better_low=True, confidence=0.95, units=units)
        # Models that are equally good share the ranks 1 and 2, and 3 and 4.
        best = np.array([1, 1, 3, 3, 5])
        worst = np.array([2, 2, 4, 4, 5])
        missed += bool((found.rank_low > best).any() or (found.rank_high < worst).any())
    assert missed <= stats.binom.ppf(0.999, draws, 0.05)


def test_ties_have_one_place_and_models_that_never_differ_are_never_ranked_apart():
    one = np.random.default_rng(2).normal(size=300)
    found = league_of(np.array([one, one, one + 1.0, one - 1.0]), is_better_low=True, confidence=0.95)
    assert found.place.tolist() == [2, 2, 4, 1]
    assert found.rank_low.tolist() == [2, 2, 4, 1]
    assert found.rank_high.tolist() == [3, 3, 4, 1]
    assert found.p[0, 1] == 1.0
    best_high = league_of(np.array([one, one + 1.0]), is_better_low=False, confidence=0.95)
    assert best_high.place.tolist() == [2, 1]


def test_fifty_models_on_a_hundred_thousand_rows_take_seconds_of_the_processor():
    values = np.random.default_rng(3).normal(size=(50, 100_000))
    # Threads of BLAS that wait for work take the processor's time too.
    with blas_in_one_thread():
        start = time.process_time()
        found = league_of(values, is_better_low=True, confidence=0.95)
        seconds = time.process_time() - start
    assert seconds < 15
    assert found.rank_high.min() > 25
