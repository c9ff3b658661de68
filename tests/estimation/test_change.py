"""The alarm over all looks: its two-sample tests against enumeration, and its false alarms and power by simulation."""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation import change
from pipeline.estimation.change import Sample, counted, looks

ALPHA = 0.05


def test_the_looks_have_splits_that_grow_by_half_and_the_reference_alone_as_the_last():
    assert change._lengths(1) == [1]
    assert change._lengths(5) == [1, 2, 3, 4, 5]
    assert change._lengths(20) == [1, 2, 3, 4, 6, 9, 13, 19, 20]
    assert len(change._lengths(1000)) == 18


@pytest.mark.parametrize(("before", "after"), [((48, 50), (40, 50)), ((7, 9), (2, 4)), ((10, 10), (10, 10))])
def test_the_test_of_shares_is_twice_the_smaller_exact_hypergeometric_tail(before, after):
    (right0, n0), (right1, n1) = before, after
    right, size = right0 + right1, n0 + n1

    def chance(k):
        return Fraction(math.comb(right, k) * math.comb(size - right, n1 - k), math.comb(size, n1))

    few, many = sum(map(chance, range(right1 + 1))), sum(map(chance, range(right1, min(right, n1) + 1)))
    expected = min(1.0, 2 * float(min(few, many)))
    assert change._share_p(Sample(n0, right0), Sample(n1, right1)) == pytest.approx(expected, rel=1e-9)


def test_a_deep_tail_is_exact_against_integers():
    """A far tail of 4,000 rows, where rounding would show first; the sum of exact integers is the oracle."""
    right1, n1, right, size = 920, 1000, 3800, 4000
    expected = sum(math.comb(right, k) * math.comb(size - right, n1 - k) for k in range(800, right1 + 1))
    found = change._share_p(Sample(size - n1, right - right1), Sample(n1, right1))
    assert found == pytest.approx(2 * float(Fraction(expected, math.comb(size, n1))), rel=1e-6)


@pytest.mark.parametrize(("size", "n"), [(12, 5), (13, 2), (10, 9)])
@pytest.mark.parametrize("kind", ["heavy", "ties", "shares"])
def test_the_bound_for_means_is_never_below_the_permutation_tests_p_value_by_enumeration(size, n, kind):
    rng = np.random.default_rng(size + n)
    values = {
        "heavy": rng.lognormal(0, 2, size),
        "ties": rng.integers(0, 3, size).astype(float),
        "shares": (rng.random(size) < 0.7).astype(float),
    }[kind]
    parts = [np.isin(np.arange(size), chosen) for chosen in combinations(range(size), n)]
    sums = np.array([values[part].sum() for part in parts])
    exact = [min(1, 2 * min((sums >= s - 1e-9).mean(), (sums <= s + 1e-9).mean())) for s in sums]
    found = [change._mean_p(counted([values[~part]]), counted([values[part]])) for part in parts]
    assert (np.array(found) >= np.array(exact) * (1 - 1e-6)).all()


def test_the_bound_for_means_of_shares_stays_near_fishers_exact_test():
    ones = lambda right, n: np.r_[np.ones(right), np.zeros(n - right)]  # noqa: E731
    for right in (470, 460, 450):
        exact = change._share_p(Sample(500, 485), Sample(500, right))
        bound = change._mean_p(counted([ones(485, 500)]), counted([ones(right, 500)]))
        assert exact < bound < 12 * exact


def test_the_most_likely_number_of_successes_is_bounded_as_the_paper_says():
    """The constant is the largest value of sqrt(x) exp(-x) I0(x)  [Baillon, Cominetti & Vaisman 2016]."""
    from scipy import special

    x = np.linspace(0.01, 20, 100_001)
    assert (np.sqrt(x) * special.ive(0, x)).max() < change._MOST_LIKELY < 0.4689
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 30):
        chances, masses = rng.random(n), np.ones(1)
        for chance in chances:
            masses = np.convolve(masses, [1 - chance, chance])
        assert masses.max() <= change._MOST_LIKELY / math.sqrt((chances * (1 - chances)).sum())


def test_counting_on_the_grid_keeps_rows_and_sum_and_only_widens():
    values = np.random.default_rng(0).lognormal(-2, 2, 1000)
    sample = counted([values[:300], values[300:]])
    assert sample.n == 1000
    assert sample.weights.sum() == pytest.approx(1000)
    assert sample.weights @ change.GRID == pytest.approx(values.sum(), rel=1e-12)
    assert sample.weights @ change.GRID**2 >= (values**2).sum()


def test_values_that_are_all_the_same_are_no_evidence():
    assert [look.p for look in looks([counted([np.full(5, 0.3)])] * 4)] == [1.0, 1.0, 1.0]
    assert [look.p for look in looks([Sample(5, 5)] * 4)] == [1.0, 1.0, 1.0]


def test_the_most_telling_split_begins_where_the_change_does():
    found = looks([Sample(500, right) for right in (480, 482, 478, 481, 430, 432)])
    assert [look.since for look in found[3:]] == [4, 4]
    assert found[4].p < found[3].p < 0.001
    assert min(look.p for look in found[:3]) > ALPHA


def test_a_look_does_not_depend_on_files_that_come_later():
    rng = np.random.default_rng(0)
    samples = [counted([rng.exponential(1, 50)]) for _ in range(6)]
    assert looks(samples)[:3] == looks(samples[:4])


