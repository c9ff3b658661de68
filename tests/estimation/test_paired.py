import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation import mcnemar, paired
from pipeline.estimation.mcnemar_power import mcnemar_power
from pipeline.estimation.paired import Question, group_difference
from pipeline.estimation.tango import score_interval
from pipeline.records import stored
from pipeline.sampling.units import Units

Z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)


def test_the_t_interval_and_test_against_scipy():
    values = np.random.default_rng(1).gamma(0.3, size=50) - 0.2
    known = stats.ttest_1samp(values, 0)
    assert paired.t_test(values) == pytest.approx(known.pvalue)
    interval = known.confidence_interval(0.9)
    assert paired.t_interval(values, 0.9) == pytest.approx((interval.low, interval.high))


def test_the_number_of_examples_against_the_formula_written_out():
    first = np.random.default_rng(2).exponential(size=500)
    second = first + np.random.default_rng(3).normal(0.02, 0.1, size=500)
    found = paired.mean_difference(first, second, Question())
    d = second - first
    assert found.n_for_power == math.ceil(Z**2 * d.var() / d.mean() ** 2)
    assert found.n_for_power_unpaired == math.ceil(Z**2 * (first.var() + second.var()) / d.mean() ** 2)
    assert found.n_ratio == found.n_for_power_unpaired / found.n_for_power > 1


def test_the_accuracys_number_of_examples_is_the_exact_tests_some_per_cent_above_the_normal_formulas():
    rng = np.random.default_rng(4)
    first, second = rng.random(800) < 0.7, rng.random(800) < 0.75
    found = paired.share_difference(first, second, Question())
    d = second.astype(float) - first
    assert found.value == pytest.approx(d.mean())
    assert 1 < found.n_for_power / (Z**2 * d.var() / d.mean() ** 2) < 1.1
    shares = (float((d == 1).mean()), float((d == -1).mean()))
    assert mcnemar_power(found.n_for_power, *shares, significance=0.05) == pytest.approx(0.8, abs=2e-3)
    assert mcnemar.discordant(first, second) == ((d == 1).sum(), (d == -1).sum())


@pytest.mark.parametrize("flips", [0, 3])
def test_no_number_of_examples_shows_flips_that_are_none_or_cancel(flips):
    first = np.array([True] * flips + [False] * flips + [True] * 20)
    second = np.concatenate([~first[: 2 * flips], first[2 * flips :]])
    found = paired.share_difference(first, second, Question())
    assert (found.value, found.p) == (0, 1)
    assert found.n_for_power == found.n_for_power_unpaired == math.inf
    assert math.isnan(found.n_ratio)
    assert found.low < 0 < found.high


def test_equal_losses_differ_by_nothing_and_no_number_of_examples_shows_it():
    loss = np.array([0.1, 2.0, 0.3])
    found = paired.mean_difference(loss, loss.copy(), Question())
    assert (found.value, found.low, found.high, found.p, found.n_for_power) == (0, 0, 0, 1, math.inf)


def test_a_difference_that_is_the_same_in_every_row_is_seen_in_the_fewest_rows_of_a_t_test():
    found = paired.mean_difference(np.array([1.0, 2.0]), np.array([1.5, 2.5]), Question())
    assert (found.value, found.p, found.n_for_power) == (0.5, 0.0, 2)


def test_an_effect_whose_square_no_float_holds_still_has_a_number():
    assert paired.n_for_power(1e-200, 1e-300, Question()) == pytest.approx(Z**2 * 1e100, rel=1e-6)
    assert paired.n_for_power(1e-200, 1.0, Question()) == math.inf


@pytest.mark.parametrize(
    ("first", "second", "value"), [(1.0, np.inf, np.inf), (np.inf, 1.0, -np.inf), (np.inf, np.inf, np.nan)]
)
def test_infinite_losses_make_the_difference_infinite_or_undefined_and_leave_no_test(first, second, value):
    found = paired.mean_difference(np.array([0.5, first]), np.array([0.7, second]), Question())
    assert found.value == pytest.approx(value, nan_ok=True)
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.n_for_power == found.n_for_power_unpaired == np.inf
    assert math.isnan(found.p)


def test_one_row_has_no_interval_for_the_loss_and_a_wide_one_for_the_accuracy():
    loss = paired.mean_difference(np.array([1.0]), np.array([2.0]), Question())
    assert (loss.low, loss.high) == (-np.inf, np.inf)
    assert math.isnan(loss.p)
    accuracy = paired.share_difference(np.array([False]), np.array([True]), Question())
    assert accuracy.high == 1 > accuracy.low


def test_values_of_different_rows_are_refused():
    with pytest.raises(ValueError, match="of the same rows"):
        paired.mean_difference(np.zeros(3), np.zeros(4), Question())


def rejections(samples):
    """How many rows of samples a two-sided t test at 5 % rejects."""
    n = samples.shape[1]
    t = samples.mean(axis=1) / (samples.std(axis=1, ddof=1) / np.sqrt(n))
    return int((np.abs(t) > stats.t.ppf(0.975, n - 1)).sum())


