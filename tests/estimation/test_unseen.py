"""Rows not seen: what is assumed of them, and how rare they may be."""

import numpy as np
import pytest

from pipeline.estimation.unseen import COUNTS, assumed, counts_below, rarest, reach_of
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.metric.together import TOGETHER
from pipeline.metric.value import Value


def test_a_loss_may_differ_by_5_nats_a_bounded_metric_by_its_range_and_of_a_free_one_nothing_is_known():
    assert (reach_of(Loss()), reach_of(Brier()), reach_of(Value())) == (5.0, 2.0, 0.0)


@pytest.mark.parametrize("name", TOGETHER)
def test_no_room_is_left_for_the_influence_values_of_a_metric_of_all_rows(name):
    assert reach_of(TOGETHER[name]) is None


def test_once_a_row_is_seen_that_differs_much_the_largest_one_stands_for_those_not_seen():
    assert assumed(np.array([0.0, 0.99, 1.0, 7.0]), 5.0).tolist() == [5.0, 5.0, 1.0, 7.0]
    assert assumed(np.array([0.3]), 0.0).tolist() == [0.3]


@pytest.mark.parametrize(("n", "error"), [(50, 0.025), (1_000, 0.0125), (100_000, 0.05)])
def test_rows_that_are_1_in_so_many_are_missed_with_the_error(n, error):
    assert (1 - 1 / rarest(n, error)) ** n == pytest.approx(error)


def test_counts_begin_with_none_and_end_where_rows_are_missed_no_more_often_than_the_error():
    assert COUNTS[0] == 0
    assert (np.diff(COUNTS) > 0).all()
    assert np.exp(-COUNTS[-1]) < 1e-15
    assert np.exp(-counts_below(0.025)).min() > 0.025
    assert len(counts_below(1e-6)) > len(counts_below(0.025))
