"""Which of the two intervals a metric gets."""

import pytest

from pipeline.errors import BadInput
from pipeline.interval import accuracy, loss
from pipeline.interval.by_metric import ByMetric, method_words
from pipeline.metric import MEMBERS

LOSS, ACCURACY, TOP_5, BRIER = (MEMBERS[name]() for name in ("loss", "accuracy", "top_k", "brier"))


@pytest.fixture
def pair():
    return ByMetric(loss.MEMBERS["betting"](), accuracy.MEMBERS["wilson"]())


def test_shares_get_the_accuracy_s_and_means_the_loss_s():
    pair = ByMetric(loss.MEMBERS["t"](), accuracy.MEMBERS["wilson"]())
    assert [pair.of(metric) is pair.accuracy for metric in (LOSS, ACCURACY, TOP_5, BRIER)] == [False, True, True, False]
    assert pair.of(BRIER) is pair.loss


def test_a_guaranteed_interval_is_told_the_bound_of_its_metric(pair):
    assert pair.of(LOSS).cap is None
    assert pair.of(LOSS, loss_cap=7.0).cap == 7.0
    assert pair.of(BRIER, loss_cap=7.0).cap == 2.0
    set_already = ByMetric(loss.MEMBERS["betting"](cap=5.0), pair.accuracy)
    assert (set_already.of(LOSS, loss_cap=7.0).cap, set_already.of(BRIER).cap) == (5.0, 2.0)


def test_how_it_was_made_speaks_of_losses_only_for_the_loss():
    assert method_words(LOSS, "betting, losses up to 2 nats, 0.95") == "betting, losses up to 2 nats, 0.95"
    assert method_words(BRIER, "betting, losses up to 2 nats, 0.95") == "betting, values up to 2, 0.95"
    assert method_words(TOP_5, "Wilson, 0.95") == "Wilson, 0.95"


def test_another_target_is_refused(pair):
    with pytest.raises(
        BadInput, match=r"interval\.target must be one of population, superpopulation, or auto; found 'world'"
    ):
        ByMetric(pair.loss, pair.accuracy, target="world")
