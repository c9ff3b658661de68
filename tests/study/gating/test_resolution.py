"""What a gate's rows can show, by simulation, and what its verdicts assume."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.gain import gain_of
from pipeline.estimation.paired import Question, n_for_power
from pipeline.estimation.verdict import smallest_effect
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE
from pipeline.study.gating.resolution import assumptions, resolution

RNG = np.random.default_rng(3)
FIRST = RNG.exponential(1, 400)
SECOND = FIRST + RNG.normal(-0.02, 0.1, 400)
ROOM = gain_of(Loss(), FIRST, SECOND, reach=5.0)
BARE = gain_of(Loss(), FIRST, SECOND)


def of(gain, margin=0.05, *, is_share=False):
    return resolution(gain, margin, 0.05, 0.8, is_share=is_share)


def test_without_room_they_are_those_of_the_normal_plan():
    effect, needed = of(BARE)
    assert effect == pytest.approx(smallest_effect(float(BARE.variance[0]), 400, power=0.8, error=0.025))
    assert needed == n_for_power(0.05, float(BARE.variance[0]), Question())


def test_with_room_more_rows_are_needed_and_a_difference_of_the_effect_is_seen_with_the_power():
    effect, needed = of(ROOM)
    assert effect > of(BARE)[0] + 0.02
    assert needed > of(BARE)[1]
    there = smallest_effect(float(ROOM.variance[0]), needed, power=0.8, error=0.025, unseen=5.0)
    before = smallest_effect(float(ROOM.variance[0]), needed - 1, power=0.8, error=0.025, unseen=5.0)
    assert there <= 0.05 < before
    rng = np.random.default_rng(1)
    seen = [
        gain_of(Loss(), FIRST, FIRST + rng.normal(-effect, ROOM.variance[0] ** 0.5, 400), reach=5.0).is_above(0, 0.025)
        for _ in range(400)
    ]
    assert stats.binomtest(int(np.sum(seen)), 400, 0.8).pvalue > 0.001


def test_bets_show_less_than_a_normal_plan_and_no_number_of_rows_shows_a_margin_of_0():
    gain = gain_of(Loss(), FIRST, SECOND, bound=1.0)
    effect, needed = of(gain)
    assert of(BARE)[0] < effect < 3 * of(BARE)[0]
    assert needed == math.ceil(400 * (effect / 0.05) ** 2)
    assert of(gain, 0.0)[1] == math.inf


def test_of_a_share_that_does_not_change_one_row_in_n_is_taken_to():
    right = np.ones(400, dtype=bool)
    effect, _ = of(gain_of(Accuracy(), right, right), is_share=True)
    assert effect == pytest.approx(smallest_effect(1 / 400, 400, power=0.8, error=0.025))


@pytest.mark.parametrize(("code", "margin"), [(BETTER, 0.05), (NOT_WORSE, 0.05), (WORSE, 0.0)])
def test_a_verdict_holds_up_to_the_room_that_is_said(code, margin):
    gain = dataclasses.replace(BARE, mean=-BARE.mean if code == WORSE else BARE.mean, unseen=0.001)
    found = assumptions(gain, margin, code, (0.025, 0.025))
    at = 0.0 if code == BETTER else -margin
    for times, holds in ((0.99, True), (1.01, False)):
        there = dataclasses.replace(gain, unseen=times * found["room"])
        assert (there.is_below(at, 0.025) if code == WORSE else there.is_above(at, 0.025))[0] == holds
    assert (1 - 1 / found["rarest"]) ** 400 == pytest.approx(0.025)


def test_what_is_undecided_says_with_how_much_less_room_it_would_be_decided():
    found = assumptions(ROOM, 0.0, UNDECIDED, (0.025, 0.025))
    assert 0 < found["room"] < found["unseen"] == 5.0
    assert assumptions(ROOM, float(-ROOM.mean[0]), UNDECIDED, (0.025, 0.025))["room"] == 0.0


def test_bets_say_their_range_and_shares_assume_nothing():
    gain = gain_of(Loss(), FIRST, SECOND, bound=0.2)
    found = assumptions(gain, 0.0, UNDECIDED, (0.025, 0.025))
    assert found == {"bound": 0.2, "cut": int((np.abs(FIRST - SECOND) > 0.2).sum())}
    right = FIRST > 1
    assert assumptions(gain_of(Accuracy(), right, right), 0.0, UNDECIDED, (0.025, 0.025)) == {}
