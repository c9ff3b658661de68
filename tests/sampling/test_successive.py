import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.sampling.successive import successive


def test_orders_come_up_as_often_as_successive_draws_in_proportion_to_the_weights_would():
    weights, rng, draws = np.array([0.1, 0.4, 0.2, 0.3]), np.random.default_rng(0), 6_000
    counts = np.zeros((4, 4))
    for _ in range(draws):
        first, second = successive(weights, 2, rng)[0]
        counts[first, second] += 1
    expected = weights[:, None] * weights / (1 - weights)[:, None] * draws
    off = ~np.eye(4, dtype=bool)
    assert stats.chisquare(counts[off], expected[off]).pvalue > 0.01


def test_the_chances_are_those_among_the_units_left():
    weights = np.random.default_rng(1).exponential(size=50)
    units, chances = successive(weights, 20, np.random.default_rng(2))
    left = weights.copy()
    for unit, chance in zip(units, chances, strict=True):
        assert chance == pytest.approx(weights[unit] / left.sum(), rel=1e-12)
        left[unit] = 0


def test_all_units_can_be_drawn_and_the_last_is_certain_whatever_the_weights_sum_to():
    units, chances = successive(np.geomspace(1, 1e-18, 9), 9, np.random.default_rng(0))
    assert sorted(units) == list(range(9))
    assert chances[-1] == 1


def test_a_unit_without_weight_is_never_drawn():
    for seed in range(20):
        assert 1 not in successive(np.array([1.0, 0.0, 1.0]), 2, np.random.default_rng(seed))[0]
    assert len(successive(np.ones(3), 0, np.random.default_rng(0))[0]) == 0


def test_more_than_there_are_is_refused():
    with pytest.raises(BadInput, match=r"at most 2 units can be drawn, none twice; found 3"):
        successive(np.array([1.0, 0.0, 1.0]), 3, np.random.default_rng(0))
