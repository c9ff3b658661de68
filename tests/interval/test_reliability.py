from dataclasses import replace

import numpy as np
import pytest

from pipeline.interval.reliability import is_unreliable
from tests.populations import batches


@pytest.mark.parametrize(("n", "expected"), [(30, 0.85), (1_000, 0.0)])
def test_a_few_losses_of_a_model_that_is_mostly_right_are_mostly_unreliable_and_many_are_not(n, expected):
    rng = np.random.default_rng(0)
    rows = np.where(rng.random((200, n)) < 0.05, rng.gamma(9, 0.5, (200, n)), rng.exponential(0.05, (200, n)))
    assert is_unreliable(batches(rows)).mean() == pytest.approx(expected, abs=0.1)


def test_it_is_the_share_of_the_unseen_rows_in_the_sum_of_squares_or_a_tail_heavier_than_2():
    rows = np.random.default_rng(1).lognormal(-1, 1.3, (300, 60))
    ones, twos, threes = rows.sum(axis=1), (rows**2).sum(axis=1), (rows**3).sum(axis=1)
    added = 2 * np.maximum(5, threes / twos) ** 2
    expected = (added / (twos + added) > 0.5) | (threes * ones / twos**2 > 2)
    np.testing.assert_array_equal(is_unreliable(batches(rows)), expected)


def test_a_row_that_counts_more_than_one_of_a_simple_sample_is_a_larger_one_unseen():
    rows = batches(np.random.default_rng(3).exponential(1.0, (100, 100)))
    assert is_unreliable(rows).mean() < 0.05
    assert is_unreliable(replace(rows, most_weight=4.0)).all()


def test_losses_that_vary_little_are_reliable_from_few_rows_and_one_row_or_an_infinite_loss_never():
    assert not is_unreliable(batches(np.random.default_rng(2).normal(4.0, 0.4, (50, 30)))).any()
    assert is_unreliable(batches([[2.0]])).all()
    assert is_unreliable(batches([[1.0, np.inf, 0.2]])).all()


def test_losses_of_zero_tell_nothing():
    assert is_unreliable(batches(np.zeros((1, 1_000)))).all()
