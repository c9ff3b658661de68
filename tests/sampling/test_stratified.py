import dataclasses

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.records.scores import Scores
from pipeline.sampling.stratified import Stratified
from tests.populations import frame_of, scored_of, some_scores

NEYMAN = {"by": "proxy", "allocation": "neyman"}


def test_a_batch_stands_stratum_by_stratum_with_no_row_twice():
    labels = np.array([3, 0, 3, 0, 3, 5, 3, 0, 3, 5, 3, 3])
    plan = Stratified().plan(frame_of(some_scores(12), labels=labels), 7)
    assert plan.strata.sizes.tolist() == [3, 7, 2]
    assert plan.strata.drawn.tolist() == [2, 3, 2]
    for i in range(20):
        batch = plan.batch(0, i)
        assert labels[batch.indices].tolist() == [0, 0, 3, 3, 3, 5, 5]
        assert len(set(batch.indices.tolist())) == 7


def test_proxy_groups_have_equal_sizes_and_rise_in_difficulty_even_with_ties():
    difficulty = np.repeat([5.0, 1.0, 0.0, 2.0], [3, 7, 8, 5])
    plan = Stratified(by="proxy", strata=4).plan(frame_of(some_scores(23), difficulty=difficulty), 10)
    assert plan.strata.sizes.tolist() == [6, 6, 6, 5]
    assert np.all(np.diff(difficulty[plan.members]) >= 0)
    assert sorted(plan.members.tolist()) == list(range(23))


def test_neyman_from_all_rows_against_numpys_standard_deviations():
    values = np.random.default_rng(0).random(400) * np.repeat([1.0, 2.0, 4.0, 8.0], 100)
    scores = Scores(values, values < 1)
    frame = frame_of(scores, difficulty=np.arange(400.0))
    best = scored_of(scores, Stratified(**NEYMAN, strata=4, pilot=400), 60, frame=frame)
    deviations = np.array([part.std(ddof=1) for part in np.split(values, 4)])
    # Largest remainder is within one row of the formula.
    assert np.all(np.abs(best.plan.strata.drawn - 60 * deviations / deviations.sum()) < 1)
    proportional = scored_of(scores, Stratified(by="proxy", strata=4), 60, frame=frame)
    assert best.error_variance("loss") < 0.9 * proportional.error_variance("loss")


def test_the_pilot_is_the_same_for_every_batch_size_evaluates_what_it_says_and_follows_its_own_seed():
    scores, asked = some_scores(500), []

    def score(rows):
        asked.append(np.sort(rows))
        return Scores(scores.loss[rows], scores.correct[rows])

    frame = dataclasses.replace(frame_of(scores), score=score)
    for batch_size, seed in ((40, 0), (80, 0), (40, 1)):
        Stratified(**NEYMAN, pilot=60, seed=seed).plan(frame, batch_size)
    assert [len(np.unique(rows)) for rows in asked] == [60, 60, 60]
    np.testing.assert_array_equal(asked[0], asked[1])
    assert not np.array_equal(asked[0], asked[2])


def test_a_pilot_of_a_few_rows_does_not_starve_the_strata_in_which_it_saw_no_spread():
    # Large losses are rare in every stratum: most pilots see none in most strata.
    rng = np.random.default_rng(0)
    loss = np.where(rng.random(2000) < 0.02, 5.0, rng.random(2000) * 0.01)
    scores, frame = Scores(loss, loss < 1), frame_of(Scores(loss, loss < 1), difficulty=np.arange(2000.0))
    proportional = scored_of(scores, Stratified(by="proxy"), 200, frame=frame).error_variance("loss")
    for seed in range(10):
        found = scored_of(scores, Stratified(**NEYMAN, pilot=100, seed=seed), 200, frame=frame)
        assert found.error_variance("loss") < 1.7 * proportional


def test_a_pilot_that_varies_nowhere_makes_the_allocation_proportional():
    scores = Scores(np.full(100, 0.5), np.ones(100, dtype=bool))
    frame = frame_of(scores, difficulty=np.arange(100.0))
    for pilot in (30, 100):
        plan = Stratified(**NEYMAN, strata=4, pilot=pilot, metric="accuracy").plan(frame, 20)
        assert plan.strata.drawn.tolist() == [5, 5, 5, 5]


def test_a_batch_of_all_rows_has_no_error():
    scored = scored_of(some_scores(50), Stratified(), 50)
    assert sorted(scored.plan.batch(0, 0).indices.tolist()) == list(range(50))
    assert scored.error_variance("loss") == 0


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ({"by": "colour"}, "sampling.by must be one of label, proxy; found 'colour'"),
        ({"allocation": "equal"}, "sampling.allocation must be one of proportional, neyman"),
        ({"metric": "f1"}, "sampling.metric must be one of loss, accuracy"),
        ({"strata": 1}, "sampling.strata must be a whole number of at least 2; found 1"),
        ({"pilot": 0}, "sampling.pilot must be a whole number of at least 1"),
        ({"seed": -1}, "sampling.seed must be a whole number of at least 0"),
    ],
)
def test_fields_out_of_range_are_refused(field, message):
    with pytest.raises(BadInput, match=message):
        Stratified(**field)


def grouped(scores):
    return dataclasses.replace(frame_of(scores), read_labels=lambda: None, is_simple=False)


def test_groups_have_no_labels_and_can_be_cut_by_the_proxy():
    frame = grouped(some_scores(60))
    with pytest.raises(BadInput, match=r"sampling.by=label must have a label .* choose sampling.by=proxy"):
        Stratified().plan(frame, 30)
    with pytest.raises(
        BadInput, match=r"neyman must have single rows of equal weight; found data.group or data.weight"
    ):
        Stratified(**NEYMAN).plan(frame, 30)
    assert len(Stratified(by="proxy").plan(frame, 30).batch(0, 0).indices) == 30


def test_what_cannot_be_drawn_is_refused():
    scores = some_scores(100)
    frame = frame_of(scores)
    with pytest.raises(BadInput, match=r"batch_size must be at least 20, two for each of the 10 strata .* found 19"):
        Stratified(by="proxy").plan(frame, 19)
    with pytest.raises(BadInput, match=r"batch_size must be at most the population's 100 rows"):
        Stratified().plan(frame, 101)
    with pytest.raises(BadInput, match=r"sampling.strata must be at most the population's 100 rows; found 101"):
        Stratified(by="proxy", strata=101).plan(frame, 50)
    with pytest.raises(BadInput, match=r"sampling.pilot must be at least 20, two rows for each of the 10 strata"):
        Stratified(**NEYMAN, pilot=19).plan(frame, 50)
    with pytest.raises(BadInput, match=r"finite number for each row; found nan in row 3"):
        Stratified(by="proxy").plan(frame_of(scores, difficulty=np.where(np.arange(100) == 3, np.nan, 1.0)), 50)
    infinite = Scores(np.full(100, np.inf), np.zeros(100, dtype=bool))
    with pytest.raises(BadInput, match=r"must have finite losses to go by; found 100 infinite"):
        Stratified(**NEYMAN, pilot=100).plan(frame_of(infinite, difficulty=np.arange(100.0)), 50)
