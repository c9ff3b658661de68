"""Prediction-powered means: the published formula, ppi_py's numbers, enumeration, and coverage by simulation."""

from itertools import combinations

import numpy as np
import pytest
import scipy

from pipeline.estimation.paired import Question, n_for_power, share_difference
from pipeline.estimation.prediction_powered import ProxyDifference, powered_difference, powered_mean
from pipeline.estimation.unseen import assumed

# Eight labelled rows and twelve others; the numbers of ppi_py 0.2.3 (ppi_mean_pointestimate, ppi_mean_ci(alpha=0.05)).
_Y = np.array([1.0, 2, 4, 3, 6, 5, 9, 7])
_F = np.array([1.5, 1.2, 3, 4, 4, 5.5, 7, 8])
_OTHERS = np.array([2.0, 3, 3.5, 6, 8, 1, 4, 5, 7, 9, 2.5, 6.5])
_BY_PPI_PY = {
    0.0: (4.625, 2.89478705, 6.35521295),
    0.5: (4.88333333, 3.58955781, 6.17710886),
    1.0: (5.14166667, 3.54688028, 6.73645306),
}


def test_the_published_example_of_two_labelled_rows_and_two_others():
    found = powered_mean(np.array([5.0, 6.0]), np.array([4.9, 6.1]), np.array([5.2, 6.1]))
    reach = scipy.stats.norm.ppf(0.975) * found.error[0]
    assert found.value[0] == pytest.approx(5.618, abs=5e-4)
    assert found.value[0] - reach == pytest.approx(4.923, abs=5e-4)
    assert found.value[0] + reach == pytest.approx(6.312, abs=5e-4)


@pytest.mark.parametrize("slope", list(_BY_PPI_PY))
def test_estimate_and_error_are_those_of_ppi_py_but_for_its_divisors_n(slope):
    value, low, high = _BY_PPI_PY[slope]
    found = powered_mean(_Y, _F, _OTHERS, slope=slope)
    assert found.value[0] == pytest.approx(value, abs=1e-8)
    z = scipy.stats.norm.ppf(0.975)
    theirs = ((_Y - slope * _F).var() / 8, slope**2 * _OTHERS.var() / 12)
    assert (high - low) / 2 / z == pytest.approx(np.sqrt(sum(theirs)), abs=1e-8)
    assert found.error[0] ** 2 == pytest.approx(theirs[0] * 8 / 7 + theirs[1] * 12 / 11, rel=1e-12)


def test_the_slope_is_that_of_ppi_py_but_for_its_covariance_with_the_divisor_n():
    # Its estimate with a tuned slope is 4.88651729, and moves by 0.516667 with the slope.
    theirs = (4.88651729 - 4.625) / (_OTHERS.mean() - _F.mean())
    assert powered_mean(_Y, _F, _OTHERS).slope[0] == pytest.approx(theirs * 8 / 7, abs=1e-7)


def test_the_slope_is_cut_to_0_and_1():
    assert powered_mean(_Y, -_F, -_OTHERS).slope[0] == 0
    assert powered_mean(_Y, _F / 10, _OTHERS / 10).slope[0] == 1


@pytest.mark.parametrize("proxies", [np.full(8, 2.0), -_F])
def test_a_proxy_that_is_constant_or_opposed_leaves_the_plain_mean_and_its_error(proxies):
    found = powered_mean(_Y, proxies, np.full(12, 2.0) if proxies[0] == 2 else -_OTHERS)
    assert (found.value[0], found.slope[0]) == (_Y.mean(), 0)
    assert found.error[0] == pytest.approx(scipy.stats.sem(_Y))
    assert found.worth[0] == 1


def test_one_labelled_row_tells_no_error():
    found = powered_mean(_Y[:1], _F[:1], _OTHERS)
    assert (found.value[0], found.slope[0]) == (1, 0)
    assert np.isnan(found.error[0])
    assert found.gain().ends(0.025, 0.025) == (-np.inf, np.inf)


def test_many_samples_at_once_are_those_one_by_one():
    rng = np.random.default_rng(1)
    y, f, others = rng.normal(size=(3, 20)), rng.normal(size=(3, 20)), rng.normal(size=(3, 30))
    f += y
    together = powered_mean(y, f, others)
    for i in range(3):
        alone = powered_mean(y[i], f[i], others[i])
        for name in ("value", "slope", "second", "third", "fourth", "error", "worth"):
            assert getattr(together, name)[i] == pytest.approx(getattr(alone, name)[0], rel=1e-12)


def test_the_estimate_is_the_regression_estimator_on_all_rows():
    found = powered_mean(_Y, _F, _OTHERS, slope=0.4)
    everyone = np.concatenate([_F, _OTHERS]).mean()
    assert found.value[0] == pytest.approx(_Y.mean() + 0.4 * (1 + 8 / 12) * (everyone - _F.mean()))


