import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.interval.capital import fixed_interval, sequence_at, sequence_interval

INTERVALS = pytest.mark.parametrize("interval", [fixed_interval, sequence_interval])
# Ends are put where log K is at most this much above its mark of log(2/α) = 3.7.
SLACK = 1e-3


def skewed(size, seed=0):
    """A population whose mean is near 0 for its range: most values small, a few large."""
    return np.minimum(np.random.default_rng(seed).lognormal(-4, 1.5, size), 1.0)


def samples(population, m, n, *, replace, seed=0):
    rng = np.random.default_rng((seed, n))
    return np.stack([rng.choice(population, n, replace=replace) for _ in range(m)])


def refused_from_below(values, candidates, *, confidence, size=None, is_fixed, slack=0.0, within=None):
    """The module's docstring, a value and a candidate at a time: which candidates are refused, after each value."""
    mark = math.log(2 / (1 - confidence))
    n, cut = len(values), 0.9 if is_fixed else 0.75
    speed = [1.0 if size is None else size / (size - i) for i in range(n)]
    log_capital = np.zeros(len(candidates))
    judged, refused = np.ones(len(candidates), bool), np.zeros(len(candidates), bool)
    seen, squares, told, found = 0.0, 0.25, 0.0, []
    for i, x in enumerate(values):
        told += speed[i] ** 2
        pace = sum(s**2 for s in speed) if is_fixed else told * math.log(told + 1)
        mean, variance = (0.5 + seen) / (i + 1), squares / (i + 1)
        guess = min(1.0, mean + 2 * math.sqrt(variance / (i + 1)))
        falling = speed[i] * math.sqrt(2 * mark / (variance * pace))
        aimed = None if within is None else speed[i] * within / (variance + within**2)
        stake = min(falling if aimed is None else aimed, cut / guess)
        m_t = candidates if size is None else (size * candidates - seen) / (size - i)
        judged &= stake * m_t <= 0.97
        log_capital += np.log(np.maximum(1 + stake * (x - m_t), 1e-9))
        refused |= judged & (log_capital >= mark + slack)
        found.append(refused.copy())
        seen += x
        squares += (x - (0.5 + seen) / (i + 2)) ** 2
    return np.array(found)


@pytest.mark.parametrize("size", [None, 120])
@pytest.mark.parametrize("is_fixed", [True, False])
@pytest.mark.parametrize("n", [1, 7, 33, 100])
def test_the_ends_against_a_plain_loop_over_a_fine_grid(n, is_fixed, size):
    grid = np.linspace(0, 1, 20_001)
    values = samples(skewed(120), 1, n, replace=size is None, seed=4)[0]
    interval = fixed_interval if is_fixed else sequence_interval
    low, high = interval(values[None], confidence=0.95, population_size=size)

    def ends(slack):
        asked = {"confidence": 0.95, "size": size, "is_fixed": is_fixed, "slack": slack}
        below = grid[refused_from_below(values, grid, **asked)[-1]].max(initial=0)
        above = 1 - grid[refused_from_below(1 - values, grid, **asked)[-1]].max(initial=0)
        if size is not None:
            below, above = max(below, values.sum() / size), min(above, (values.sum() + size - n) / size)
        return below, above

    (inner_low, inner_high), (outer_low, outer_high) = ends(0.0), ends(SLACK)
    step = 1 / 20_000 + 1e-12
    assert outer_low - step <= low[0] <= inner_low + step
    assert inner_high - step <= high[0] <= outer_high + step


@pytest.mark.parametrize("size", [None, 300])
def test_a_sequence_at_every_count_against_a_plain_loop_over_a_fine_grid(size):
    grid = np.linspace(0, 1, 10_001)
    values = samples(skewed(300), 1, 250, replace=size is None)[0]
    counts = np.arange(1, 251)
    low, high = sequence_at(values, counts, confidence=0.95, population_size=size)
    asked = {"confidence": 0.95, "size": size, "is_fixed": False}
    ends = []
    for side in (values, 1 - values):
        refused = refused_from_below(side, grid, **asked)
        ends.append(np.where(refused, grid, 0).max(axis=1))
    below, above = ends[0], 1 - ends[1]
    if size is not None:
        below = np.maximum(below, values.cumsum() / size)
        above = np.minimum(above, (values.cumsum() + size - counts) / size)
    width = above - below
    assert np.all(np.abs(low - below) <= 2e-4 + 0.004 * width)
    assert np.all(np.abs(high - above) <= 2e-4 + 0.004 * width)


