"""The bets against the Beta mixture, the literal product, and enumeration."""

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import special

from pipeline.estimation.sequential_pair import SequentialGain
from pipeline.estimation.wager import even_stakes, least_mean, log_capital, log_growth, spread_stakes


@pytest.mark.parametrize(("gained", "lost", "e"), [(8, 0, 28.44), (10, 2, 4.774), (5, 0, 5.333)])
def test_at_margin_0_the_capital_of_a_share_is_the_beta_mixture_over_the_discordant_pairs(gained, lost, e):
    """e = B(1 + s, 1 + f)/B(1, 1) 2^(s + f); concordant rows change nothing. Each side has its half of the mixture."""
    formula = math.exp(special.betaln(1 + gained, 1 + lost)) * 2 ** (gained + lost)
    assert formula == pytest.approx(e, rel=1e-3)
    gains, stakes, zero = np.array([[1.0] * gained + [0.0] * 7 + [-1.0] * lost]), even_stakes(), np.zeros(1)
    sides = [
        np.exp(log_growth(sign * gains, stakes, zero, seen=zero, start=0, size=None)[0]) @ stakes.shares
        for sign in (1.0, -1.0)
    ]
    assert np.mean(sides) == pytest.approx(formula, rel=1e-10)
    # The half with stakes on gains is an incomplete integral.
    assert sides[0] == pytest.approx(2 * formula * special.betainc(1 + lost, 1 + gained, 0.5), rel=1e-10)
    gain = SequentialGain(0.0, 100, 0.025, is_share=True)
    gain.take(gains)
    assert gain.p(0.0) == pytest.approx(min(1.0, 2 / sides[0]), rel=1e-10)


@pytest.mark.parametrize(
    "values", [(1, 1, 0, 0, -1, -1), (1, 1, 1, 0, -1, 0), (-1, -1, -1, 1, 0, -1), (0.3, -0.2, 1, -1)]
)
def test_without_replacement_the_capital_is_fair_at_every_count_by_enumeration(values):
    orders = np.array(list(permutations(values)), dtype=np.float64)
    mean, stakes = np.full(1, np.mean(values)), even_stakes()
    for sign in (1.0, -1.0):
        for n in range(1, len(values)):
            logs = log_growth(
                sign * orders[:, :n], stakes, sign * mean, seen=np.zeros(len(orders)), start=0, size=len(values)
            )
            assert np.exp(logs).mean(axis=0) == pytest.approx(np.ones(len(stakes.sizes)), rel=1e-9)


def test_the_growth_is_the_literal_product_of_its_factors():
    rng = np.random.default_rng(3)
    values, size, at = rng.uniform(-1, 1, 40), 50, -0.1
    stakes = spread_stakes(50, 0.025)
    expected = np.zeros(len(stakes.sizes))
    for t, value in enumerate(values):
        left = size - t
        mean = (size * at - values[:t].sum()) / left
        assert mean > -1
        expected += np.log1p(np.minimum(stakes.sizes * size / left, 1 / (1 + mean)) * (value - mean))
    found = log_growth(values[None], stakes, np.full(1, at), seen=np.zeros(1), start=0, size=size)
    assert found[0] == pytest.approx(expected, rel=1e-9)


def test_the_stakes_know_the_deadline():
    """The smallest stake is that of the smallest mean that can be seen by then, σ being 1 at most."""
    for rows in (10, 1_000, 100_000):
        stakes = spread_stakes(rows, 0.025)
        assert stakes.shares.sum() == pytest.approx(1)
        assert stakes.sizes[0] == pytest.approx(min(1.0, math.sqrt(2 * math.log(40) / rows)))
        assert stakes.sizes[-1] == 1


def test_the_largest_stake_has_most_of_the_capital_and_the_smallest_enough():
    """Its gambler needs less than half a unit of log capital more than alone; the smallest's 2 log k more at most."""
    for rows in (100, 10_000, 1_000_000):
        stakes = spread_stakes(rows, 0.025)
        costs = -np.log(stakes.shares)
        assert costs[-1] < 0.5
        assert (np.diff(costs) <= 0).all()
        assert costs[0] < 2 * math.log(len(costs)) + 0.5


def test_the_capital_is_the_sum_of_the_gamblers_and_none_where_all_have_lost():
    stakes = spread_stakes(1_000, 0.025)
    logs = np.random.default_rng(0).normal(0, 3, (5, len(stakes.sizes)))
    assert log_capital(logs, stakes) == pytest.approx(np.log(np.exp(logs) @ stakes.shares))
    assert log_capital(np.full((1, len(stakes.sizes)), -np.inf), stakes)[0] == -np.inf


def test_the_least_mean_is_that_of_rows_to_come_that_are_all_minus_1():
    assert least_mean(np.array([3.0, -2.0]), 5, 10) == pytest.approx([-0.2, -0.7])
    assert least_mean(np.array([3.0]), 5, None).tolist() == [-1.0]