def test_over_all_samples_of_a_population_a_fixed_slope_is_unbiased_with_the_variance_of_the_formula():
    y, f = np.array([0.1, 0.4, 2.0, 0.0, 1.1, 3.0]), np.array([0.2, 0.3, 1.5, 0.1, 1.4, 2.0])
    values, variances = [], []
    for chosen in combinations(range(6), 3):
        rest = [i for i in range(6) if i not in chosen]
        found = powered_mean(y[list(chosen)], f[list(chosen)], f[rest], target="population", slope=0.45)
        values.append(found.value[0])
        variances.append(found.error[0] ** 2)
    assert np.mean(values) == pytest.approx(y.mean(), abs=1e-12)
    assert np.mean(variances) == pytest.approx(np.var(values), rel=1e-12)


def test_the_moments_are_those_of_the_error():
    rng = np.random.default_rng(2)
    f = rng.exponential(size=(200_000, 20))
    y, others = f[:, :8] ** 2 / 2, f[:, 8:]
    found = powered_mean(y, f[:, :8], others, slope=0.8)
    assert found.value.var() == pytest.approx((found.error**2).mean(), rel=0.01)
    # The third moments with the divisor n are too small by (n - 1)(n - 2)/n² of the labelled rows, most of it.
    third = np.mean((found.value - found.value.mean()) ** 3)
    assert (found.third / 8**2).mean() == pytest.approx(third, rel=0.4)


def _losses(rng, sharp, temperature, noise):
    """Losses and hits of rows with ten classes, and what the model itself expects."""
    z = sharp * rng.normal(size=(60_000, 10))
    chances = scipy.special.softmax(z, axis=1)
    labels = (chances.cumsum(axis=1) < rng.random((len(z), 1))).sum(axis=1).clip(0, 9)
    labels = np.where(rng.random(len(z)) < noise, rng.integers(0, 10, len(z)), labels)
    log_p = scipy.special.log_softmax(temperature * z, axis=1)
    loss = -log_p[np.arange(len(z)), labels]
    said = np.exp(log_p)
    return loss, -(said * log_p).sum(axis=1), (log_p.argmax(axis=1) == labels).astype(float), said.max(axis=1)


# Sharpness of the logits, by what they are multiplied, share of random labels; the least coverage at n = 200.
_POPULATIONS = {
    "well calibrated": (4.0, 1.0, 0.0),
    "over-confident": (4.0, 3.0, 0.0),
    "under-confident": (4.0, 0.4, 0.0),
    "random labels": (6.0, 1.0, 0.02),
    "hardly ever unsure": (20.0, 1.0, 0.0),
}


def _coverage(y, f, rng, *, n, target, samples=1500):
    rows = rng.integers(0, len(y), (samples, n + 800))
    # Each sample's own rows are the population, or the world is.
    off = y[rows] - (y[rows].mean(axis=1, keepdims=True) if target == "population" else y.mean())
    gain = powered_mean(off[:, :n], f[rows[:, :n]], f[rows[:, n:]], target=target).gain()
    return 1 - np.count_nonzero(gain.is_above(0.0, 0.025) | gain.is_below(0.0, 0.025)) / samples


@pytest.mark.parametrize("target", ["superpopulation", "population"])
@pytest.mark.parametrize("name", [*_POPULATIONS, "lognormal"])
def test_the_interval_covers_as_it_says(name, target):
    rng = np.random.default_rng(3)
    if name == "lognormal":
        x = rng.normal(size=60_000)
        both = [(np.exp(1.2 * x + rng.normal(size=len(x)) / 2), np.exp(1.2 * x))]
    else:
        loss, expected, hit, sure = _losses(rng, *_POPULATIONS[name])
        both = [(loss, expected), (hit, sure)]
    # A tail as heavy as this one misleads every interval that knows the sample alone: 92 % at 200 rows.
    least = 0.90 if name == "lognormal" else 0.94
    for y, f in both:
        covered = _coverage(y, f, rng, n=200, target=target)
        assert covered >= scipy.stats.binom.ppf(1e-3, 1500, least) / 1500


def test_a_good_proxy_is_worth_rows():
    rng = np.random.default_rng(4)
    f = rng.normal(size=(2000, 1100))
    y = 0.8 * f[:, :100] + 0.6 * rng.normal(size=(2000, 100))
    found = powered_mean(y, f[:, :100], f[:, 100:])
    # 1 - ρ² + ρ² n/(n + N) of the plain variance.
    assert np.median(found.worth) == pytest.approx(1 / (1 - 0.64 + 0.64 * 100 / 1100), rel=0.05)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="must be of the same labelled rows"):
        powered_mean(_Y, _F[:5], _OTHERS)
    with pytest.raises(ValueError, match="others of unlabelled ones"):
        powered_mean(_Y, _F, _OTHERS[:0])


