import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.draws import draw_batches
from pipeline.sampling.epoch import Epoch
from tests.populations import frame_of, scored_of, some_scores


def plan_of(size, batch_size):
    return Epoch().plan(frame_of(some_scores(size)), batch_size)


def test_a_pass_holds_no_row_twice_and_drops_the_remainder():
    plan = plan_of(23, 5)
    for first in (0, 4, 8):
        rows = np.concatenate([plan.batch(0, i).indices for i in range(first, first + 4)])
        assert len(np.unique(rows)) == 20


def test_passes_are_shuffled_anew_and_every_row_is_dropped_as_often_as_any_against_the_chi_squared_test():
    plan, kept = plan_of(7, 3), np.zeros(7)
    for i in range(2 * 3000):
        kept += np.bincount(plan.batch(5, i).indices, minlength=7)
    # One row of 7 is dropped in each of 3,000 passes.
    assert stats.chisquare(3000 - kept).pvalue > 0.001


def test_a_draw_does_not_depend_on_which_were_asked_for_before():
    plan = plan_of(50, 8)
    forwards = [plan.batch(1, i).indices for i in range(20)]
    for i in reversed(range(20)):
        np.testing.assert_array_equal(plan_of(50, 8).batch(1, i).indices, forwards[i])
    assert not np.array_equal(plan.batch(2, 0).indices, forwards[0])


def test_two_batches_of_a_pass_are_correlated_as_theory_says():
    scored = scored_of(some_scores(40), Epoch(), 10)
    means = draw_batches(scored, seed=0, draws=4 * 8000)["loss"].mean.reshape(-1, 4)
    found = np.corrcoef(means.T)[np.triu_indices(4, 1)]
    # -b/(N - b) = -1/3; a correlation of 8,000 pairs is known to about ±0.01.
    np.testing.assert_allclose(found, -10 / 30, atol=0.05)
    # A pass of all rows is exact.
    np.testing.assert_allclose(means.mean(axis=1), scored.mean("loss"))


def test_a_batch_larger_than_the_population_is_refused():
    with pytest.raises(BadInput, match=r"batch_size must be at most the population's 9 rows"):
        plan_of(9, 10)
