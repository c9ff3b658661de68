import dataclasses

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.estimation.draws import batches_with_values, draw_batches
from pipeline.records.batches import Batch
from pipeline.records.scores import Scores
from pipeline.sampling.importance import Importance
from tests.populations import frame_of, scored_of, some_scores


def test_the_chances_are_the_proxys_with_a_uniform_share():
    plan = Importance(mix=0.2).plan(frame_of(some_scores(4), difficulty=np.array([0.0, 1.0, 3.0, 4.0])), 3)
    np.testing.assert_allclose(plan.chances, [0.05, 0.15, 0.35, 0.45])
    np.testing.assert_allclose(plan.expansion, 1 / (4 * np.array([0.05, 0.15, 0.35, 0.45])))


def test_it_draws_what_numpys_choice_draws():
    plan = Importance().plan(frame_of(some_scores(300)), 100)
    rng = np.random.default_rng(np.random.SeedSequence((7, 100, 3)))
    np.testing.assert_array_equal(plan.batch(7, 3).indices, rng.choice(300, 100, p=plan.chances))


def test_rows_come_up_with_their_chances_against_the_chi_squared_test():
    plan = Importance().plan(frame_of(some_scores(8)), 50)
    counts = sum(np.bincount(plan.batch(1, i).indices, minlength=8) for i in range(400))
    assert stats.chisquare(counts, 20000 * plan.chances).pvalue > 0.001


def test_no_row_counts_more_than_one_over_the_mix():
    difficulty = np.zeros(1000)
    difficulty[0] = 1e300
    assert Importance(mix=0.25).plan(frame_of(some_scores(1000), difficulty=difficulty), 9).expansion.max() <= 4 + 1e-12


def test_a_proxy_that_is_the_loss_itself_leaves_next_to_no_error():
    scores = Scores(np.linspace(0.1, 3, 50), np.ones(50, dtype=bool))
    scored = scored_of(scores, Importance(mix=1e-9), 5, frame=frame_of(scores, difficulty=scores.loss))
    assert scored.error_variance("loss") < 1e-15


def test_a_mix_of_1_is_simple_sampling_with_replacement():
    scores = some_scores(50)
    scored = scored_of(scores, Importance(mix=1.0), 5)
    assert scored.error_variance("loss") == pytest.approx(scores.loss.var() / 5)


@pytest.mark.parametrize("mix", [0.0, -0.1, 1.1, float("nan")])
def test_a_mix_out_of_range_is_refused(mix):
    with pytest.raises(BadInput, match=r"sampling.mix must be above 0 and at most 1"):
        Importance(mix=mix)


@pytest.mark.parametrize(
    ("difficulty", "message"),
    [
        ([0.0, 0.0, 0.0], "proxy above 0 for some row; found 0 in every row"),
        ([1.0, np.nan, 1.0], "finite number for each row; found nan in row 1"),
        ([1.0, 1.0, np.inf], "finite number for each row; found inf in row 2"),
        ([1.0, 2.0, -3.0], "proxy of at least 0, for chances are made from it; found -3 in row 2"),
    ],
)
def test_a_proxy_that_makes_no_chances_is_refused(difficulty, message):
    with pytest.raises(BadInput, match=message):
        Importance().plan(frame_of(some_scores(3), difficulty=np.array(difficulty)), 2)


def test_weights_and_groups_are_refused():
    with pytest.raises(BadInput, match=r"sampling=importance must have single rows of equal weight"):
        Importance().plan(dataclasses.replace(frame_of(some_scores(9)), is_simple=False), 5)


@pytest.mark.parametrize("mix", [0.3, 0.8])
def test_whatever_the_proxy_and_the_values_the_variance_is_at_most_a_simple_samples_over_the_mix(mix):
    rng = np.random.default_rng(2)
    for _ in range(200):
        loss = rng.choice([rng.lognormal(0, 2, 60), 3 + 0.1 * rng.random(60), np.full(60, 0.5)])
        scores = Scores(loss, rng.random(60) < 0.9)
        proxy = rng.choice([1 / (0.01 + loss), rng.lognormal(0, 3, 60), loss**4])
        scored = scored_of(scores, Importance(mix=mix), 5, frame=frame_of(scores, difficulty=proxy))
        for metric in ("loss", "accuracy"):
            simple = scores.values(metric).var() / 5
            assert scored.error_variance(metric) <= simple / mix * (1 + 1e-9) + 1e-15


@pytest.mark.parametrize("kind", ["large losses where the proxy sees none", "losses that are nearly equal"])
def test_the_mean_square_error_of_a_wrong_proxy_is_at_most_a_quarter_above_a_simple_samples_against_simulation(kind):
    rng = np.random.default_rng(4)
    difficulty = rng.exponential(size=2_000)
    loss = np.where(difficulty < 0.2, 5.0, 0.1) if kind.startswith("large") else 2.3 + 0.1 * rng.random(2_000)
    scores = Scores(loss, loss < 1)
    scored = scored_of(scores, Importance(), 200, frame=frame_of(scores, difficulty=difficulty))
    squares = (draw_batches(scored, seed=1, draws=4_000)["loss"].mean - loss.mean()) ** 2
    # Four standard errors of 4,000 squares are some 9 %.
    assert squares.mean() < 1.25 * loss.var() / 200 * 1.09
    if kind.startswith("losses"):
        # Without the correction the weights alone would make the mean of equal losses vary.
        plain = scored.plan.chances @ (loss * scored.plan.expansion - loss.mean()) ** 2 / 200
        assert squares.mean() < plain / 20


def test_a_batch_whose_weights_vary_as_they_should_or_more_is_regressed_as_by_scipy():
    scores = some_scores(300)
    scored = scored_of(scores, Importance(), 80)
    found, e = draw_batches(scored, seed=0, draws=100)["loss"], scored.plan.expansion
    spread = scored.plan.chances @ (e - 1) ** 2
    checked = 0
    for i in range(100):
        rows = scored.plan.batch(0, i).indices
        if e[rows].var() < spread:
            continue
        checked += 1
        line = stats.linregress(e[rows], (e * scores.loss)[rows])
        assert found.mean[i] == pytest.approx(line.intercept + line.slope)
        residuals = (e * scores.loss)[rows] - line.intercept - line.slope * e[rows]
        assert found.error_variance[i] == pytest.approx((residuals**2).sum() / (80 - 2) / 80)
    assert 25 < checked < 75


def test_the_bounded_values_are_those_before_the_correction_whose_mean_is_unbiased_by_enumeration():
    scores = some_scores(6)
    scored = scored_of(scores, Importance(), 2)
    samples = [(i, j) for i in range(6) for j in range(6)]
    object.__setattr__(scored.plan, "batch", lambda seed, i: Batch(np.array(samples[i])))
    chances = np.array([scored.plan.chances[list(pair)].prod() for pair in samples])
    ((_, found),) = batches_with_values(scored, seed=0, draws=len(samples))
    for metric, batches in found.items():
        assert chances @ batches.expanded.mean(axis=1) == pytest.approx(scored.mean(metric), abs=1e-12)
        np.testing.assert_allclose(batches.values.mean(axis=1), batches.mean)
        low, high = batches.bounds
        most = scores.loss.max() if metric == "loss" else 1.0
        assert batches.expanded.min() >= low * most - 1e-12
        assert batches.expanded.max() <= high * most + 1e-12