def _differences(rng, kind):
    """Gains of a second model, row by row, and what a judge says of them that is wrong at times."""
    n = 60_000
    right = rng.random((2, n)) < np.array([[0.93], [0.92]])
    right[1] = np.where(rng.random(n) < 0.8, right[0], right[1])
    if kind == "share":
        apart = right[1].astype(float) - right[0]
        return apart, np.where(rng.random(n) < 0.005, rng.integers(-1, 2, n), apart)
    if kind == "share, poor judge":
        apart = right[1].astype(float) - right[0]
        return apart, np.where((rng.random(n) < 0.3) & (apart != 0), rng.integers(-1, 2, n), apart)
    apart = np.where(rng.random(n) < 0.1, rng.gamma(0.5, 1.0, n) - 0.45, 0.01 * rng.normal(size=n))
    return apart, apart + np.where(rng.random(n) < 0.05, rng.normal(size=n), 0.0)


@pytest.mark.parametrize("kind", ["share", "share, poor judge", "losses"])
def test_a_verdict_at_the_margin_is_wrong_as_seldom_as_promised(kind):
    rng, samples, n = np.random.default_rng(7), 3000, 600
    apart, said = _differences(rng, kind)
    rows = rng.integers(0, len(apart), (samples, n + 1800))
    found = powered_mean(apart[rows[:, :n]], said[rows[:, :n]], said[rows[:, n:]], folds=5)
    room = assumed(np.abs(apart[rows[:, :n]]).max(axis=1), 1.0 if "share" in kind else 5.0)
    gain = found.gain(unseen=room)
    assert np.median(found.worth) > 1.2
    most = scipy.stats.binom.ppf(0.999, samples, 0.025)
    assert np.count_nonzero(gain.is_above(apart.mean(), 0.025)) <= most
    assert np.count_nonzero(gain.is_below(apart.mean(), 0.025)) <= most


def test_parts_with_the_slopes_of_the_others_give_the_mean_of_these_slopes():
    found = powered_mean(_Y, _F, _OTHERS, folds=2)
    parts = [np.arange(8) % 2 == fold for fold in (0, 1)]
    slopes = []
    for own in parts:
        spread = np.concatenate([_F, _OTHERS]).var(ddof=1)
        slopes.append(min(np.cov(_Y[~own], _F[~own])[0, 1] / (1 + 8 / 12) / spread, 1.0))
    assert found.slope[0] == pytest.approx(np.mean(slopes))
    rest = sum((_Y[own] - slope * _F[own]).sum() for own, slope in zip(parts, slopes, strict=True)) / 8
    assert found.value[0] == pytest.approx(rest + np.mean(slopes) * _OTHERS.mean())


def test_a_difference_with_a_proxy_is_the_powered_mean_of_the_differences():
    rng = np.random.default_rng(8)
    first, second = rng.random(200), rng.random(200)
    proxies = ProxyDifference(second - first + rng.normal(size=200) / 5, rng.normal(size=500))
    question = Question()
    found = powered_difference(first, second, proxies, question)
    mean = powered_mean(second - first, proxies.labelled, proxies.others, folds=5)
    assert found.value == pytest.approx(mean.value[0])
    assert (found.low, found.high) == pytest.approx(mean.gain().ends(0.025, 0.025))
    assert found.n_for_power == n_for_power(found.value, float(mean.second[0]), question)
    assert found.n_for_power_unpaired == n_for_power(found.value, first.var() + second.var(), question)


def test_a_share_that_no_labelled_row_changes_gets_the_plain_interval():
    same = np.arange(50) % 3 > 0
    proxies = ProxyDifference(np.zeros(50), np.zeros(100))
    assert powered_difference(same, same, proxies, Question()) == share_difference(same, same, Question())


@pytest.mark.parametrize("n", [60, 150, 600])
def test_the_interval_of_two_shares_that_few_rows_tell_apart_covers_as_it_says(n):
    rng = np.random.default_rng(9)
    apart, said = _differences(rng, "share, poor judge")
    missed = 0
    for _ in range(300):
        rows = rng.integers(0, len(apart), n + 900)
        before, after = apart[rows[:n]] < 0, apart[rows[:n]] > 0
        own = ProxyDifference(said[rows[:n]], said[rows[n:]])
        found = powered_difference(before, after, own, Question())
        missed += not found.low <= apart.mean() <= found.high
    assert missed <= scipy.stats.binom.ppf(0.999, 300, 0.05)


@pytest.mark.parametrize("folds", [1, 5])
def test_a_constant_that_is_added_to_the_proxy_changes_nothing(folds):
    rng = np.random.default_rng(0)
    values, more = rng.normal(size=100), rng.normal(size=1000)
    proxies = values + rng.normal(size=100)
    found, moved = (powered_mean(values, proxies + by, more + by, folds=folds) for by in (0.0, 100.0))
    np.testing.assert_allclose([moved.value, moved.error], [found.value, found.error], rtol=1e-9)


@pytest.mark.parametrize("n", [2, 3])
def test_the_interval_of_two_shares_stays_within_what_they_can_differ_by(n):
    first, second = np.zeros(n, dtype=bool), np.arange(n) == 0
    proxies = ProxyDifference(second * 1.0, np.tile([0.0, 1.0], 20))
    found = powered_difference(first, second, proxies, Question(0.95, 0.8, 0.05))
    assert -1 <= found.low <= found.value <= found.high <= 1
