import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.estimation.draws import batches_with_values, draw_batches, drawn_units
from pipeline.records.scores import Scores
from pipeline.sampling import MEMBERS
from tests.populations import frame_of, scored_of, some_scores

DESIGNS = pytest.mark.parametrize("design", [part() for part in MEMBERS.values()], ids=list(MEMBERS))
SIMPLE = pytest.mark.parametrize(
    "design", [MEMBERS[name]() for name in ("with_replacement", "without_replacement")], ids=["with", "without"]
)


def one_by_one(scores, plan, *, seed, draws):
    """The literal way: draw, take."""
    for i in range(draws):
        rows = plan.batch(seed, i).indices
        yield scores.loss[rows], scores.correct[rows]


@SIMPLE
@pytest.mark.parametrize("batch_size", [1, 2, 30, 199, 200])
def test_the_moments_against_numpy_batch_by_batch(design, batch_size):
    scored = scored_of(some_scores(200), design, batch_size)
    found = draw_batches(scored, seed=4, draws=25)
    left = 1 - batch_size / 200 if design.name == "without_replacement" else 1
    for i, (loss, correct) in enumerate(one_by_one(scored.scores, scored.plan, seed=4, draws=25)):
        for batches, values in ((found["loss"], loss), (found["accuracy"], correct.astype(float))):
            assert batches.mean[i] == pytest.approx(values.mean(), rel=1e-13)
            if batch_size > 1:
                variance, third = values.var(ddof=1), ((values - values.mean()) ** 3).mean()
                assert batches.error_variance[i] == pytest.approx(left * variance / batch_size, rel=1e-10, abs=1e-15)
                expected = left * (2 * left - 1) * third / batch_size**2
                assert batches.error_third[i] == pytest.approx(expected, rel=1e-7, abs=1e-15)
    if batch_size == 1:
        assert np.isnan(found["loss"].error_variance).all()


@DESIGNS
@pytest.mark.parametrize("target", ["population", "superpopulation"])
def test_the_values_handed_out_make_the_same_estimates(design, target):
    scored = scored_of(some_scores(300), design, 40)
    whole = draw_batches(scored, seed=2, draws=7, target=target)
    for block, found in batches_with_values(scored, seed=2, draws=7, target=target):
        for metric, batches in found.items():
            shares = np.full(40, 1 / 40)
            if batches.strata is not None:
                shares = np.repeat(batches.strata.shares / batches.strata.drawn, batches.strata.drawn)
            np.testing.assert_allclose(batches.mean, whole[metric].mean[block], rtol=1e-12)
            np.testing.assert_allclose(batches.values @ shares, batches.mean, rtol=1e-10)
            for name in ("error_variance", "error_third", "degrees", "effective"):
                np.testing.assert_allclose(
                    getattr(batches, name), getattr(whole[metric], name)[block], rtol=1e-8, atol=1e-15
                )


@DESIGNS
@settings(max_examples=30)
@given(size=st.integers(30, 90), share=st.floats(0.3, 1), draws=st.integers(1, 5), seed=st.integers(0, 2**31))
def test_scoring_only_the_units_drawn_agrees_with_scoring_all(design, size, share, draws, seed):
    batch_size = max(20, int(size * share))
    scores = some_scores(size, seed)
    frame = frame_of(scores)
    whole = scored_of(scores, design, batch_size, frame=frame)
    drawn = drawn_units(whole.plan, seed=seed, draws=draws)
    few = draw_batches(scored_of(scores, design, batch_size, frame=frame, drawn=drawn), seed=seed, draws=draws)
    for metric, batches in draw_batches(whole, seed=seed, draws=draws).items():
        np.testing.assert_allclose(few[metric].mean, batches.mean, rtol=1e-11)
        np.testing.assert_allclose(few[metric].error_variance, batches.error_variance, rtol=1e-8, atol=1e-13)


@DESIGNS
def test_a_draw_does_not_depend_on_how_many_draws_there_are(design):
    scored = scored_of(some_scores(500), design, 30)
    few, many = (draw_batches(scored, seed=1, draws=n)["loss"].mean for n in (3, 30))
    np.testing.assert_array_equal(few, many[:3])


@SIMPLE
@pytest.mark.parametrize("batch_size", [5, 90])
def test_only_batches_with_an_infinite_loss_have_an_infinite_mean(design, batch_size):
    scores = some_scores(100)
    scores.loss[17] = np.inf
    scored = scored_of(scores, design, batch_size, frame=frame_of(some_scores(100)))
    found = draw_batches(scored, seed=2, draws=50)["loss"]
    has_it = [np.isinf(loss).any() for loss, _ in one_by_one(scores, scored.plan, seed=2, draws=50)]
    assert 0 < sum(has_it) < 50
    np.testing.assert_array_equal(np.isinf(found.mean), has_it)
    np.testing.assert_array_equal(np.isfinite(found.error_variance), ~np.array(has_it))


@SIMPLE
def test_equal_losses_have_a_variance_of_exactly_zero(design):
    found = draw_batches(scored_of(Scores(np.full(50, 0.1), np.ones(50, dtype=bool)), design, 7), seed=0, draws=9)
    assert not found["loss"].error_variance.any()
    assert not found["accuracy"].error_variance.any()


@pytest.mark.parametrize("design", ["with_replacement", "without_replacement"])
def test_a_superpopulations_variance_is_that_of_fresh_rows_and_never_0(design):
    scores = some_scores(80)
    for batch_size in (20, 80):
        scored = scored_of(scores, MEMBERS[design](), batch_size)
        found = draw_batches(scored, seed=0, draws=4, target="superpopulation")["loss"]
        again = 1 / 80 if design == "with_replacement" else 0
        for i, (loss, _) in enumerate(one_by_one(scores, scored.plan, seed=0, draws=4)):
            assert found.error_variance[i] == pytest.approx(loss.var(ddof=1) * (1 / batch_size + again), rel=1e-10)
        if design == "without_replacement":
            third = [((loss - loss.mean()) ** 3).mean() / batch_size**2
                     for loss, _ in one_by_one(scores, scored.plan, seed=0, draws=4)]  # fmt: skip
            np.testing.assert_allclose(found.error_third, third, rtol=1e-6)
