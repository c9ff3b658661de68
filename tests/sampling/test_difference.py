import dataclasses

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_with_values, draw_batches
from pipeline.records.scores import Scores
from pipeline.sampling.difference import Difference
from pipeline.sampling.frame import Guess
from pipeline.sampling.without_replacement import WithoutReplacement
from tests.populations import frame_of, scored_of, some_scores


def straight(size=400):
    """Losses that are a straight line in the proxy, the accuracy unrelated to it."""
    x = np.random.default_rng(0).exponential(size=size)
    scores = Scores(0.3 + 2 * x, np.arange(size) % 3 > 0)
    return scores, frame_of(scores, difficulty=x)


def test_a_batch_whose_proxy_varies_as_the_populations_or_more_is_regressed_as_by_scipy():
    scores = some_scores(300)
    frame = frame_of(scores)
    scored = scored_of(scores, Difference(), 80, frame=frame)
    found, x = draw_batches(scored, seed=0, draws=200)["loss"], frame.guess().loss
    checked = 0
    for i in range(200):
        rows = scored.plan.batch(0, i).indices
        if x[rows].var() < x.var():
            continue
        checked += 1
        line = stats.linregress(x[rows], scores.loss[rows])
        assert found.mean[i] == pytest.approx(line.intercept + line.slope * x.mean())
        residuals = scores.loss[rows] - line.intercept - line.slope * x[rows]
        expected = (residuals**2).sum() / (80 - 2) / 80 * (1 - 80 / 300)
        assert found.error_variance[i] == pytest.approx(expected)
        assert found.degrees[i] == 78
    assert 50 < checked < 150


def test_a_batch_whose_proxy_hardly_varies_is_left_nearly_as_it_is():
    x = np.zeros(100)
    x[:3] = 100.0
    x[3:] += np.random.default_rng(0).random(97) * 1e-9
    scores = Scores(np.random.default_rng(1).random(100), np.ones(100, dtype=bool))
    scored = scored_of(scores, Difference(), 5, frame=frame_of(scores, difficulty=x))
    found = draw_batches(scored, seed=0, draws=50)["loss"]
    for i in range(50):
        rows = scored.plan.batch(0, i).indices
        if rows.min() > 2:
            assert found.mean[i] == pytest.approx(scores.loss[rows].mean(), abs=1e-6)


def test_a_proxy_that_says_all_leaves_no_error_and_one_that_says_nothing_costs_little():
    scores, frame = straight()
    scored = scored_of(scores, Difference(), 200, frame=frame)
    assert scored.error_variance("loss") < 1e-25
    simple = scored_of(scores, WithoutReplacement(), 200, frame=frame)
    assert scored.error_variance("accuracy") == pytest.approx(simple.error_variance("accuracy"), rel=0.02)
    spread = draw_batches(scored, seed=0, draws=3000)["accuracy"].mean.var()
    assert spread == pytest.approx(simple.error_variance("accuracy"), rel=0.12)


def test_the_bias_falls_as_one_over_b_and_the_variance_is_that_to_first_order_for_large_b():
    scores = some_scores(20000)
    frame = frame_of(scores)
    biases = []
    for batch_size in (20, 80, 320):
        scored = scored_of(scores, Difference(), batch_size, frame=frame)
        error = draw_batches(scored, seed=0, draws=8000)["loss"].mean - scored.mean("loss")
        biases.append(batch_size * error.mean() / np.sqrt(scores.loss.var()))
    # Unscaled, the first would be 16 times the last.
    assert min(biases) < 0
    assert 1 / 3 < biases[0] / biases[2] < 3
    assert scored.error_variance("loss") == pytest.approx(error.var(), rel=0.1)


def test_of_the_world_beyond_the_population_the_proxy_says_nothing():
    scores, frame = straight()
    scored = scored_of(scores, Difference(), 400, frame=frame)
    found = draw_batches(scored, seed=0, draws=2, target="superpopulation")["loss"]
    expected = scores.loss.var(ddof=1) / 400
    np.testing.assert_allclose(found.error_variance, expected, rtol=1e-9)
    np.testing.assert_allclose(found.error_third, ((scores.loss - scores.loss.mean()) ** 3).mean() / 400**2, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 2])
def test_one_or_two_rows_give_an_estimate_without_an_error(batch_size):
    scored = scored_of(some_scores(50), Difference(), batch_size)
    for _, found in batches_with_values(scored, seed=0, draws=20):
        assert np.isfinite(found["loss"].mean).all()
        assert np.isnan(found["loss"].error_variance).all()


def test_what_cannot_be_drawn_is_refused():
    frame = frame_of(some_scores(9))
    with pytest.raises(BadInput, match=r"batch_size must be at most the population's 9 rows"):
        Difference().plan(frame, 10)
    with pytest.raises(BadInput, match=r"sampling=difference must have single rows of equal weight"):
        Difference().plan(dataclasses.replace(frame, is_simple=False), 5)
    broken = Guess(np.ones(9), np.ones(9), np.full(9, np.nan))
    with pytest.raises(BadInput, match=r"finite number for each row; found nan in row 0"):
        Difference().plan(dataclasses.replace(frame, guess=lambda: broken), 5)
