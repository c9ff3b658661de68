"""Rows are evaluated until it is enough, no row twice, and the intervals hold the mean of all rows."""

import pytest
from scipy import stats

import pipeline as bs
from pipeline.study.until import Until
from tests.face.given import two_models

N = 3000
LABELS, LOGITS, _ = two_models(N)
ALL = bs.scores(LABELS, logits=LOGITS)


def evaluate(rows):
    return {"labels": LABELS[rows], "logits": LOGITS[rows]}


def test_it_stops_when_the_intervals_are_narrow_enough_and_evaluates_no_row_twice():
    seen = []

    def noted(rows):
        seen.extend(rows.tolist())
        return evaluate(rows)

    found = bs.until(noted, N, loss_within=0.15, accuracy_within=0.06)
    assert found.is_enough
    assert len(seen) == len(set(seen)) == found.evaluated < N
    assert found.loss.half_width <= 0.15
    assert found.accuracy.half_width <= 0.06


def test_the_intervals_hold_the_mean_of_all_rows_as_often_as_they_say():
    held = 0
    for seed in range(60):
        found = bs.until(evaluate, N, loss_within=0.3, accuracy_within=0.1, seed=seed)
        held += all(own.low <= ALL.values(name).mean() <= own.high for name, own in found.metrics.items())
    # Two metrics, with 95 % each.
    assert stats.binomtest(held, 60, 0.9, alternative="less").pvalue > 1e-3


def test_all_rows_are_exact():
    found = bs.until(evaluate, N, loss_within=1e-9, accuracy_within=None)
    assert found.evaluated == N
    assert found.loss.half_width == 0
    assert found.loss.mean == pytest.approx(ALL.values("loss").mean())


def test_it_is_what_the_study_finds(stages_of):
    stages = stages_of(design="without_replacement", seed=3)
    scores, _ = stages.scores()
    metrics = Until().answer(stages).metrics
    found = bs.until(
        lambda rows: {"loss": scores.loss[rows], "correct": scores.correct[rows]}, len(scores), seed=3, loss_cap=10.0
    )
    assert found.evaluated == metrics["rows/evaluated"]
    for name, own in found.metrics.items():
        theirs = [metrics[f"{name}/{end}"] for end in ("mean", "low", "high")]
        # Rows in blocks of another size: BLAS adds up in another order, in float32.
        assert [own.mean, own.low, own.high] == pytest.approx(theirs, rel=1e-6)


def test_scores_may_be_returned_as_they_are():
    found = bs.until(lambda rows: bs.scores(loss=ALL.values("loss")[rows]), N, metrics=["loss"], max_rows=100)
    assert found.evaluated == 100
    assert not found.is_enough
    assert "max_rows=100" in found.sentence


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_rows": 0}, "n_rows must be a whole number of at least 1"),
        ({"loss_within": None, "accuracy_within": None}, "found None for all metrics: set one"),
        ({"loss_within": 0}, "the goal of the loss must be above 0 or None; found 0"),
        ({"loss_cap": 0}, "loss_cap must be above 0"),
        ({"evaluate": lambda rows: {"correct": rows > 0}}, "metric must|evaluate must return what the loss"),
        ({"evaluate": lambda rows: {"loss": [0.5], "correct": [True]}}, "must return a value for each of the 50 rows"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    with pytest.raises(bs.BadInput, match=message):
        bs.until(**{"evaluate": evaluate, "n_rows": N, **given})
