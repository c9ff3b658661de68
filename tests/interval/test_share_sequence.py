"""The likelihood ratios of counts against exact enumeration, and what they save."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from pipeline.interval import share_sequence
from pipeline.interval.capital import sequence_interval
from pipeline.interval.share_sequence import share_sequence_at, share_sequence_interval

WITHIN = pytest.mark.parametrize("within", [None, 0.1])
# The weights of the module's docstring.
SPREAD = [0.5**i for i in range(1, 11)]


def gamblers(within):
    """Each δ with its weight."""
    if within is None:
        return [(delta, 0.1) for delta in SPREAD]
    return [*((delta, 0.02) for delta in SPREAD), (within, 0.8)]


def orders(size, right):
    """Every order of so many right rows among N, each as likely as the others."""
    return np.array([np.isin(np.arange(size), places) for places in combinations(range(size), right)], dtype=float)


def falling(x, k):
    return math.prod(range(x - k + 1, x + 1)) if 0 <= k <= x else 0


def capital(size, k, s, f, within):
    """The mean likelihood ratio of K + d against K after s right and f wrong rows, exactly; inf where K cannot be."""
    null = falling(k, s) * falling(size - k, f)
    if not null:
        return math.inf
    others = [(min(k + max(1, round(delta * size)), size), Fraction(w)) for delta, w in gamblers(within)]
    return sum(weight * Fraction(falling(other, s) * falling(size - other, f), null) for other, weight in others)


@WITHIN
@pytest.mark.parametrize("size", [1, 2, 5, 8])
def test_the_capital_is_at_most_1_on_average_at_every_count_over_all_orders(size, within):
    for right in range(size + 1):
        every = orders(size, right)
        for t in range(size + 1):
            hits = every[:, :t].sum(axis=1).astype(int)
            mean = sum(capital(size, right, s, t - s, within) for s in hits.tolist()) / len(every)
            assert mean <= 1 + 1e-12
            # Where every beginning is possible under K it is a martingale.
            if t <= min(right, size - right):
                assert float(mean) == pytest.approx(1, abs=1e-12)


@WITHIN
@pytest.mark.parametrize("size", [1, 4, 7, 11])
@pytest.mark.parametrize("confidence", [0.5, 0.8, 0.95])
def test_orders_whose_intervals_ever_miss_are_at_most_alpha_by_enumeration(size, confidence, within):
    for right in range(size + 1):
        every = orders(size, right)
        missed = np.zeros(len(every), bool)
        for n in range(1, size + 1):
            low, high = share_sequence_interval(
                every[:, :n], confidence=confidence, population_size=size, within=within
            )
            missed |= (low > right / size + 1e-12) | (high < right / size - 1e-12)
        assert missed.mean() <= 1 - confidence


@WITHIN
@pytest.mark.parametrize("share", [0.5, 0.85, 1.0])
def test_the_ends_are_those_of_exact_capitals_tried_at_every_possible_count_of_right_rows(share, within):
    size, n, confidence = 60, 45, 0.8
    values = np.random.default_rng(3).permutation((np.arange(size) < share * size).astype(float))[:n]
    low, high = share_sequence_at(
        values, np.arange(1, n + 1), confidence=confidence, population_size=size, within=within
    )
    least = [0, 0]
    for t in range(1, n + 1):
        for side, hits in enumerate((values, 1 - values)):
            s = int(hits[:t].sum())
            while capital(size, least[side], s, t - s, within) >= 2 / (1 - confidence):
                least[side] += 1
        assert low[t - 1] == pytest.approx(least[0] / size)
        assert high[t - 1] == pytest.approx(1 - least[1] / size)


@WITHIN
def test_of_the_world_the_ends_are_those_of_a_fine_grid(within):
    grid = np.linspace(0, 1, 4_001)[1:-1]
    values = (np.random.default_rng(0).random(90) < 0.8).astype(float)
    mark = math.log(2 / 0.1)
    for side in (values, 1 - values):
        most = np.full(len(grid), -np.inf)
        for t in range(1, 91):
            s = side[:t].sum()
            logs = []
            for delta, weight in gamblers(within):
                other = np.minimum(grid + delta, 1.0)
                # 0 log 0 is 0.
                wrong = special.xlogy(t - s, (1 - other) / (1 - grid))
                logs.append(s * np.log(other / grid) + wrong + math.log(weight))
            most = np.maximum(most, np.logaddexp.reduce(logs))
        expected = grid[most >= mark].max(initial=0)
        low, _ = share_sequence_at(side, np.array([90]), confidence=0.9, within=within)
        assert low[0] == pytest.approx(expected, abs=2 / 4_000)


@WITHIN
@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.99])
def test_paths_that_ever_miss_are_at_most_alpha_within_the_binomial_bound(p, replace, within):
    # The interval at the last count is the intersection of all before it: it misses where any of them did.
    size, runs, n = 2000, 1000, 1500
    population = np.arange(size) < p * size
    rng = np.random.default_rng(2)
    paths = np.stack([rng.choice(population, n, replace=replace) for _ in range(runs)]).astype(float)
    low, high = share_sequence_interval(paths, confidence=0.8, population_size=None if replace else size, within=within)
    missed = int(((low > p + 1e-12) | (high < p - 1e-12)).sum())
    assert stats.binomtest(missed, runs, 0.2, alternative="greater").pvalue > 0.001
    # Not for want of trying: a sequence that can hardly miss would be too wide.
    assert missed > 0.04 * runs


def paths_of(p, n, runs):
    """The first n rows of some random orders of 100,000."""
    population = np.arange(100_000) < round(p * 100_000)
    return np.stack([np.random.default_rng((4, run)).permutation(population)[:n] for run in runs]).astype(float)


def fixed_n(p, within):
    return stats.norm.ppf(0.975) ** 2 * p * (1 - p) / within**2


@pytest.mark.parametrize("runs", [15, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("p", [0.5, 0.6, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99])
def test_two_points_are_never_missed_at_six_times_the_rows_of_a_fixed_n(p, runs):
    n = math.ceil(6 * fixed_n(p, 0.02))
    wide = 0
    for start in range(0, runs, 50):
        paths = paths_of(p, n, range(start, min(start + 50, runs)))
        low, high = share_sequence_interval(paths, confidence=0.95, population_size=100_000, within=0.02)
        wide += int(((high - low) / 2 > 0.02).sum())
    assert wide == 0


@pytest.mark.parametrize("p", [0.5, 0.75, 0.9, 0.95])
def test_half_of_the_orders_reach_two_points_by_1_8_times_the_rows_of_a_fixed_n_and_most_by_betting_do_not(p):
    n = math.ceil(1.8 * fixed_n(p, 0.02))
    paths = paths_of(p, n, range(20))
    asked = {"confidence": 0.95, "population_size": 100_000}
    aimed = share_sequence_interval(paths, within=0.02, **asked)
    betting = sequence_interval(paths, **asked)
    assert np.median(aimed[1] - aimed[0]) / 2 <= 0.02
    assert np.mean((betting[1] - betting[0]) / 2 > 0.02) > 0.75


@given(seed=st.integers(0, 2**32), n=st.integers(1, 400), more=st.integers(0, 300), finite=st.booleans())
def test_ends_depend_neither_on_later_values_nor_on_the_other_counts(seed, n, more, finite):
    values = (np.random.default_rng(seed).random(n + more) < 0.8).astype(float)
    asked = {"confidence": 0.9, "population_size": n + more + 10 if finite else None, "within": 0.05}
    counts = np.unique([1, n, n + more])
    every = share_sequence_at(values, counts, **asked)
    alone = share_sequence_at(values[:n], np.array([n]), **asked)
    at = int(np.searchsorted(counts, n))
    assert (every[0][at], every[1][at]) == (alone[0][0], alone[1][0])


@WITHIN
@pytest.mark.parametrize("size", [None, 350])
def test_a_sequence_lies_in_0_to_1_its_ends_move_inwards_and_the_last_is_that_of_many_batches(size, within):
    values = (np.random.default_rng(1).random(300) < 0.7).astype(float)
    asked = {"confidence": 0.9, "population_size": size, "within": within}
    low, high = share_sequence_at(values, np.arange(1, 301), **asked)
    assert np.all((low >= 0) & (low <= high) & (high <= 1))
    assert np.all(np.diff(low) >= 0)
    assert np.all(np.diff(high) <= 0)
    for n in (1, 2, 100, 101, 299, 300):
        together = share_sequence_interval(np.stack([values, 1 - values])[:, :n], **asked)
        assert (together[0][0], together[1][0]) == pytest.approx((low[n - 1], high[n - 1]), abs=1e-12)
        # Wrong rows have one minus the interval of the right ones.
        assert (together[0][1], together[1][1]) == pytest.approx((1 - high[n - 1], 1 - low[n - 1]), abs=1e-12)


def test_all_rows_leave_nothing_open_and_all_but_one_what_that_one_may_be():
    values = (np.arange(40) % 4 > 0).astype(float)[None]
    low, high = share_sequence_interval(values, confidence=0.95, population_size=40, within=0.05)
    assert low[0] == high[0] == 0.75
    low, high = share_sequence_interval(values[:, :39], confidence=0.95, population_size=40, within=0.05)
    assert (low[0], high[0]) == (pytest.approx(29 / 40), pytest.approx(30 / 40))


def test_beyond_the_table_of_factorials_the_ends_are_the_same(monkeypatch):
    values = (np.random.default_rng(5).random(500) < 0.9).astype(float)
    asked = {"confidence": 0.95, "population_size": 3000, "within": 0.02}
    by_table = share_sequence_at(values, np.array([500]), **asked)
    monkeypatch.setattr(share_sequence, "_MOST_IN_TABLE", 0)
    by_function = share_sequence_at(values, np.array([500]), **asked)
    np.testing.assert_array_equal(by_table, by_function)


def test_a_population_of_a_thousand_million_rows_is_like_the_world():
    values = (np.random.default_rng(6).random(2000) < 0.9).astype(float)
    rows = share_sequence_at(values, np.array([2000]), confidence=0.95, population_size=10**9, within=0.02)
    world = share_sequence_at(values, np.array([2000]), confidence=0.95, within=0.02)
    np.testing.assert_allclose(rows, world, atol=1e-5)


def test_no_counts_give_no_ends():
    low, high = share_sequence_at(np.ones(5), np.array([], dtype=int), confidence=0.95)
    assert len(low) == len(high) == 0
