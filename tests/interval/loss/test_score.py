from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from pipeline.errors import BadInput
from pipeline.estimation.draws import draw_batches
from pipeline.interval.accuracy.wilson import Wilson
from pipeline.interval.loss.hall import Hall
from pipeline.interval.loss.score import Score, raw_moments, score_ends, sizes
from pipeline.metric.brier import Brier
from pipeline.metric.loss import Loss
from pipeline.metric.value import Value
from pipeline.sampling import MEMBERS
from tests.populations import batches, scored_of, some_scores


def lognormal(seed, m, n):
    return np.random.default_rng(seed).lognormal(-2, 1.5, (m, n))


@pytest.mark.parametrize("size", [None, 40, 500])
@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_with_c_1_the_ends_for_zeros_and_ones_are_wilsons(size, confidence):
    rows = batches(np.arange(23) < np.arange(24)[:, None], size)
    q = np.full(24, stats.norm.ppf((1 + confidence) / 2))
    low, high = score_ends(rows.mean, sizes(rows), q, np.ones(24))
    wilson = Wilson().estimate(rows, confidence)
    np.testing.assert_allclose(low, wilson.low, atol=1e-14)
    np.testing.assert_allclose(high, wilson.high, atol=1e-14)


@given(mean=st.floats(1e-6, 5), n=st.floats(2, 1e6), q=st.floats(0.5, 12), excess=st.floats(1e-3, 50))
def test_the_ends_are_the_roots_that_a_bracketing_search_finds(mean, n, q, excess):
    c = mean + excess

    def off(mu):
        return (mean - mu) ** 2 - q * q * (c * mu - mu * mu) / n

    low, high = (float(end[0]) for end in score_ends(*(np.array([x]) for x in (mean, n, q, c))))
    assert low == pytest.approx(optimize.brentq(off, 0.0, mean, xtol=1e-16, rtol=1e-14), rel=1e-6)
    assert high == pytest.approx(optimize.brentq(off, mean, c, xtol=1e-16, rtol=1e-14), rel=1e-6)


@pytest.mark.parametrize("size", [None, 60, 31])
def test_the_raw_moments_are_the_rows_own_whether_or_not_the_population_is_finite(size):
    rows = lognormal(1, 5, 30)
    second, third = raw_moments(batches(rows, size))
    np.testing.assert_allclose(second, (rows**2).mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(third, (rows**3).mean(axis=1), rtol=1e-9)


@pytest.mark.parametrize(("unseen", "surprise"), [(0.0, 5.0), (2.0, 5.0), (1.0, 0.0), (3.0, 0.1)])
def test_c_is_that_of_the_rows_and_the_unseen_ones_enlarged_for_its_error_and_a_heavy_tail(unseen, surprise):
    rows = lognormal(2, 20, 50)
    found = Score(unseen=unseen, surprise=surprise).borrowed(batches(rows))
    for row, c in zip(rows, found, strict=True):
        ones, twos, threes = row.sum(), (row**2).sum(), (row**3).sum()
        added = unseen * (1 - ones**2 / twos / 50)
        largest = max(surprise, threes / twos)
        total, squares = ones + added * largest, twos + added * largest**2
        enlarged = 1 + np.sqrt(squares) / total + 2 * max(threes * ones / twos**2 - 1.5, 0)
        assert c == pytest.approx(row.mean() + (squares / total - row.mean()) * enlarged, rel=1e-9)


def test_losses_that_are_all_0_leave_what_two_unseen_rows_allow():
    n, q = 30, stats.t.ppf(0.975, 29)
    found = Score().estimate(batches(np.zeros((1, n))), 0.95)
    c = 5 * (1 + 1 / np.sqrt(2))
    assert found.low[0] == 0
    assert found.high[0] == pytest.approx(q**2 * c / n / (1 + q**2 / n))


def test_equal_losses_leave_no_room_for_unseen_rows_above_as_wilsons_interval_does_where_all_are_right():
    found = Score().estimate(batches(np.full((1, 7), 0.5)), 0.95)
    assert found.high[0] == pytest.approx(0.5, abs=1e-6)
    assert found.low[0] == pytest.approx(0.5 / (1 + stats.t.ppf(0.975, 6) ** 2 / 7), abs=1e-6)


def test_the_whole_population_has_no_width():
    found = Score().estimate(batches(lognormal(0, 3, 20), 20), 0.95)
    np.testing.assert_allclose(found.low, found.high, rtol=1e-7)


def test_one_row_and_an_infinite_loss_leave_all_numbers_possible():
    for rows in ([[2.0]], [[1.0, np.inf, 0.5]]):
        found = Score().estimate(batches(rows), 0.95)
        assert (found.low[0], found.high[0]) == (-np.inf, np.inf)


@pytest.mark.parametrize("design", list(MEMBERS))
def test_under_every_design_it_is_the_score_interval_of_the_rows_that_would_be_as_sure(design):
    scored = scored_of(some_scores(400), MEMBERS[design](), 60)
    rows = draw_batches(scored, seed=1, draws=20)["loss"]
    found, n = Score().estimate(rows, 0.9), sizes(rows)
    np.testing.assert_allclose(rows.unit_variance / n, rows.error_variance, rtol=0.02)
    q = stats.t.ppf(0.95, rows.degrees)
    inside = rows.mean > 0
    for end in (found.low, found.high):
        wanted = q**2 * (Score().borrowed(rows) * end - end**2) / n
        np.testing.assert_allclose(((rows.mean - end) ** 2)[inside], wanted[inside], rtol=1e-6, atol=1e-12)


def test_a_metric_bounds_the_surprise_and_values_without_a_bound_get_halls():
    assert Score().suited(Loss()) == Score()
    assert Score().suited(Brier()) == Score(surprise=2.0)
    assert isinstance(Score().suited(Value()), Hall)


@pytest.mark.parametrize("wrong", [{"unseen": -1.0}, {"surprise": float("nan")}, {"surprise": float("inf")}])
def test_a_negative_or_infinite_number_of_rows_or_nats_is_refused(wrong):
    with pytest.raises(BadInput, match=rf"interval.loss.{next(iter(wrong))} must be a number of at least 0"):
        Score(**wrong)


def test_an_unseen_row_counts_as_much_as_the_one_that_counts_most():
    rows = batches(np.random.default_rng(5).exponential(0.2, (50, 40)))
    _, high = Score().ends(rows, 0.95)
    _, larger = Score().ends(replace(rows, most_weight=1.25), 0.95)
    _, surprised = Score(surprise=6.25).ends(rows, 0.95)
    assert (larger > high).all()
    np.testing.assert_allclose(larger, surprised)
