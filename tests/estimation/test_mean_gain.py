"""The gain of a mean with room for rows not seen: against its definition, and wrong verdicts counted by simulation."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.bounded_gain import BoundedGain
from pipeline.estimation.gain import gain_of
from pipeline.estimation.mean_gain import MeanGain
from pipeline.estimation.unseen import assumed
from pipeline.metric.loss import Loss
from pipeline.sampling.units import Units
from tests.estimation.differences import POPULATIONS

ERROR = 0.025
RNG = np.random.default_rng(2)
FIRST = RNG.exponential(1, 300)
SECOND = FIRST + RNG.normal(-0.05, 0.1, 300)


def samples(gains, reach=5.0):
    """The gains of m samples of n rows, shape (m, n)."""
    mean = gains.mean(axis=1)
    off = gains - mean[:, None]
    moments = ((off**power).mean(axis=1) for power in (2, 3, 4))
    return MeanGain(gains.shape[1], mean, *moments, unseen=assumed(np.abs(gains).max(axis=1), reach))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_end_is_the_outermost_over_all_shares_of_rows_not_seen(sign):
    """Of the share c/n none is seen with the chance e^-c, and they move the mean by c M/n."""
    gain = gain_of(Loss(), FIRST, FIRST + sign * (SECOND - FIRST), reach=5.0)
    assert gain.unseen.tolist() == [5.0]
    bare = dataclasses.replace(gain, unseen=0.0)
    counts = np.linspace(0, -math.log(2 * ERROR) - 1e-9, 2_000)
    low, high = np.array([bare.ends(ERROR * math.exp(c), ERROR * math.exp(c)) for c in counts]).T
    expected = (low - counts * 5 / 300).min(), (high + counts * 5 / 300).max()
    # Past an error of a half the ends lie beyond the mean, until c = log(1/e), where more are missed than may be.
    for end, half in zip(gain.ends(ERROR, ERROR), expected, strict=True):
        mean = float(gain.value[0])
        assert abs(half - mean) <= abs(end - mean) + 1e-4
        assert abs(end - mean) <= -math.log(ERROR) * 5 / 300 + 1e-9
    assert gain.ends(ERROR, ERROR)[0] < bare.ends(ERROR, ERROR)[0] - 0.02


def test_where_all_rows_change_alike_only_rows_not_seen_are_left():
    """A mean that is d off takes a share d/M of rows that differ by M, which n rows miss with the chance e^-(n d/M)."""
    alike = gain_of(Loss(), np.full(400, 0.5), np.full(400, 0.45), reach=5.0)
    assert alike.p(0.0) == pytest.approx(2 * math.exp(-400 * 0.05 / 5), rel=0.15)
    low, high = alike.ends(ERROR, ERROR)
    assert 0.05 - low == pytest.approx(math.log(1 / ERROR) * 5 / 400, rel=0.02)
    assert high - 0.05 == pytest.approx(0.05 - low)


def test_room_costs_nothing_where_many_rows_differ_much():
    rng = np.random.default_rng(0)
    first = rng.exponential(1, 3_000)
    second = first + rng.normal(0, 0.6, 3_000)
    assert gain_of(Loss(), first, second, reach=5.0).ends(ERROR, ERROR) == gain_of(Loss(), first, second).ends(
        ERROR, ERROR
    )


@pytest.mark.parametrize(("at", "is_above"), [(0.0, True), (-0.02, True), (0.15, False)])
def test_the_verdict_holds_up_to_its_room_and_no_further(at, is_above):
    gain = gain_of(Loss(), FIRST, SECOND, reach=0.2)
    room = gain.room(at, ERROR, is_above=is_above)
    assert room > 0
    for unseen, holds in ((0.999 * room, True), (1.001 * room, False)):
        there = dataclasses.replace(gain, unseen=unseen)
        assert (there.is_above(at, ERROR) if is_above else there.is_below(at, ERROR))[0] == holds
    assert gain.room(at, ERROR, is_above=not is_above) == 0.0


def test_samples_have_the_verdicts_that_their_ends_give():
    gains = POPULATIONS["heavy tails"](np.random.default_rng(4), 200, 300) + 0.03
    found = samples(gains)
    above, below = found.is_above(0.0, ERROR), found.is_below(0.05, ERROR)
    for i in range(200):
        low, high = samples(gains[i : i + 1]).ends(ERROR, ERROR)
        assert (above[i], below[i]) == (low > 0, high < 0.05)
    assert 0 < above.sum() < 200


def test_groups_have_room_too():
    units = Units(300, None, np.arange(300), np.arange(0, 301, 10))
    wide, narrow = (gain_of(Loss(), FIRST, SECOND, units, reach=reach).ends(ERROR, ERROR) for reach in (5.0, None))
    assert wide[0] < narrow[0] - 0.1
    assert wide[1] > narrow[1] + 0.1


def wrong(draw, n, margin, *, draws, at_once=500_000, bound=None, seed=0):
    """How many of the samples of a gain of exactly minus the margin are said to be above it, or below it."""
    rng, found, left = np.random.default_rng(seed), 0, draws
    while left:
        m = min(left, max(1, at_once // n))
        gains = draw(rng, m, n) - margin
        gain = samples(gains) if bound is None else BoundedGain(n, gains, bound)
        found += int((gain.is_above(-margin, ERROR) | gain.is_below(-margin, ERROR)).sum())
        left -= m
    return found


def kept(wrong, draws):
    """Whether so many are what a chance of 5 % gives, but once in a thousand."""
    return wrong <= stats.binom.ppf(0.999, draws, 2 * ERROR)


@pytest.mark.parametrize("n", [50, 300])
@pytest.mark.parametrize("name", POPULATIONS)
def test_verdicts_at_0_are_wrong_no_more_often_than_promised(name, n):
    assert kept(wrong(POPULATIONS[name], n, 0.0, draws=400), 400)


@pytest.mark.slow
@pytest.mark.parametrize("margin", [0.0, 0.02])
@pytest.mark.parametrize("n", [50, 100, 200, 300, 500, 1_000, 3_000, 10_000])
@pytest.mark.parametrize("name", POPULATIONS)
def test_verdicts_are_wrong_no_more_often_than_promised_at_any_number_of_rows(name, n, margin):
    """The table in docs/gate.md."""
    assert kept(wrong(POPULATIONS[name], n, margin, draws=2_000), 2_000)


def test_without_room_rows_not_seen_break_the_promise():
    gains = POPULATIONS["1 of 200 gains 5 nats"](np.random.default_rng(0), 1_000, 200)
    bare = dataclasses.replace(samples(gains), unseen=0.0)
    assert (bare.is_above(0.0, ERROR) | bare.is_below(0.0, ERROR)).mean() > 0.3


def test_a_bias_that_may_be_left_moves_the_ends_and_the_claims_with_them():
    gain = gain_of(Loss(), FIRST, SECOND, reach=0.2)
    there = dataclasses.replace(gain, slack=(0.01, 0.02))
    (low, high), (lower, higher) = gain.ends(ERROR, ERROR), there.ends(ERROR, ERROR)
    assert (low - lower, higher - high) == pytest.approx((0.01, 0.02))
    assert there.p(lower) == pytest.approx(2 * ERROR, rel=0.03)
    assert [bool(there.is_below(higher + by, ERROR)[0]) for by in (1e-6, -1e-6)] == [True, False]
    room = there.room(0.0, ERROR, is_above=True)
    assert dataclasses.replace(there, unseen=0.999 * room).is_above(0.0, ERROR)[0]
    assert not dataclasses.replace(there, unseen=1.001 * room).is_above(0.0, ERROR)[0]


def test_groups_whose_rows_differ_much_leave_no_room_for_a_group_that_differs_by_as_much_as_a_row():
    rng = np.random.default_rng(0)
    gains = np.where(rng.random(900) < 0.02, rng.normal(0, 4, 900), rng.normal(0.05, 0.1, 900))
    units = Units(900, None, np.arange(900), np.arange(0, 901, 3))
    assert np.abs(gains).max() > 5
    assert MeanGain.of_groups(gains, units, reach=5.0).unseen < 5
    # Where no row differs much, a group may come that does.
    assert MeanGain.of_groups(gains / 50, units, reach=5.0).unseen == 5
