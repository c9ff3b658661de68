import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_with_values
from pipeline.interval import resampling
from pipeline.interval.loss.bca import Bca
from pipeline.interval.loss.bootstrap_t import BootstrapT
from pipeline.interval.resampling import contributions, resampled
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from tests.populations import batches, frame_of, scored_of, some_scores

BOTH = pytest.mark.parametrize("interval", [Bca(), BootstrapT()], ids=["bca", "bootstrap_t"])
TARGETS = pytest.mark.parametrize("target", ["population", "superpopulation"])


def some_losses(seed, m, n):
    return np.random.default_rng(seed).lognormal(-2, 1.5, (m, n))


def drawn(design, n, *, size=400, draws=6, target="population", scores=None, frame=None):
    """Batches of losses with their values."""
    scored = scored_of(some_scores(size) if scores is None else scores, MEMBERS[design](), n, frame=frame)
    (_, found), *_ = batches_with_values(scored, seed=3, draws=draws, target=target)
    return found["loss"]


def all_of(rows, u, **asked):
    found = list(resampled(rows, u, seed=0, with_variance=True, **asked))
    return (np.concatenate([block[i] for block in found]) for i in (1, 2))


def test_the_resampled_means_and_variances_against_numpy_resample_by_resample():
    values = some_losses(0, 5, 12)
    rows = batches(values)
    shifts, variances = all_of(rows, contributions(rows), resamples=150)
    at = np.random.default_rng((0, 12, 0)).integers(0, 12, (150, 12))
    again = values[:, at]
    np.testing.assert_allclose(shifts, again.mean(axis=2) - values.mean(axis=1)[:, None], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(variances, again.var(axis=2, ddof=1) / 12, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("design", ["with_replacement", "without_replacement", "stratified", "importance"])
def test_their_spread_against_the_closed_form_of_the_bootstrap_variance(design):
    rows = drawn(design, 50)
    values, strata = rows.values, rows.strata
    ends = [0, 50] if strata is None else [0, *np.cumsum(strata.drawn)]
    shares = [1.0] if strata is None else strata.shares
    sizes = [400] if strata is None else strata.sizes
    expected = np.zeros(len(values))
    for start, stop, share, size in zip(ends, ends[1:], shares, sizes, strict=False):
        left = 1 - (stop - start) / size if rows.population_size else 1.0
        expected += share**2 * left * values[:, start:stop].var(axis=1) / (stop - start)
    shifts, variances = all_of(rows, contributions(rows), resamples=20_000)
    # Standard errors of a mean, a variance and a mean of 20,000 resamples, each by their own spread.
    assert np.all(np.abs(shifts.mean(axis=1)) < 4 * np.sqrt(expected / 20_000))
    squares = shifts**2
    assert np.all(np.abs(squares.mean(axis=1) - expected) < 4 * stats.sem(squares, axis=1))
    # The divisor n - 1 makes each stratum's resampled variance right on average.
    assert np.all(np.abs(variances.mean(axis=1) - expected) < 4 * stats.sem(variances, axis=1))


@BOTH
def test_a_batchs_interval_does_not_depend_on_the_other_batches_or_on_the_blocks(interval, monkeypatch):
    values = some_losses(1, 9, 40)
    whole = interval.estimate(batches(values), 0.95)
    few = interval.estimate(batches(values[4:6]), 0.95)
    monkeypatch.setattr(resampling, "_BLOCK", 3 * interval.resamples)
    monkeypatch.setattr(resampling, "_COUNTS", 1)
    blocked = interval.estimate(batches(values), 0.95)
    for end in ("low", "high"):
        np.testing.assert_allclose(getattr(few, end), getattr(whole, end)[4:6], rtol=1e-10)
        np.testing.assert_allclose(getattr(blocked, end), getattr(whole, end), rtol=1e-10)


@BOTH
def test_the_seed_decides_the_resamples(interval):
    rows = batches(some_losses(2, 3, 25))
    part = type(interval)
    first, again, other = (part(seed=seed).estimate(rows, 0.95) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.low, again.low)
    assert np.all(first.high != other.high)


@BOTH
@pytest.mark.parametrize("n", [10, 60])
def test_the_finite_population_correction_shrinks_it_by_the_root_of_what_is_left(interval, n):
    values = some_losses(3, 4, n)
    free = interval.estimate(batches(values), 0.95)
    finite = interval.estimate(batches(values, 4 * n), 0.95)
    np.testing.assert_allclose(finite.low - finite.value, (free.low - free.value) * np.sqrt(0.75))
    np.testing.assert_allclose(finite.high - finite.value, (free.high - free.value) * np.sqrt(0.75))


@BOTH
def test_a_superpopulation_adds_its_own_error_to_rows_drawn_again_and_again(interval):
    for_these, for_all = (drawn("with_replacement", 80, target=target) for target in ("population", "superpopulation"))
    these, world = (interval.estimate(rows, 0.95) for rows in (for_these, for_all))
    np.testing.assert_allclose(world.high - world.value, (these.high - these.value) * np.sqrt(1 + 80 / 400))


@BOTH
@TARGETS
@pytest.mark.parametrize("design", [name for name in MEMBERS if name != "difference"])
def test_of_normal_values_it_is_the_normal_interval_of_the_designs_error_within_the_resamplings_noise(
    interval, target, design
):
    loss = np.random.default_rng(4).normal(10, 1, 3000)
    rows = drawn(design, 600, target=target, scores=Scores(loss, np.ones(3000, dtype=bool)),
                 frame=frame_of(Scores(loss, np.ones(3000, dtype=bool)), difficulty=np.full(3000, 1.0)))  # fmt: skip
    found = interval.estimate(rows, 0.95)
    normal = stats.norm.ppf(0.975) * np.sqrt(rows.error_variance)
    # A 2.5 % quantile of 999 resamples has a standard error of 8 % of the normal one; all batches share the resamples.
    np.testing.assert_allclose((found.high - found.low) / 2, normal, rtol=0.15)


@BOTH
def test_scaled_and_shifted_losses_give_the_scaled_and_shifted_interval(interval):
    values = some_losses(5, 5, 30)
    found, moved = interval.estimate(batches(values), 0.95), interval.estimate(batches(7 * values + 2), 0.95)
    np.testing.assert_allclose(moved.low, 7 * found.low + 2, rtol=1e-9)
    np.testing.assert_allclose(moved.high, 7 * found.high + 2, rtol=1e-9)


@BOTH
def test_one_row_and_an_infinite_loss_leave_all_numbers_possible_and_spare_the_other_batches(interval):
    values = some_losses(6, 3, 20)
    values[1, 4] = np.inf
    found, rest = interval.estimate(batches(values), 0.95), interval.estimate(batches(values[[0, 2]]), 0.95)
    assert (found.low[1], found.high[1]) == (-np.inf, np.inf)
    np.testing.assert_allclose(found.low[[0, 2]], rest.low)
    one = interval.estimate(batches([[2.0]]), 0.95)
    assert (one.low[0], one.high[0]) == (-np.inf, np.inf)


@BOTH
def test_equal_losses_give_no_width(interval):
    found = interval.estimate(batches(np.full((2, 7), 0.1)), 0.95)
    np.testing.assert_array_equal(found.low, found.value)
    np.testing.assert_array_equal(found.high, found.value)


@BOTH
def test_where_only_the_strata_differ_the_world_beyond_them_is_not_known(interval):
    labels = np.repeat([0, 1], 50)
    scores = Scores(np.where(labels == 0, 0.5, 2.0), labels == 0)
    frame = frame_of(scores, labels=labels)
    these = interval.estimate(drawn("stratified", 20, size=100, scores=scores, frame=frame), 0.95)
    world = interval.estimate(
        drawn("stratified", 20, size=100, scores=scores, frame=frame, target="superpopulation"), 0.95
    )
    np.testing.assert_allclose(these.high - these.low, 0, atol=1e-12)
    assert np.isposinf(world.high).all()
    assert np.isneginf(world.low).all()


@pytest.mark.parametrize("part", [Bca, BootstrapT])
def test_too_few_resamples_and_a_negative_seed_are_refused(part):
    with pytest.raises(BadInput, match="resamples must be at least 99; found 50"):
        part(resamples=50)
    with pytest.raises(BadInput, match="seed must be at least 0; found -1"):
        part(seed=-1)