def test_the_looks_share_alpha_by_one_over_t_times_t_plus_one():
    """Each look's p value is what its splits give, times the splits, t (t + 1), and the metrics that share it."""
    first, second = looks([Sample(100, 90), Sample(100, 60), Sample(100, 90)], tests=2)
    assert first.p == pytest.approx(2 * 1 * 2 * change._share_p(Sample(100, 90), Sample(100, 60)))
    splits = [
        change._share_p(Sample(200, 150), Sample(100, 90)),
        change._share_p(Sample(100, 90), Sample(200, 150)),
    ]
    assert second.p == pytest.approx(2 * 2 * 6 * min(splits))


# Populations of (right, losses), by name; the rates of right rows are what the names say.
def right(share):
    return lambda rng, n: Sample(n, int(rng.binomial(n, share)))


def losses(draw):
    return lambda rng, n: counted([draw(rng, n)])


POPULATIONS = {
    "96 % right": right(0.96),
    "50 % right": right(0.5),
    "99.9 % right": right(0.999),
    "losses of a good model": losses(
        lambda rng, n: np.where(rng.random(n) < 0.04, rng.gamma(2, 1.2, n), rng.exponential(0.06, n))
    ),
    "lognormal losses": losses(lambda rng, n: rng.lognormal(-3, 2, n)),
    "Pareto losses without a variance": losses(lambda rng, n: rng.pareto(1.5, n)),
}


def alarms(sample_of, *, series, files, rows, reference, seed):
    """At which look each series has its first alarm; 0 for none."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(series):
        samples = [sample_of(0, rng, reference), *(sample_of(t, rng, rows) for t in range(1, files + 1))]
        raised = [t for t, look in enumerate(looks(samples), start=1) if look.p <= ALPHA]
        found.append(raised[0] if raised else 0)
    return np.array(found)


def most_alarms(series):
    """The number of alarms that chance exceeds once in 10,000 times where each series has one with probability α."""
    return stats.binom.isf(1e-4, series, ALPHA)


@pytest.mark.parametrize("name", POPULATIONS)
def test_without_a_change_there_are_few_alarms_in_a_small_simulation(name):
    draw = POPULATIONS[name]
    found = alarms(lambda t, rng, n: draw(rng, n), series=40, files=5, rows=60, reference=60, seed=1)
    assert np.count_nonzero(found) <= most_alarms(40)


def test_a_drop_by_five_points_is_found_in_a_small_simulation():
    draw = lambda t, rng, n: right(0.96 if t < 4 else 0.91)(rng, n)  # noqa: E731
    found = alarms(draw, series=40, files=10, rows=500, reference=500, seed=2)
    assert np.count_nonzero(found >= 4) > 36


SERIES = [(name, 500) for name in POPULATIONS] + [("96 % right", 50), ("96 % right", 5000), ("50 % right", 5000)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reference"), SERIES)
def test_of_500_series_of_20_weeks_without_a_change_no_more_than_alpha_have_an_alarm(name, reference):
    draw = POPULATIONS[name]
    found = alarms(lambda t, rng, n: draw(rng, n), series=500, files=20, rows=500, reference=reference, seed=3)
    assert np.count_nonzero(found) <= most_alarms(500)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "week", "least"),
    [(0.96, 1, 400), (0.96, 6, 490), (0.96, 11, 490), (0.999, 6, 499), (0.85, 6, 450), (0.5, 11, 350)],
)
def test_a_drop_by_five_points_with_500_rows_a_week_is_found_in_most_of_500_series(before, week, least):
    draw = lambda t, rng, n: right(before if t < week else before - 0.05)(rng, n)  # noqa: E731
    found = alarms(draw, series=500, files=20, rows=500, reference=500, seed=4)
    assert np.count_nonzero(found >= week) >= least


@pytest.mark.slow
def test_the_losses_of_a_model_that_errs_twice_as_often_are_found_in_most_series():
    def draw(t, rng, n):
        wrong = rng.random(n) < (0.04 if t < 6 else 0.09)
        return counted([np.where(wrong, rng.gamma(2, 1.2, n), rng.exponential(0.06, n))])

    found = alarms(draw, series=200, files=20, rows=500, reference=500, seed=5)
    assert np.count_nonzero(found >= 6) > 180


def test_a_product_of_e_values_against_one_reference_alarms_far_too_often_as_the_docstring_says():
    """The reason for the union bound: one e-value a week, each valid by itself, multiplied, is not valid.

    Given the sum of both counts the later one is hypergeometric, so that a tilt towards a drop, over its mean, is an
    e-value whatever the accuracy.
    """
    rng, n, tilt, series = np.random.default_rng(6), 200, -0.2, 500
    before, capital, is_raised = rng.binomial(n, 0.9, series), np.ones(series), np.zeros(series, dtype=bool)
    counts = np.arange(n + 1)
    totals = np.arange(2 * n + 1)
    masses = stats.hypergeom.pmf(counts[None, :], 2 * n, totals[:, None], n)
    means = masses @ np.exp(tilt * counts)
    for _ in range(20):
        now = rng.binomial(n, 0.9, series)
        capital *= np.exp(tilt * now) / means[before + now]
        is_raised |= capital >= 1 / ALPHA
    assert np.count_nonzero(is_raised) > 2 * most_alarms(series)
