"""Gains: their intervals and p values against SciPy, published numbers, and the interval that they stand for."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.estimation import gain as module
from pipeline.estimation.evidence import LEAST_P
from pipeline.estimation.gain import ShareGain, gain_of, sign_of
from pipeline.estimation.mean_gain import MeanGain
from pipeline.estimation.tango import score_interval
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.sampling.units import Units

RNG = np.random.default_rng(3)
FIRST = RNG.exponential(1, 400)
SECOND = FIRST + RNG.exponential(0.3, 400) - 0.33
# Differences without skewness and with light tails, at which Hall's interval is Student's.
PLAIN = FIRST + np.concatenate([(own := RNG.uniform(-0.5, 0.5, 200)), -own]) - 0.03


def share(gained, lost, n):
    return ShareGain(n, np.array([float(gained)]), np.array([float(lost)]))


@st.composite
def tables(draw):
    n = draw(st.integers(2, 3000))
    gained = draw(st.integers(0, n))
    return gained, draw(st.integers(0, n - gained)), n


def test_a_lower_loss_and_a_higher_accuracy_are_gains():
    assert (sign_of(Loss()), sign_of(Accuracy())) == (-1.0, 1.0)
    assert gain_of(Loss(), np.array([1.0, 1.0]), np.array([0.5, 0.75])).value.tolist() == [0.375]
    assert gain_of(Accuracy(), np.array([True, False]), np.array([True, True])).value.tolist() == [0.5]


@pytest.mark.parametrize("at", [0.0, -0.02, 0.05])
def test_of_plain_differences_the_interval_and_the_p_value_are_those_of_scipys_paired_test(at):
    gain = gain_of(Loss(), FIRST, PLAIN)
    test = stats.ttest_rel(FIRST, PLAIN)
    assert gain.ends(0.025, 0.025) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert gain.p(at) == pytest.approx(stats.ttest_1samp(FIRST - PLAIN, at).pvalue, rel=1e-6)


def test_with_skewness_and_long_tails_it_is_the_wider_of_students_and_halls_and_never_narrower_than_scipys():
    apart = FIRST - SECOND
    low, high = gain_of(Loss(), FIRST, SECOND).ends(0.025, 0.025)
    test = stats.ttest_rel(FIRST, SECOND).confidence_interval(0.95)
    assert low < test.low
    assert high > test.high
    # By hand: the degrees of freedom by the kurtosis, and Hall's cubic at its quantile.
    error, n = stats.sem(apart), len(apart)
    q = stats.t.ppf(0.975, 2 / (2 / (n - 1) + stats.kurtosis(apart) / n))
    k = stats.skew(apart) / np.sqrt(n) * ((n - 1) / n) ** 1.5
    k /= np.sqrt(1 + k * k / 4)
    hall = [apart.mean() - error * 3 / k * (np.cbrt(1 + k * (z - k / 6)) - 1) for z in (q, -q)]
    assert low == pytest.approx(min(hall[0], apart.mean() - q * error))
    assert high == pytest.approx(max(hall[1], apart.mean() + q * error))


def test_one_row_that_dominates_leaves_two_degrees_of_freedom():
    second = FIRST.copy()
    second[7] += 100
    low, _ = gain_of(Loss(), FIRST, second).ends(0.025, 0.025)
    assert low <= -0.25 - 0.98 * stats.t.ppf(0.975, 2) * 0.25


@pytest.mark.parametrize("error", [0.2, 0.025, 1e-4, 1e-9])
def test_the_p_value_of_an_end_of_the_interval_is_twice_its_error(error):
    gain = gain_of(Loss(), FIRST, SECOND)
    for end in gain.ends(error, error):
        assert gain.p(end) == pytest.approx(2 * error, rel=1e-5)


@pytest.mark.parametrize(("gained", "lost", "n"), [(6, 16, 161), (28, 25, 618), (1, 0, 30)])
def test_a_shares_p_value_of_an_end_of_tangos_interval_is_twice_its_error(gained, lost, n):
    gain = share(gained, lost, n)
    for error in (0.1, 0.025, 0.001):
        for end in gain.ends(error, error):
            assert gain.p(end) == pytest.approx(2 * error, rel=1e-6)


def test_tangos_interval_as_published():
    """Fagerland, Lydersen & Laake 2017, chapter 8, Cavo et al. 2012: 6 and 16 of 161 patients."""
    assert np.round(share(6, 16, 161).ends(0.025, 0.025), 4).tolist() == [-0.1240, -0.0054]


@given(tables(), st.sampled_from([-0.2, -0.01, 0.0, 0.03]), st.sampled_from([0.025, 0.0125, 0.001]))
def test_a_share_is_above_or_below_a_value_exactly_where_tangos_interval_is(table, at, error):
    low, high = score_interval(*table, 1 - 2 * error)
    if min(abs(low - at), abs(high - at)) > 1e-9:
        assert share(*table).is_above(at, error)[0] == (low > at)
        assert share(*table).is_below(at, error)[0] == (high < at)


@pytest.mark.parametrize(("gained", "lost"), [(10, 2), (8, 0), (5, 5)])
def test_a_shares_p_value_of_no_difference_is_mcnemars_without_a_correction(gained, lost):
    z = (gained - lost) / np.sqrt(gained + lost)
    assert share(gained, lost, 500).p(0.0) == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_where_no_row_turns_nothing_is_above_0_and_the_p_value_is_1():
    same = share(0, 0, 100)
    assert not same.is_above(0.0, 0.4)[0]
    assert not same.is_below(0.0, 0.4)[0]
    assert same.p(0.0) == 1.0
    assert same.is_above(-0.05, 0.025)[0]


def test_where_every_row_changes_alike_the_interval_has_no_width():
    alike = gain_of(Loss(), np.ones(50), np.full(50, 0.5))
    assert alike.ends(0.025, 0.025) == (0.5, 0.5)
    assert (alike.p(0.5), alike.p(0.0)) == (1.0, LEAST_P)


def test_of_one_row_nothing_is_said():
    one = gain_of(Loss(), np.array([2.0]), np.array([1.0]))
    assert one.ends(0.025, 0.025) == (-np.inf, np.inf)


def test_samples_are_judged_one_by_one():
    several = ShareGain(100, np.array([9.0, 0.0, 5.0]), np.array([0.0, 9.0, 5.0]))
    assert several.is_above(0.0, 0.025).tolist() == [True, False, False]
    assert several.is_below(0.0, 0.025).tolist() == [False, True, False]
    assert several.variance == pytest.approx([np.var([1] * 9 + [0] * 91), np.var([1] * 9 + [0] * 91), 0.1])


def test_twice_the_rows_are_what_the_same_rows_twice_would_be():
    twice = np.tile(FIRST, 2), np.tile(SECOND, 2)
    there = gain_of(Loss(), *twice)
    assert gain_of(Loss(), FIRST, SECOND).of_size(800).ends(0.01, 0.03) == pytest.approx(there.ends(0.01, 0.03))
    assert share(7, 3, 90).of_size(180).p(-0.02) == pytest.approx(share(14, 6, 180).p(-0.02))


def test_float32_values_and_blocks_give_the_moments_of_the_whole(monkeypatch):
    monkeypatch.setattr(module, "_AT_ONCE", 64)
    first, second = FIRST.astype("f4"), SECOND.astype("f4")
    found = gain_of(Loss(), first, second)
    apart = first.astype("f8") - second.astype("f8")
    assert found.mean[0] == pytest.approx(apart.mean(), rel=1e-12)
    assert found.second[0] == pytest.approx(apart.var(), rel=1e-12)
    assert found.third[0] == pytest.approx(stats.moment(apart, 3), rel=1e-9)
    assert found.fourth[0] == pytest.approx(stats.moment(apart, 4), rel=1e-9)


def test_the_method_is_said_without_a_confidence():
    assert gain_of(Loss(), FIRST, SECOND).method.startswith("the wider of Student's t and Hall's")
    assert share(1, 2, 9).method == "Tango's score interval of paired shares"


def test_a_shift_moves_the_mean_alone():
    gain = gain_of(Loss(), FIRST, SECOND)
    moved = gain.shifted(0.5)
    assert isinstance(moved, MeanGain)
    assert moved.ends(0.025, 0.025) == pytest.approx(tuple(np.add(gain.ends(0.025, 0.025), 0.5)))
    assert dataclasses.replace(moved, mean=gain.mean).p(0.1) == gain.p(0.1)


def _groups(n_groups, rows):
    return Units(n_groups * rows, None, np.arange(n_groups * rows), np.arange(0, n_groups * rows + 1, rows))


def test_the_gain_of_groups_of_one_size_is_that_of_their_means():
    found = gain_of(Loss(), FIRST, PLAIN, _groups(40, 10))
    alone = gain_of(Loss(), FIRST.reshape(40, 10).mean(axis=1), PLAIN.reshape(40, 10).mean(axis=1))
    assert found.ends(0.025, 0.01) == pytest.approx(alone.ends(0.025, 0.01))
    assert found.p(0.01) == pytest.approx(alone.p(0.01))
    assert "cluster-robust" in found.method


def test_groups_without_a_change_of_a_share_are_no_proof():
    right = np.ones(50, dtype=bool)
    low, high = gain_of(Accuracy(), right, right, _groups(5, 10)).ends(0.025, 0.025)
    assert -low == pytest.approx(high)
    assert high > 0.4


@pytest.mark.parametrize("is_share", [False, True])
def test_the_interval_of_groups_holds_the_truth_as_often_as_promised(is_share):
    """Groups differ in difficulty and size; the true gain is 0."""
    rng, draws, held, n_groups = np.random.default_rng(11), 1000, 0, 30
    for _ in range(draws):
        sizes = rng.integers(2, 12, n_groups)
        shift = np.repeat(rng.normal(0, 1, n_groups), sizes)
        first = rng.normal(0, 1, len(shift))
        second = rng.normal(0, 1, len(shift)) + shift
        if is_share:
            first, second = first > 0, second > 0
        starts = np.concatenate([[0], np.cumsum(sizes)])
        low, high = gain_of(
            Accuracy() if is_share else Loss(), first, second, Units(len(shift), None, np.arange(len(shift)), starts)
        ).ends(0.025, 0.025)
        held += low <= 0 <= high
    assert held >= stats.binom.ppf(0.001, draws, 0.95)
