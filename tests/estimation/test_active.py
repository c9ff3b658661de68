"""LURE against the published formula, and against the enumeration of every order in which rows can be drawn."""

from itertools import permutations

import numpy as np
import pytest

from pipeline.estimation.active import Guess, active_mean, lure_weights, step_estimates, step_weights

F, W = np.array([1.0, 5.0, 2.0, 9.0]), np.array([0.1, 0.4, 0.2, 0.3])


def chances_of(order, weights):
    left = weights.sum() - np.append(0, np.cumsum(weights[list(order)])[:-1])
    return weights[list(order)] / left


def plain(values, chances, size):
    guess = Guess(0, np.zeros(len(values)), 0.0)
    return active_mean(values, chances, [guess], size=size, confidence=0.95).value


def test_the_weights_and_the_estimate_of_the_order_second_fourth():
    chances = chances_of((1, 3), W)
    np.testing.assert_allclose(lure_weights(chances, 4), [0.75, 2 / 3])
    assert plain(F[[1, 3]], chances, 4) == pytest.approx(4.875)


def test_the_mean_over_all_orders_is_that_of_all_rows():
    found = [(np.prod(q := chances_of(order, W)), plain(F[list(order)], q, 4)) for order in permutations(range(4), 2)]
    assert sum(chance for chance, _ in found) == pytest.approx(1)
    assert sum(chance * value for chance, value in found) == pytest.approx(4.25, abs=1e-12)


@pytest.mark.parametrize("drawn", [1, 3, 5, 6])
def test_the_weighted_steps_are_lure_to_rounding(drawn):
    rng = np.random.default_rng(drawn)
    order, weights, values = rng.permutation(6)[:drawn], rng.exponential(size=6), rng.normal(size=6)
    chances = chances_of(order, weights)
    steps = step_weights(drawn, 6) @ step_estimates(values[order], chances, 6)
    assert step_weights(drawn, 6).sum() == pytest.approx(1)
    assert steps == pytest.approx(np.mean(lure_weights(chances, 6) * values[order]), abs=1e-12)


def test_unbiased_on_six_rows_where_chances_and_guesses_depend_on_the_labels_before():
    """Every order of three of six rows: the second round's chances and its control variate look at the first label."""
    rng = np.random.default_rng(0)
    values, opinion = rng.exponential(size=6), rng.exponential(size=6)
    mean = 0.0
    for order in permutations(range(6), 3):
        first = values[order[0]]
        weights = [np.ones(6), 1 + first * opinion, 1 + first * opinion]
        chances = np.array(
            [
                w[row] / np.delete(w, order[:step]).sum()
                for step, (w, row) in enumerate(zip(weights, order, strict=True))
            ]
        )
        own = list(order)
        guesses = [Guess(0, opinion[own], opinion.mean()), Guess(1, first * opinion[own], first * opinion.mean())]
        mean += chances.prod() * active_mean(values[own], chances, guesses, size=6, confidence=0.9).value
    assert mean == pytest.approx(values.mean(), abs=1e-12)


def test_all_rows_are_exact_and_have_no_interval():
    found = active_mean(F, chances_of(range(4), W), [Guess(0, F / 2, 2.125)], size=4, confidence=0.95)
    assert (found.value, found.low, found.high, found.standard_error) == pytest.approx((4.25, 4.25, 4.25, 0))


def test_equal_chances_have_the_standard_error_of_a_simple_sample_without_replacement():
    rng = np.random.default_rng(3)
    values = rng.normal(5, 2, 400)
    size = 1_000
    chances = 1 / (size - np.arange(400))
    found = active_mean(values, chances, [Guess(0, np.full(400, 5.0), 5.0)], size=size, confidence=0.95)
    assert found.value == pytest.approx(values.mean(), abs=0.01)
    usual = values.std(ddof=1) * np.sqrt((1 / 400) * (1 - 400 / size))
    assert found.standard_error == pytest.approx(usual, rel=0.05)


def test_a_guess_that_is_right_leaves_no_error():
    chances = chances_of((2, 0, 3), W)
    found = active_mean(F[[2, 0, 3]], chances, [Guess(0, F[[2, 0, 3]], 4.25)], size=4, confidence=0.95)
    assert found.value == pytest.approx(4.25)
    assert found.half_width == pytest.approx(0, abs=1e-9)


def test_what_is_unseen_keeps_a_width_where_no_row_differs():
    chances = 1 / (1_000 - np.arange(100))
    guess = [Guess(0, np.zeros(100), 0.0)]
    without = active_mean(np.zeros(100), chances, guess, size=1_000, confidence=0.95)
    floor = active_mean(np.zeros(100), chances, guess, size=1_000, confidence=0.95, unseen=3.0)
    assert without.half_width == 0
    # Three errors of a hundred: as many as a run of none may hide.
    assert floor.high == pytest.approx(0.034, abs=0.004)
