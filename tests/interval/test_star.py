"""STaR-Bets against a published figure, a plain loop, exact enumeration and simulation."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from pipeline.interval.star import candidates, lower_ends, star_interval


def log_wealth(values, mean, target, size=None):
    """The docstring's game against one mean, a value at a time; stakes are made anew at every one."""
    n, log_wealth, squares, seen = len(values), 0.0, 0.0, 0.0
    for t, x in enumerate(values):
        speeds = [1.0 if size is None else size / (size - i) for i in range(t, n)]
        left = max(mean if size is None else (size * mean - seen) / (size - t), 1e-12)
        variance = min(left, 1.0) * (1 - min(left, 1.0))
        if t:
            variance = min(squares / t + (mean + 1e-4) * n / t**2, variance)
        gap = max(target - log_wealth, 0.0)
        wished = speeds[0] * math.sqrt(2 * gap / (sum(speed**2 for speed in speeds) * max(variance, 1e-12)))
        log_wealth += math.log1p(min(wished, (1 - 1e-9) / left) * (x - left))
        squares += (x - mean) ** 2
        seen += x
    return log_wealth


@pytest.mark.parametrize(("values", "expected"), [(([1] + [0] * 9) * 10, 0.0542), ([1, 0] * 50, 0.4114)])
def test_the_lower_end_against_the_papers_published_code(values, expected):
    # Its `star` of these values with alpha = 0.05, no last bet (U = 1) and its own 10,000 candidates.
    found = lower_ends(np.array([values], dtype=float), np.linspace(0, 1, 10_000), math.log(20), None)
    assert found[0] == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("size", [None, 80])
@pytest.mark.parametrize("n", [1, 2, 7, 40, 63])
def test_the_ends_are_the_last_points_before_the_first_that_is_not_rejected_by_a_plain_loop(n, size):
    values = np.random.default_rng(n).beta(0.4, 2, n)
    low, high = star_interval(values[None], confidence=0.9, population_size=size)
    target, points, ends = math.log(20), candidates(n), []
    for side in (values, 1 - values):
        rejected = [log_wealth(side, m, target, size) >= target for m in points[points < side.mean()]]
        ends.append(points[max(0, [*rejected, False].index(False) - 1)])
    below, above = ends[0], 1 - ends[1]
    if size is not None:
        below, above = max(below, values.sum() / size), min(above, (values.sum() + size - n) / size)
    assert (low[0], high[0]) == (pytest.approx(below, abs=1e-12), pytest.approx(above, abs=1e-12))


@pytest.mark.parametrize("mean", [0.2, 0.5, 0.9])
def test_with_replacement_the_capital_is_1_on_average_by_enumeration(mean):
    for n in (1, 3, 8):
        expected = 0.0
        for values in product((0.0, 1.0), repeat=n):
            chance = math.prod(mean if x else 1 - mean for x in values)
            expected += chance * math.exp(log_wealth(values, mean, math.log(20)))
        assert expected == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("population", [[0, 0, 1, 1, 1], [0.0, 0.1, 0.5, 0.5, 0.9, 1.0], [0, 0, 0, 0, 1.0, 0.2]])
def test_without_replacement_the_capital_is_at_most_1_on_average_by_enumeration(population):
    from itertools import permutations

    size, mean = len(population), float(np.mean(population))
    for n in range(1, size + 1):
        orders = list(permutations(population, n))
        for tried in (mean, mean + 0.05):
            expected = np.mean([math.exp(log_wealth(order, tried, math.log(4), size)) for order in orders])
            assert expected <= 1 + 1e-6


@pytest.mark.parametrize("confidence", [0.5, 0.8])
def test_orders_without_replacement_whose_interval_misses_are_at_most_alpha_by_enumeration(confidence):
    population = np.array([0, 0, 0, 0.2, 0.5, 1.0, 1.0])
    from itertools import permutations

    orders = np.array(list(permutations(population)))
    for n in range(1, 7):
        low, high = star_interval(orders[:, :n], confidence=confidence, population_size=7)
        missed = (low > population.mean() + 1e-12) | (high < population.mean() - 1e-12)
        assert missed.mean() <= 1 - confidence


POPULATION = np.minimum(np.random.default_rng(0).lognormal(-2.5, 1.8, 1000) / 10, 1.0)


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("n", [2, 10, 60, pytest.param(300, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["lognormal", "shares"])
def test_it_holds_the_mean_at_least_as_often_as_it_says_within_the_binomial_bound(kind, n, replace):
    population = POPULATION if kind == "lognormal" else (np.arange(1000) < 930).astype(float)
    rng = np.random.default_rng(n)
    rows = np.stack([rng.choice(population, n, replace=replace) for _ in range(1000)])
    low, high = star_interval(rows, confidence=0.9, population_size=None if replace else 1000)
    missed = int(((low > population.mean() + 1e-12) | (high < population.mean() - 1e-12)).sum())
    assert stats.binomtest(missed, 1000, 0.1, alternative="greater").pvalue > 0.001


@pytest.mark.parametrize("n", [100, 500])
def test_stakes_that_are_kept_for_a_few_values_give_nearly_the_interval_of_those_made_anew(n):
    values = np.random.default_rng(4).choice(POPULATION, n)
    low, _ = star_interval(values[None], confidence=0.95)
    target = math.log(40)
    assert log_wealth(values, 0.8 * low[0], target) >= target
    assert log_wealth(values, low[0] + 0.3 * (values.mean() - low[0]), target) < target


@pytest.mark.parametrize("size", [None, 50])
def test_one_minus_the_values_has_one_minus_the_interval(size):
    values = np.random.default_rng(0).beta(0.5, 1, (4, 30))
    low, high = star_interval(values, confidence=0.9, population_size=size)
    turned_low, turned_high = star_interval(1 - values, confidence=0.9, population_size=size)
    np.testing.assert_allclose(turned_low, 1 - high, atol=1e-12)
    np.testing.assert_allclose(turned_high, 1 - low, atol=1e-12)


def test_all_rows_without_replacement_leave_nothing_open_and_all_but_one_what_that_one_may_be():
    rows = np.stack([np.random.default_rng(i).permutation(POPULATION[:40]) for i in range(5)])
    low, high = star_interval(rows, confidence=0.95, population_size=40)
    np.testing.assert_array_equal(low, high)
    np.testing.assert_allclose(low, POPULATION[:40].mean(), rtol=1e-12)
    low, high = star_interval(rows[:, :39], confidence=0.95, population_size=40)
    assert np.all(low >= rows[:, :39].sum(axis=1) / 40 - 1e-15)
    assert np.all(high <= (rows[:, :39].sum(axis=1) + 1) / 40 + 1e-15)


@pytest.mark.parametrize("n", [1, 10, 100])
def test_equal_values_are_inside_an_interval_that_has_a_width(n):
    for value in (0.0, 0.3, 1.0):
        low, high = star_interval(np.full((1, n), value), confidence=0.95)
        assert low[0] <= value <= high[0]
        assert high[0] - low[0] > 0.5 / n
