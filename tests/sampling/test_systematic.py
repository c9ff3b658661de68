import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import BadInput
from pipeline.sampling.systematic import Systematic
from tests.populations import frame_of, some_scores


def test_rows_are_k_apart_around_the_end_from_a_start_among_all():
    plan = Systematic().plan(frame_of(some_scores(11)), 3)
    assert plan.from_start(9).indices.tolist() == [9, 1, 4]
    starts = {int(plan.batch(0, i).indices[0]) for i in range(200)}
    assert starts == set(range(11))


@given(size=st.integers(1, 60), data=st.data())
def test_over_all_starts_every_row_comes_equally_often_and_never_twice_in_a_batch(size, data):
    batch_size = data.draw(st.integers(1, size))
    plan = Systematic().plan(frame_of(some_scores(size)), batch_size)
    batches = [plan.from_start(start).indices for start in range(size)]
    assert all(len(np.unique(rows)) == batch_size for rows in batches)
    np.testing.assert_array_equal(np.bincount(np.concatenate(batches), minlength=size), batch_size)


@given(size=st.integers(1, 60), data=st.data(), order=st.sampled_from(["stored", "proxy"]))
def test_the_variance_against_the_means_of_all_starts(size, data, order):
    batch_size = data.draw(st.integers(1, size))
    values = some_scores(size).loss
    plan = Systematic(order=order).plan(frame_of(some_scores(size)), batch_size)
    means = np.array([values[plan.from_start(start).indices].mean() for start in range(size)])
    assert plan.error_variance(values, "loss") == pytest.approx(means.var(), rel=1e-9, abs=1e-20)


def test_in_order_of_the_values_themselves_it_beats_a_simple_sample_many_times():
    values = np.random.default_rng(0).random(997)
    plan = Systematic(order="proxy").plan(frame_of(some_scores(997), difficulty=values), 30)
    assert plan.error_variance(values, "loss") < values.var() / 30 / 5


def test_a_period_of_k_ruins_it():
    values = np.tile([0.0, 0.0, 1.0, 0.0], 25)
    plan = Systematic().plan(frame_of(some_scores(100)), 25)
    assert plan.error_variance(values, "loss") == pytest.approx(values.var())


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(BadInput, match=r"sampling.order must be one of stored, proxy; found 'random'"):
        Systematic(order="random")
    with pytest.raises(BadInput, match=r"batch_size must be at most the population's 9 rows"):
        Systematic().plan(frame_of(some_scores(9)), 10)
    with pytest.raises(BadInput, match=r"found nan in row 0"):
        Systematic(order="proxy").plan(frame_of(some_scores(9), difficulty=np.full(9, np.nan)), 3)
