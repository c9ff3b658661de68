"""Notes say what the reader must know of the rows, and nothing else."""

import dataclasses

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.records.batches import Estimate
from pipeline.records.scores import Scores
from pipeline.study.notes import check_cap, notes_of
from tests.study.predicted import stages_from, write


def estimate(method, unreliable=None):
    ends = np.zeros(1 if unreliable is None else len(unreliable))
    return Estimate(ends, ends, ends, ends, 4, method, None if unreliable is None else np.array(unreliable))


def test_plain_rows_have_the_intervals_methods_alone(stages_of):
    scores = Scores(np.ones(4), np.ones(4, dtype=bool))
    made = {"loss": estimate("Hall", [False]), "accuracy": estimate("Wilson")}
    assert notes_of(stages_of(), scores, made) == ["loss: Hall", "accuracy: Wilson"]


def test_an_unreliable_batch_is_called_so_with_the_reason_and_of_many_the_share(stages_of):
    scores = Scores(np.ones(4), np.ones(4, dtype=bool))
    (_, alone) = notes_of(stages_of(), scores, {"loss": estimate("Hall", [True])})
    assert alone.startswith("loss: unreliable here: a few large losses make up the mean")
    (_, many) = notes_of(stages_of(), scores, {"loss": estimate("Hall", [True] * 3 + [False] * 5)})
    assert many.startswith("loss: unreliable in 37.5 % of the batches: ")
    assert len(notes_of(stages_of(), scores, {"loss": estimate("Hall", [True] + [False] * 99)})) == 1
    (_, score) = notes_of(stages_of(), scores, {"loss": estimate("score above, Hall below", [True])})
    assert score.startswith("loss: unreliable here: a few large losses make up the mean")
    assert score.endswith("; the interval's upper end alone allows for those not seen")


def test_of_one_row_it_is_said_plainly_that_it_tells_no_interval(stages_of):
    scores = Scores(np.ones(1), np.ones(1, dtype=bool))
    made = dataclasses.replace(estimate("score above, Hall below", [True]), n=1)
    (_, alone) = notes_of(stages_of(), scores, {"loss": made})
    assert alone == "loss: one row does not tell how others vary, so there is no interval"


def test_infinite_losses_and_ties_are_counted(stages_of):
    notes = notes_of(stages_of(), Scores(np.array([np.inf, 1.0, np.inf]), None, ties=2), {})
    assert notes[0].startswith("2 of 3 rows have an infinite loss")
    assert notes[1].startswith("2 of 3 rows tie")


def test_losses_that_were_cut_are_counted_and_the_interval_is_said_to_be_of_the_cut_ones(stages_of):
    notes = notes_of(stages_of(), Scores(np.ones(200), None, capped=3), {}, loss_cap=2.0)
    assert notes == [
        "loss: 3 of 200 rows (1.5 %) were above study.loss_cap=2 nats and count as it; intervals hold the mean of the "
        "cut losses, which is lower"
    ]
    assert notes_of(stages_of(), Scores(np.ones(200), None), {}, loss_cap=2.0) == []


def test_groups_weights_and_empty_classes_are_said(stages_of, tmp_path):
    labels = np.array([1, 2, 1, 2])
    path = write(tmp_path / "p.parquet", label=labels, logits=np.eye(3)[labels], g=[0, 0, 1, 1], w=[1.0, 2.0, 1.0, 2.0])
    stages = stages_from(stages_of, path, fields={"group": "g", "weight": "w"}, batch_size=1)
    notes = notes_of(stages, Scores(np.ones(4), None), {})
    assert notes[0] == "batch_size counts groups: 2 of them, 2 rows each on average"
    assert notes[1] == "means are weighted by w"
    assert notes[2].startswith("no row has the label 0")


@pytest.mark.parametrize("cap", [0.0, -1.0, float("nan")])
def test_a_cap_that_leaves_nothing_is_refused(cap):
    with pytest.raises(BadInput, match=r"study\.loss_cap must be above 0 nats or null"):
        check_cap(cap)
