"""Bets on what a proxy leaves: fair over all orders, valid with any proxy, and fewer rows with a good one."""

from itertools import permutations

import numpy as np
import pytest
import scipy

from pipeline.interval.capital import CUT_SEQUENCE, aimed_stakes, bets_on, sequence_at
from pipeline.interval.control_variate import _explained, controlled_sequence_at
from pipeline.interval.share_sequence import share_sequence_at


@pytest.mark.parametrize("proxies", [(0.1, 0.9, 0.3, 0.2, 0.8, 0.5), (-2.0, 7, 0, 1, 3, 1), (0.0, 1, 0, 0, 1, 0)])
def test_the_capital_is_1_on_average_over_all_orders_at_the_true_mean(proxies):
    values, proxies = np.array([0.0, 1.0, 0.2, 0.1, 0.9, 0.3]), np.array(proxies)
    orders = np.array(list(permutations(range(6))))
    capital = np.ones((2, len(orders), 6))
    slopes = 0.0
    for place, order in enumerate(orders):
        y, f = values[order], proxies[order]
        explained, below, above = _explained(y, f, proxies, is_finite=True)
        slopes += np.abs(explained).sum()
        sides, shown = np.stack([y, 1 - y]), np.stack([y - explained, 1 - y + explained])
        stakes, room = aimed_stakes(6, 6, 0.1), np.stack([below, above])
        assert (shown >= -room - 1e-12).all()
        bets = bets_on(sides, stakes, 6, cut=CUT_SEQUENCE, shown=shown, room=room)
        means = np.array([values.mean(), 1 - values.mean()])[:, None]
        capital[:, place] = np.cumprod(bets.u - bets.v * means, axis=1)
    assert slopes > 1
    np.testing.assert_allclose(capital.mean(axis=1), 1, rtol=1e-12)


def test_what_is_bet_on_depends_on_earlier_rows_alone_but_for_the_row_itself():
    rng = np.random.default_rng(0)
    y, f = rng.random(60), rng.random(60)
    others = y.copy()
    others[41:] = rng.random(19)
    for one, other in zip(_explained(y, f, f, is_finite=True), _explained(others, f, f, is_finite=True), strict=True):
        np.testing.assert_array_equal(one[:42], other[:42])
    swapped = f.copy()
    swapped[41:] = f[41:][::-1]
    for one, other in zip(_explained(y, f, f, is_finite=True), _explained(y, swapped, f, is_finite=True), strict=True):
        np.testing.assert_allclose(one[:41], other[:41], rtol=1e-9, atol=1e-12)


def _cases():
    """Small populations with proxies that are good, worthless, opposed, rare, or lead into a trap."""
    rng = np.random.default_rng(1)
    n = 150
    share = (np.arange(n) % 10 > 0).astype(float)
    skewed = np.minimum(rng.lognormal(-4, 1.5, n), 1.0)
    rare = (np.arange(n) % 50 == 0).astype(float)
    flipped = np.where(np.arange(n) % 37 == 0, 1 - share, share)
    return {
        "share, good": (share, flipped, True),
        "share, worthless": (share, rng.permutation(share), True),
        "share, opposed": (share, -share, True),
        "rare, its twin but for one row": (rare, np.where(np.arange(n) == 50, 0.0, rare), True),
        "skewed, good": (skewed, skewed * rng.lognormal(0, 0.3, n), False),
        "skewed, one row far out": (skewed, np.where(np.arange(n) == 3, 50.0, skewed), False),
        "skewed, right but for the largest": (skewed, np.where(skewed == skewed.max(), 0.0, skewed), False),
    }


@pytest.mark.parametrize("is_finite", [True, False])
@pytest.mark.parametrize("name", list(_cases()))
def test_a_true_mean_is_ever_left_out_as_seldom_as_promised(name, is_finite):
    values, proxies, is_share = _cases()[name]
    rng, draws, n = np.random.default_rng(2), 120, len(values)
    counts = np.arange(2, n + 1, 4)
    missed = 0
    for _ in range(draws):
        order = rng.permutation(n) if is_finite else rng.integers(0, n, n)
        low, high = controlled_sequence_at(
            values[order], proxies[order], proxies, counts, confidence=0.8, within=0.05, is_finite=is_finite,
            is_share=is_share,
        )  # fmt: skip
        missed += bool((low > values.mean() + 1e-9).any() or (high < values.mean() - 1e-9).any())
    assert missed <= scipy.stats.binom.ppf(0.999, draws, 0.2)


def _rows(values, proxies, *, within, is_share, orders=7):
    """The rows that ± within takes, without a proxy and with it, in the same orders."""
    rng, n = np.random.default_rng(3), len(values)
    counts = np.unique(np.geomspace(50, n, 150).astype(int))
    found = []
    for _ in range(orders):
        order = rng.permutation(n)
        plain = (share_sequence_at if is_share else sequence_at)(
            values[order], counts, confidence=0.95, population_size=n, within=within
        )
        helped = controlled_sequence_at(
            values[order], proxies[order], proxies, counts, confidence=0.95, within=within, is_finite=True,
            is_share=is_share,
        )  # fmt: skip
        found.append([counts[((high - low) / 2 <= within).argmax()] for low, high in (plain, helped)])
    return np.median(found, axis=0)


@pytest.mark.parametrize("p", [0.6, 0.9, 0.97])
def test_a_worthless_proxy_costs_no_more_than_a_tenth_of_the_rows_of_a_share(p):
    rng = np.random.default_rng(4)
    values = (rng.random(10_000) < p).astype(float)
    plain, helped = _rows(values, rng.permutation(values), within=0.02, is_share=True)
    assert helped <= 1.1 * plain


def test_a_worthless_proxy_costs_no_more_than_a_twentieth_of_the_rows_of_a_mean():
    rng = np.random.default_rng(5)
    values = np.minimum(rng.exponential(0.03, 10_000), 1.0)
    plain, helped = _rows(values, rng.permutation(values), within=0.004, is_share=False)
    assert helped <= 1.05 * plain


def test_a_proxy_that_is_wrong_in_two_of_a_hundred_rows_saves_most_rows_of_a_share():
    rng = np.random.default_rng(6)
    values = (rng.random(10_000) < 0.75).astype(float)
    plain, helped = _rows(values, np.where(rng.random(10_000) < 0.02, 1 - values, values), within=0.02, is_share=True)
    assert helped < plain / 3


def test_all_rows_drawn_leave_no_doubt_and_no_rows_give_no_intervals():
    values, proxies = np.array([0.0, 1.0, 1.0, 1.0]), np.array([0.1, 0.8, 0.9, 0.7])
    asked = {"confidence": 0.95, "within": 0.1, "is_finite": True, "is_share": True}
    low, high = controlled_sequence_at(values, proxies, proxies, np.array([4]), **asked)
    assert (low[0], high[0]) == (0.75, 0.75)
    low, high = controlled_sequence_at(values, proxies, proxies, np.array([], dtype=int), **asked)
    assert len(low) == len(high) == 0


def test_a_proxy_that_is_constant_leaves_the_game_without_one():
    values = (np.arange(100) % 4 > 0).astype(float)
    found = controlled_sequence_at(
        values, np.ones(100), np.ones(200), np.array([100]), confidence=0.9, within=0.1, is_finite=True, is_share=True
    )
    plain = share_sequence_at(values, np.array([100]), confidence=0.98, population_size=200)
    np.testing.assert_allclose(np.array(found), np.array(plain))