def agrees_with(count, draws, power=0.8, slack=0.01):
    """Whether a share may be `power` ± `slack`, which the normal approximation is allowed, by a binomial test."""
    low = stats.binomtest(count, draws, power - slack, alternative="less").pvalue
    high = stats.binomtest(count, draws, power + slack, alternative="greater").pvalue
    return min(low, high) > 0.001


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_a_paired_test_of_as_many_examples_has_the_power_by_simulation(power):
    rng = np.random.default_rng(5)
    effect, spread, draws = 0.15, 1.0, 20_000
    n = int(paired.n_for_power(effect, spread**2, Question(power=power)))
    assert agrees_with(rejections(rng.normal(effect, spread, size=(draws, n))), draws, power)


def test_an_unpaired_test_of_as_many_examples_an_arm_has_the_power_by_simulation():
    rng = np.random.default_rng(6)
    shared = rng.gamma(2.0, 0.5, size=4000)
    first, second = shared, shared + rng.normal(0.12, 0.3, size=4000)
    n = int(paired.mean_difference(first, second, Question()).n_for_power_unpaired)
    draws = 4000
    a = rng.choice(first, size=(draws, n))
    b = rng.choice(second, size=(draws, n))
    count = int((stats.ttest_ind(a, b, axis=1).pvalue < 0.05).sum())
    assert agrees_with(count, draws)


def test_flips_of_as_many_examples_are_seen_by_the_exact_test_with_the_power_by_simulation():
    gain, loss, draws = 0.06, 0.03, 20_000
    row = np.arange(100)
    n = int(paired.share_difference(row >= 6, (row < 6) | (row >= 9), Question()).n_for_power)
    flips = np.random.default_rng(7).multinomial(n, [gain, loss, 1 - gain - loss], size=draws)
    pairs, times = np.unique(flips[:, :2], axis=0, return_counts=True)
    count = int(sum(k for (b, c), k in zip(pairs.tolist(), times, strict=True) if mcnemar.mcnemar(b, c) <= 0.05))
    assert agrees_with(count, draws)


@pytest.mark.parametrize("n", [101, 5000])
def test_the_differences_of_many_rows_are_those_of_few_by_blocks(monkeypatch, n):
    rng = np.random.default_rng(n)
    first = rng.lognormal(-2, 1.5, n)
    second = first * rng.lognormal(0.02, 0.1, n)
    whole = paired.mean_difference(first, second, Question())
    shares = paired.share_difference(first < 0.5, second < 0.5, Question())
    for module in (mcnemar, stored):
        monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(paired, "SMALL", 100)
    found = paired.mean_difference(first, second, Question())
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(whole), rel=1e-11)
    found = paired.share_difference(first < 0.5, second < 0.5, Question())
    assert dataclasses.astuple(found) == pytest.approx(dataclasses.astuple(shares), rel=1e-12)


@pytest.mark.parametrize("infinite", [(True, False), (False, True), (True, True)])
def test_an_infinite_loss_among_many_rows_leaves_no_test_as_among_few(monkeypatch, infinite):
    first, second = np.full(200, 0.5), np.full(200, 0.25)
    first[3], second[3] = (np.inf if is_infinite else 1.0 for is_infinite in infinite)
    whole = paired.mean_difference(first, second, Question())
    monkeypatch.setattr(paired, "SMALL", 100)
    np.testing.assert_equal(
        dataclasses.astuple(paired.mean_difference(first, second, Question())), dataclasses.astuple(whole)
    )


def test_losses_kept_as_float32_are_compared_in_full():
    first = np.full(100, 3.0, np.float32)
    second = np.full(100, 3.0000002, np.float32)
    assert paired.mean_difference(first, second, Question()).value == float(second[0]) - 3.0


@pytest.mark.parametrize("size", [1_000, 3_000_000])
def test_what_differs_by_no_more_than_the_last_bit_of_the_means_is_no_difference(size):
    first = np.random.default_rng(1).exponential(size=size)
    second = first + np.spacing(first) * np.random.default_rng(2).choice([-1, 1], size)
    found = paired.mean_difference(first, second, paired.Question())
    assert (first != second).all()
    assert (found.value, found.p, found.n_for_power) == (0.0, 1.0, math.inf)


def test_a_difference_far_below_the_losses_own_rounding_to_seven_digits_is_one():
    first = np.random.default_rng(1).exponential(size=1_000)
    found = paired.mean_difference(first, first + 1e-12, paired.Question())
    assert found.value == pytest.approx(1e-12, rel=1e-3)


def test_a_share_that_never_changes_in_groups_still_has_an_interval():
    right = np.arange(60) % 3 > 0
    order = np.arange(60)
    found = group_difference(right, right, Units(60, None, order, np.arange(0, 61, 5)), Question())
    assert (found.value, found.low, found.high) == pytest.approx((0, *score_interval(0, 0, 12, 0.95)))
