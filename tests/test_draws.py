import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.draws import draw_moments, drawn_rows
from pipeline.records import Scores
from pipeline.sampling import MEMBERS
from pipeline.sampling.base import generator

DESIGNS = pytest.mark.parametrize("design", [part() for part in MEMBERS.values()], ids=list(MEMBERS))


def some_scores(size, seed=0):
    rng = np.random.default_rng(seed)
    return Scores(rng.lognormal(-2, 1.5, size), rng.random(size) < 0.9)


def one_by_one(scores, design, *, seed, batch_size, draws):
    """The literal way: draw, take, mean and variance."""
    for i in range(draws):
        rows = design.draw(len(scores), batch_size, generator(seed, batch_size, i)).indices
        yield scores.loss[rows], scores.correct[rows]


@DESIGNS
@pytest.mark.parametrize("batch_size", [1, 2, 30, 199, 200])
def test_the_moments_against_numpy_batch_by_batch(design, batch_size):
    scores = some_scores(200)
    plan = {"seed": 4, "batch_size": batch_size, "draws": 25}
    found = draw_moments(scores, design, rows=None, size=200, **plan)
    for i, (loss, correct) in enumerate(one_by_one(scores, design, **plan)):
        assert found.loss.mean[i] == pytest.approx(loss.mean(), rel=1e-13)
        assert found.accuracy.mean[i] == pytest.approx(correct.mean(), rel=1e-13)
        if batch_size > 1:
            assert found.loss.variance[i] == pytest.approx(loss.var(ddof=1), rel=1e-10)
            assert found.accuracy.variance[i] == pytest.approx(correct.var(ddof=1), rel=1e-10, abs=1e-15)
    if batch_size == 1:
        assert np.isnan(found.loss.variance).all()


@DESIGNS
@settings(max_examples=40)
@given(size=st.integers(2, 80), share=st.floats(0.01, 1), draws=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_scoring_only_the_rows_drawn_agrees_with_scoring_all(design, size, share, draws, seed):
    batch_size = max(1, int(size * share))
    scores = some_scores(size, seed)
    plan = {"seed": seed, "batch_size": batch_size, "draws": draws, "size": size}
    rows = drawn_rows(design, **plan)
    few = draw_moments(Scores(scores.loss[rows], scores.correct[rows]), design, rows=rows, **plan)
    all_rows = draw_moments(scores, design, rows=None, **plan)
    np.testing.assert_allclose(few.loss.mean, all_rows.loss.mean, rtol=1e-12)
    np.testing.assert_allclose(few.accuracy.mean, all_rows.accuracy.mean, rtol=1e-12)
    np.testing.assert_allclose(few.loss.variance, all_rows.loss.variance, rtol=1e-9, atol=1e-13)


@DESIGNS
def test_a_draw_does_not_depend_on_how_many_draws_there_are(design):
    scores = some_scores(500)
    plan = {"seed": 1, "batch_size": 20, "rows": None, "size": 500}
    few, many = (draw_moments(scores, design, draws=n, **plan) for n in (3, 30))
    np.testing.assert_array_equal(few.loss.mean, many.loss.mean[:3])


@pytest.mark.parametrize("batch_size", [5, 90])
def test_only_batches_with_an_infinite_loss_have_an_infinite_mean(batch_size):
    scores = some_scores(100)
    scores.loss[17] = np.inf
    design = MEMBERS["without_replacement"]()
    plan = {"seed": 2, "batch_size": batch_size, "draws": 50}
    with np.errstate(invalid="ignore"):
        found = draw_moments(scores, design, rows=None, size=100, **plan)
        has_it = [np.isinf(loss).any() for loss, _ in one_by_one(scores, design, **plan)]
    assert 0 < sum(has_it) < 50
    np.testing.assert_array_equal(np.isinf(found.loss.mean), has_it)
    np.testing.assert_array_equal(np.isfinite(found.loss.variance), ~np.array(has_it))


def test_equal_losses_have_a_variance_of_exactly_zero():
    scores = Scores(np.full(50, 0.1), np.ones(50, dtype=bool))
    found = draw_moments(scores, MEMBERS["with_replacement"](), seed=0, batch_size=7, draws=9, rows=None, size=50)
    assert not found.loss.variance.any()
    assert not found.accuracy.variance.any()