@pytest.mark.parametrize("size", [None, 300])
def test_where_a_width_is_aimed_at_it_is_the_intersection_of_two_games_that_share_alpha_by_plain_loops(size):
    grid, within = np.linspace(0, 1, 10_001), 0.05
    values = samples(skewed(300), 1, 250, replace=size is None)[0]
    counts = np.arange(1, 251)
    low, high = sequence_at(values, counts, confidence=0.9, population_size=size, within=within)
    ends = []
    for side in (values, 1 - values):
        aimed = refused_from_below(side, grid, confidence=1 - 0.8 * 0.1, size=size, is_fixed=False, within=within)
        falling = refused_from_below(side, grid, confidence=1 - 0.2 * 0.1, size=size, is_fixed=False)
        ends.append(np.where(aimed | falling, grid, 0).max(axis=1))
    below, above = ends[0], 1 - ends[1]
    if size is not None:
        below = np.maximum(below, values.cumsum() / size)
        above = np.minimum(above, (values.cumsum() + size - counts) / size)
    width = above - below
    assert np.all(np.abs(low - below) <= 2e-4 + 0.004 * width)
    assert np.all(np.abs(high - above) <= 2e-4 + 0.004 * width)
    many = sequence_interval(values[None], confidence=0.9, population_size=size, within=within)
    assert (many[0][0], many[1][0]) == pytest.approx((low[-1], high[-1]), abs=3e-3 * width[-1])


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_where_a_width_is_aimed_at_no_order_stalls_whose_values_spread_widely(p):
    # Values of 0, ½ and 1: ±0.02 takes all stakes that fall three to four times the rows of a fixed n, or all rows.
    rng = np.random.default_rng(8)
    population = rng.choice([0.0, 0.5, 1.0], 20_000, p=[(1 - p) / 2, p, (1 - p) / 2])
    n = math.ceil(2.5 * stats.norm.ppf(0.975) ** 2 * population.var() / 0.02**2)
    paths = samples(population, 10, n, replace=False)
    asked = {"confidence": 0.95, "population_size": 20_000}
    aimed, falling = (sequence_interval(paths, within=within, **asked) for within in (0.02, None))
    assert np.all(aimed[1] - aimed[0] <= 2 * 0.02)
    assert np.all(falling[1] - falling[0] > 2 * 0.02)


@INTERVALS
@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("n", [2, 10, 60, 200])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_it_holds_the_mean_at_least_as_often_as_it_says_within_the_binomial_bound(interval, replace, n, confidence):
    population = (np.random.default_rng(1).random(250) < 0.1) * 0.9 + skewed(250) * 0.1
    rows = samples(population, 1500, n, replace=replace)
    low, high = interval(rows, confidence=confidence, population_size=None if replace else 250)
    missed = int(((low > population.mean()) | (high < population.mean())).sum())
    assert stats.binomtest(missed, 1500, 1 - confidence, alternative="greater").pvalue > 0.001


@pytest.mark.parametrize("within", [None, pytest.param(0.05, marks=pytest.mark.slow)])
@pytest.mark.parametrize("replace", [pytest.param(True, marks=pytest.mark.slow), False])
def test_sequences_that_ever_miss_the_mean_up_to_the_whole_population_are_at_most_alpha(replace, within):
    population = (np.random.default_rng(2).random(300) < 0.3).astype(float)
    counts = np.arange(1, 301)
    missed = 0
    for values in samples(population, 600, 300, replace=replace):
        size = None if replace else 300
        low, high = sequence_at(values, counts, confidence=0.8, population_size=size, within=within)
        missed += bool(((low > population.mean() + 1e-12) | (high < population.mean() - 1e-12)).any())
    assert stats.binomtest(missed, 600, 0.2, alternative="greater").pvalue > 0.001
    # Not for want of trying: a sequence that can hardly miss would be too wide.
    assert missed > 20


def test_looking_again_and_again_at_fixed_intervals_would_miss_more_often_than_they_say():
    # What the sequence is for: at α = 0.2, with an interval for its own n at each of many counts.
    population = (np.random.default_rng(2).random(300) < 0.3).astype(float)
    rows = samples(population, 1000, 300, replace=True)
    missed = np.zeros(1000, bool)
    for n in range(10, 301, 10):
        low, high = fixed_interval(rows[:, :n], confidence=0.8)
        missed |= (low > population.mean()) | (high < population.mean())
    assert stats.binomtest(int(missed.sum()), 1000, 0.2, alternative="greater").pvalue < 0.001


@given(seed=st.integers(0, 2**32), n=st.integers(1, 150), more=st.integers(0, 150), finite=st.booleans())
def test_ends_depend_neither_on_later_values_nor_on_the_other_counts(seed, n, more, finite):
    values = np.random.default_rng(seed).beta(0.3, 2, n + more)
    size = n + more + 10 if finite else None
    every = sequence_at(values, np.arange(1, n + more + 1), confidence=0.9, population_size=size)
    alone = sequence_at(values[:n], np.array([n]), confidence=0.9, population_size=size)
    assert (every[0][n - 1], every[1][n - 1]) == (alone[0][0], alone[1][0])


@given(seed=st.integers(0, 2**32), n=st.integers(1, 200), finite=st.booleans())
def test_a_sequence_lies_in_0_to_1_and_its_ends_move_inwards(seed, n, finite):
    values = np.random.default_rng(seed).beta(0.3, 2, n)
    size = n + 50 if finite else None
    low, high = sequence_at(values, np.arange(1, n + 1), confidence=0.9, population_size=size)
    assert np.all((low >= 0) & (low <= high) & (high <= 1))
    assert np.all(np.diff(low) >= 0)
    assert np.all(np.diff(high) <= 0)


