"""The gain within declared bounds: by exact probabilities, against the literal product, and by simulation."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.bounded_gain import BoundedGain
from pipeline.estimation.gain import gain_of
from pipeline.estimation.wager import spread_stakes
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from tests.estimation.differences import POPULATIONS
from tests.estimation.test_mean_gain import ERROR, kept, wrong

RNG = np.random.default_rng(6)
GAINS = RNG.normal(0.1, 0.5, (1, 300))


def bounded(gains, reach=2.0):
    return BoundedGain(gains.shape[1], gains, reach)


@pytest.mark.parametrize("error", [0.2, 0.05, 0.025])
@pytest.mark.parametrize(("share", "large"), [(0.005, 5.0), (0.05, -5.0), (0.5, 5.0)])
def test_no_verdict_is_wrong_more_often_than_promised_by_the_binomial_distribution(share, large, error):
    """Rows gain `large` with this chance, and lose a little else: every sample's probability is known."""
    n, small = 200, -share * large / (1 - share)
    hits = np.arange(n + 1)
    gains = np.where(np.arange(n) < hits[:, None], large, small)
    chances = stats.binom.pmf(hits, n, share)
    found = bounded(gains, reach=5.0)
    assert chances @ found.is_above(0.0, error) <= error
    assert chances @ found.is_below(0.0, error) <= error


def test_the_capital_is_the_sum_over_the_gamblers_of_the_literal_product():
    stakes, at = spread_stakes(300, 0.025), 0.02
    # No stake may lose more than all.
    factors = 1 + np.minimum(stakes.sizes, 1 / (1 + at / 2))[:, None] * (np.clip(GAINS[0] / 2, -1, 1) - at / 2)
    capital = stakes.shares @ factors.prod(axis=1)
    assert capital > 2
    assert bounded(GAINS).p(at) == pytest.approx(2 / capital)


def test_the_order_of_the_rows_does_not_matter():
    there, back = bounded(GAINS), bounded(GAINS[:, ::-1])
    assert there.p(0.0) == pytest.approx(back.p(0.0), rel=1e-9)
    assert there.ends(0.01, 0.04) == pytest.approx(back.ends(0.01, 0.04), rel=1e-6)


@pytest.mark.parametrize("error", [0.1, 0.025, 1e-4])
def test_the_ends_are_where_the_bets_stop_rejecting(error):
    gain = bounded(GAINS)
    low, high = gain.ends(error, error)
    assert gain.p(low) == pytest.approx(2 * error, rel=0.05)
    assert gain.p(high) == pytest.approx(2 * error, rel=0.05)
    # Rounded outwards.
    assert gain.p(low) <= 2 * error
    assert gain.p(high) <= 2 * error
    assert gain.is_above(low - 1e-6, error)[0]
    assert not gain.is_above(low + 0.005, error)[0]


def test_few_rows_within_a_wide_range_leave_the_range():
    assert bounded(np.full((1, 2), 0.3), reach=50.0).ends(ERROR, ERROR) == (-50.0, 50.0)


def test_differences_beyond_the_range_are_cut_and_counted():
    gain = bounded(np.array([[3.0, -0.5, 0.5, -9.0, 1.0]]))
    assert gain.cut == 2
    assert gain.value[0] == pytest.approx((2.0 - 0.5 + 0.5 - 2.0 + 1.0) / 5)
    assert gain.variance[0] == pytest.approx(np.var([2.0, -0.5, 0.5, -2.0, 1.0]))


def test_twice_the_rows_are_what_the_same_rows_twice_would_be():
    twice = BoundedGain(600, np.tile(GAINS, 2), 2.0)
    assert bounded(GAINS).of_size(600).p(0.0) == pytest.approx(twice.p(0.0), rel=0.7)
    low, high = bounded(GAINS).of_size(600).ends(ERROR, ERROR)
    assert (low, high) == pytest.approx(twice.ends(ERROR, ERROR), abs=0.004)


def test_only_the_loss_has_a_declared_range():
    rng = np.random.default_rng(7)
    first = rng.exponential(1, 50)
    assert isinstance(gain_of(Loss(), first, first[::-1], bound=2.0), BoundedGain)
    right = rng.random(50) < 0.5
    assert not isinstance(gain_of(Accuracy(), right, right[::-1], bound=2.0), BoundedGain)
    found = gain_of(Loss(), np.array([1.0, 2.0]), np.array([0.25, 1.5]), bound=2.0)
    assert found.value[0] == pytest.approx(0.625)


@pytest.mark.parametrize("n", [50, 300])
@pytest.mark.parametrize("name", ["1 of 200 gains 5 nats", "1 of 200 loses 5 nats", "noisy labels"])
def test_verdicts_are_wrong_no_more_often_than_promised(name, n):
    # A normal variable is above 5 nats by no more than 1 in 10⁹ here.
    assert kept(wrong(POPULATIONS[name], n, 0.0, draws=400, bound=6.0), 400)


@pytest.mark.slow
@pytest.mark.parametrize("margin", [0.0, 0.02])
@pytest.mark.parametrize("n", [50, 200, 500, 1_000, 3_000])
@pytest.mark.parametrize("name", ["1 of 200 gains 5 nats", "1 of 200 loses 5 nats", "nearly equal", "noisy labels"])
def test_verdicts_are_wrong_no_more_often_than_promised_at_any_number_of_rows(name, n, margin):
    assert kept(wrong(POPULATIONS[name], n, margin, draws=2_000, bound=6.0), 2_000)


def test_a_narrow_range_costs_less_than_a_wide_one():
    widths = [np.diff(bounded(GAINS, reach).ends(ERROR, ERROR))[0] for reach in (2.0, 5.0, 20.0)]
    student = 2 * stats.t.ppf(1 - ERROR, 299) * stats.sem(GAINS[0])
    assert student < widths[0] < widths[1] < widths[2]
    assert widths[0] < 1.7 * student
    assert math.isfinite(widths[2])
