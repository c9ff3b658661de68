import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.data.mnist import Mnist
from pipeline.estimation.draws import draw_batches
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval.loss.hall import Hall
from pipeline.interval.loss.t import T
from pipeline.model.npz import Npz
from pipeline.sampling.units import Units
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.scoring.rows import score
from tests.populations import batches


def estimate(rows, confidence=0.95, population_size=None):
    return Hall().estimate(batches(np.atleast_2d(rows), population_size), confidence)


def lognormal(seed, m, n):
    return np.random.default_rng(seed).lognormal(-2, 1.5, (m, n))


@pytest.mark.parametrize("n", [5, 30, 300])
@pytest.mark.parametrize("share_drawn", [None, 0.3, 0.8])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_halls_cubic_of_the_studentized_ends_is_the_t_quantile_on_either_side(n, share_drawn, confidence):
    rows = lognormal(n, 6, n)
    size = None if share_drawn is None else round(n / share_drawn)
    f = 0.0 if size is None else n / size
    found = estimate(rows, confidence, size)
    error = np.sqrt((1 - f) / n) * rows.std(axis=1, ddof=1)
    # Without replacement the mean's third central moment is (1 - f)(1 - 2f) times what it is with.
    skew = stats.skew(rows, axis=1) * ((n - 1) / n) ** 1.5 / np.sqrt(n) * (1 - 2 * f) / np.sqrt(1 - f)
    k = skew / np.sqrt(1 + skew**2 / 4)
    quantile = stats.t.ppf((1 + confidence) / 2, n - 1)
    for end, expected in ((found.low, quantile), (found.high, -quantile)):
        t = (rows.mean(axis=1) - end) / error
        np.testing.assert_allclose(t + k * t**2 / 3 + k**2 * t**3 / 27 + k / 6, expected, rtol=1e-7)


def test_symmetric_losses_give_students_interval():
    half = np.random.default_rng(0).exponential(size=(5, 10))
    rows = np.concatenate([2 + half, 2 - half], axis=1)
    student = T().estimate(batches(rows), 0.95)
    found = estimate(rows)
    np.testing.assert_allclose(found.low, student.low, rtol=1e-12)
    np.testing.assert_allclose(found.high, student.high, rtol=1e-12)


@given(seed=st.integers(0, 2**32), n=st.integers(2, 60), scale=st.floats(0.01, 100), shift=st.floats(-5, 5))
def test_scaled_and_shifted_losses_give_the_scaled_and_shifted_interval(seed, n, scale, shift):
    rows = lognormal(seed, 4, n)
    found, moved = estimate(rows), estimate(rows * scale + shift)
    # Losses that are near to one another lose digits when shifted.
    slack = 1e-6 * (found.high - found.low).max() * scale
    np.testing.assert_allclose(moved.low, found.low * scale + shift, atol=slack, rtol=1e-9)
    np.testing.assert_allclose(moved.high, found.high * scale + shift, atol=slack, rtol=1e-9)


@given(seed=st.integers(0, 2**32), n=st.integers(2, 60))
def test_negated_losses_give_the_negated_interval(seed, n):
    rows = lognormal(seed, 4, n)
    found, mirrored = estimate(rows), estimate(-rows)
    np.testing.assert_allclose(mirrored.low, -found.high, rtol=1e-7)
    np.testing.assert_allclose(mirrored.high, -found.low, rtol=1e-7)


def test_a_long_tail_to_the_right_makes_it_reach_further_up():
    found = estimate(lognormal(3, 50, 40))
    assert np.all(found.high - found.value > found.value - found.low)


def test_two_losses_which_have_no_skewness_give_students_interval():
    found, student = estimate([0.1, 3.0]), T().estimate(batches([[0.1, 3.0]]), 0.95)
    np.testing.assert_allclose((found.low[0], found.high[0]), (student.low[0], student.high[0]), rtol=1e-6)


def test_one_row_and_an_infinite_loss_leave_all_numbers_possible():
    for rows in ([2.0], [1.0, np.inf, 0.5]):
        found = estimate(rows)
        assert (found.low[0], found.high[0]) == (-np.inf, np.inf)


def test_equal_losses_and_the_whole_population_give_no_width():
    rows = lognormal(0, 3, 20)
    for found in (estimate(np.full((2, 7), 0.1)), estimate(rows, population_size=20)):
        np.testing.assert_array_equal(found.low, found.value)
        np.testing.assert_array_equal(found.high, found.value)


@pytest.fixture(scope="module")
def book_scores(mnist_root, book_network):
    data = Mnist(split="test", root=str(mnist_root))
    return score(Npz(path=str(book_network)).build(data), data.load())


@pytest.mark.parametrize("plan", [IndependentPlan, SimplePlan], ids=["with", "without"])
@pytest.mark.parametrize(
    ("n", "promised", "widest"), [(30, 0.90, None), (100, 0.94, 1.45), (300, 0.94, 1.10), (1000, 0.94, None)]
)
def test_it_covers_the_published_networks_mean_loss_within_the_binomial_bound(book_scores, plan, n, promised, widest):
    size, draws = len(book_scores), 3000
    scored = ScoredUnits(book_scores, Units(size), plan(size, n))
    found = Hall().estimate(draw_batches(scored, seed=7, draws=draws)["loss"], 0.95)
    truth = book_scores.loss.mean()
    held = int(((found.low <= truth) & (truth <= found.high)).sum())
    assert stats.binomtest(held, draws, promised, alternative="less").pvalue > 0.001
    if widest is not None:
        ideal = 2 * stats.norm.ppf(0.975) * np.sqrt(scored.error_variance("loss"))
        assert np.median(found.high - found.low) <= widest * ideal
