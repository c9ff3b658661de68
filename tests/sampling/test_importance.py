import dataclasses

import numpy as np
import pytest
from scipy import stats

from pipeline.errors import BadInput
from pipeline.records import Scores
from pipeline.sampling.importance import Importance
from tests.populations import frame_of, scored_of, some_scores


def test_the_chances_are_the_proxys_with_a_uniform_share():
    plan = Importance(mix=0.2).plan(frame_of(some_scores(4), difficulty=np.array([0.0, 1.0, 3.0, 4.0])), 3)
    np.testing.assert_allclose(plan.chances, [0.05, 0.15, 0.35, 0.45])
    np.testing.assert_allclose(plan.expansion, 1 / (4 * np.array([0.05, 0.15, 0.35, 0.45])))
    batch = plan.batch(0, 0)
    np.testing.assert_array_equal(batch.probabilities, plan.chances[batch.indices])


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
    with pytest.raises(BadInput, match=r"sampling=importance must have rows that count alike"):
        Importance().plan(dataclasses.replace(frame_of(some_scores(9)), is_simple=False), 5)
