"""Ends of the capital of bets, against roots in closed form and against a plain grid."""

import numpy as np
import pytest

from pipeline.interval.ends import Bets, lower_ends, lower_paths


def bets_of(values, stake):
    """Bets of one stake: every factor is 1 + stake (x - m), and safe up to 0.97 / stake."""
    return Bets(1 + stake * values, np.full(values.shape, stake), np.full(values.shape, 0.97 / stake))


@pytest.mark.parametrize("n", [5, 31, 32, 33, 200])
def test_equal_values_have_the_end_in_closed_form(n):
    # K_n(m) = (1 + λ (x - m))^n reaches exp(mark) at m = x - (exp(mark/n) - 1)/λ.
    x, stake, mark = 0.8, 0.9, 1.5
    expected = max(x - np.expm1(mark / n) / stake, 0.0)
    found = lower_ends(bets_of(np.full((1, n), x), stake), mark)[0]
    assert found <= expected + 1e-12
    assert found == pytest.approx(expected, abs=2e-3)


def test_the_end_is_the_largest_rejected_mean_of_a_fine_grid():
    rng, mark = np.random.default_rng(3), 2.0
    values, stake = rng.beta(2, 1, size=(6, 90)), 0.7
    grid = np.linspace(0, 1, 20_001)
    found = lower_ends(bets_of(values, stake), mark)
    for row, end in zip(values, found, strict=True):
        logs = np.cumsum(np.log1p(stake * (row[:, None] - grid)), axis=0).max(axis=0)
        rejected = grid[logs >= mark]
        expected = rejected.max() if len(rejected) else 0.0
        assert expected - 1e-3 < end <= expected + 5e-5


def test_a_capital_that_never_reaches_the_mark_rejects_nothing():
    assert lower_ends(bets_of(np.full((2, 20), 0.3), 0.1), 50.0).tolist() == [0.0, 0.0]


def test_a_batch_has_the_end_that_it_has_alone():
    values = np.random.default_rng(4).beta(1, 1, size=(8, 60))
    together = lower_ends(bets_of(values, 0.9), 1.0)
    alone = [lower_ends(bets_of(row[None], 0.9), 1.0)[0] for row in values]
    np.testing.assert_allclose(together, alone, atol=1e-3)


def test_a_path_never_falls_and_ends_within_rounding_where_the_single_end_is():
    values = np.random.default_rng(5).beta(2, 1, size=(4, 150))
    bets = bets_of(values, 0.8)
    path = lower_paths(values, bets, 1.5, None)
    assert path.shape == (4, 150)
    assert np.all(np.diff(path, axis=1) >= 0)
    single = lower_ends(bets, 1.5)
    assert np.all(path[:, -1] <= single + 1e-3)
    np.testing.assert_allclose(path[:, -1], single, atol=5e-3)
