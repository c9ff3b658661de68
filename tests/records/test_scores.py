"""Scores hold the metrics there are, and refuse those there are not."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.records.scores import Scores

LOSS, CORRECT = np.array([0.5, 0.1, 2.0]), np.array([True, True, False])


def test_loss_and_accuracy_come_first_whatever_the_order_they_are_given_in():
    scores = Scores.of({"brier": LOSS, "accuracy": CORRECT, "loss": LOSS}, ties=2, capped=1)
    assert scores.metrics == ("loss", "accuracy", "brier")
    assert (scores.ties, scores.capped, len(scores)) == (2, 1, 3)


def test_values_of_the_accuracy_are_zeros_and_ones_in_float64():
    values = Scores(None, CORRECT).values("accuracy")
    assert values.dtype == np.float64
    assert values.tolist() == [1.0, 1.0, 0.0]


def test_some_rows_keep_their_values_of_every_metric_and_no_counts_of_all_rows():
    some = Scores(LOSS, CORRECT, further={"top_5": CORRECT}, ties=1, capped=1).take(np.array([2, 0]))
    assert some.loss.tolist() == [2.0, 0.5]
    assert some.correct.tolist() == some.columns["top_5"].tolist() == [False, True]
    assert (some.ties, some.capped) == (0, 0)


@pytest.mark.parametrize(
    ("scores", "ask", "missing"),
    [
        (Scores(None, CORRECT), lambda scores: scores.loss, "needs the loss of each row; found only the accuracy"),
        (Scores(LOSS, None), lambda scores: scores.correct, "needs whether each row is right; found only the loss"),
        (Scores(LOSS, CORRECT), lambda scores: scores.values("brier"), "needs brier; found only the loss and the acc"),
    ],
    ids=["loss", "accuracy", "further"],
)
def test_a_metric_that_is_not_there_is_refused_by_name(scores, ask, missing):
    with pytest.raises(BadInput, match=missing):
        ask(scores)


def test_no_metric_at_all_is_a_mistake_of_the_program():
    with pytest.raises(ValueError, match="at least one metric"):
        Scores(None, None)


def test_only_memory_maps_count_as_stored(tmp_path):
    on_disk = np.memmap(tmp_path / "loss", np.float32, "w+", shape=3)
    assert Scores(on_disk, CORRECT).is_stored
    assert not Scores(LOSS, CORRECT).is_stored