@pytest.mark.parametrize("size", [None, 2500])
@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 100, 2000])
def test_many_batches_at_once_against_each_as_a_sequence(n, size):
    rows = samples(skewed(2500), 20, n, replace=size is None)
    low, high = sequence_interval(rows, confidence=0.95, population_size=size)
    for i, row in enumerate(rows):
        one = sequence_at(row, np.array([n]), confidence=0.95, population_size=size)
        assert (one[0][0], one[1][0]) == pytest.approx((low[i], high[i]), abs=3e-3 * (high[i] - low[i]))


@INTERVALS
@given(seed=st.integers(0, 2**32), n=st.integers(1, 80), finite=st.booleans())
def test_one_minus_the_values_has_one_minus_the_interval(interval, seed, n, finite):
    values = np.random.default_rng(seed).beta(0.5, 1, (4, n))
    size = n + 20 if finite else None
    low, high = interval(values, confidence=0.9, population_size=size)
    turned_low, turned_high = interval(1 - values, confidence=0.9, population_size=size)
    np.testing.assert_allclose(turned_low, 1 - high, atol=1e-6)
    np.testing.assert_allclose(turned_high, 1 - low, atol=1e-6)


@INTERVALS
@given(seed=st.integers(0, 2**32), n=st.integers(1, 80))
def test_a_batch_has_the_interval_that_it_has_alone(interval, seed, n):
    rows = np.random.default_rng(seed).beta(0.5, 1, (5, n))
    together = interval(rows, confidence=0.9)
    for i in range(5):
        alone = interval(rows[i : i + 1], confidence=0.9)
        assert (alone[0][0], alone[1][0]) == pytest.approx((together[0][i], together[1][i]), abs=1e-12)


@pytest.mark.parametrize("n", [1, 5, 20])
def test_zeros_and_ones_in_closed_form(n):
    # Every bet against them is cut to 0.9, so the capital at m is (1 + 0.9 m)^n.
    low, high = fixed_interval(np.zeros((1, n)), confidence=0.95)
    assert low[0] == 0
    assert high[0] == pytest.approx(min(1.0, (40 ** (1 / n) - 1) / 0.9), rel=1e-3)
    low, turned = fixed_interval(np.ones((1, n)), confidence=0.95)
    assert turned[0] == 1
    assert low[0] == pytest.approx(1 - high[0], abs=1e-12)


@INTERVALS
def test_equal_values_are_inside_an_interval_that_shrinks_but_has_a_width(interval):
    widths = []
    for n in (1, 10, 100, 1000):
        low, high = interval(np.full((1, n), 0.3), confidence=0.95)
        assert low[0] < 0.3 < high[0]
        widths.append(high[0] - low[0])
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.05


@INTERVALS
def test_all_rows_without_replacement_leave_nothing_open_and_all_but_one_what_that_one_may_be(interval):
    rows = samples(skewed(40), 10, 40, replace=False)
    low, high = interval(rows, confidence=0.95, population_size=40)
    np.testing.assert_array_equal(low, high)
    np.testing.assert_allclose(low, skewed(40).mean(), rtol=1e-12)
    low, high = interval(rows[:, :39], confidence=0.95, population_size=40)
    assert np.all(low >= rows[:, :39].sum(axis=1) / 40 - 1e-15)
    assert np.all(high <= (rows[:, :39].sum(axis=1) + 1) / 40 + 1e-15)


@INTERVALS
def test_the_more_of_a_population_is_drawn_the_narrower_it_is_than_with_replacement(interval):
    rows = samples(skewed(1000), 20, 800, replace=False)
    widths = []
    for size in (800, 850, 1000, 3000, None):
        low, high = interval(rows, confidence=0.95, population_size=size)
        widths.append(np.median(high - low))
    assert widths == sorted(widths)
    assert widths[2] < 0.7 * widths[-1]


@pytest.mark.parametrize("size", [None, 800])
def test_where_every_mean_is_refused_the_ends_are_still_in_order(size):
    # No random order: 200 ones, then 200 zeros, and the mean of each is refused by the others.
    values = np.repeat([1.0, 0.0], 200)
    counts = np.arange(1, 401)
    low, high = sequence_at(values, counts, confidence=0.95, population_size=size)
    assert np.all(low <= high)
    again = sequence_interval(values[None], confidence=0.95, population_size=size)
    assert (low[-1], high[-1]) == pytest.approx((again[0][0], again[1][0]), abs=5e-3)
    refused = refused_from_below(values, np.array([high[-1] - 0.01]), confidence=0.95, size=size, is_fixed=False)
    assert refused[-1].all()


def test_no_counts_give_no_ends():
    low, high = sequence_at(np.full(5, 0.5), np.array([], dtype=int), confidence=0.95)
    assert len(low) == len(high) == 0
