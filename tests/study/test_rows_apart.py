"""The rows on which two models differ most."""

import dataclasses

import numpy as np
import pytest

from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.records.scores import Scores
from pipeline.study import rows_apart as module
from pipeline.study.paired.pair import Pair
from pipeline.study.rows_apart import furthest, rows_apart


def pair_of(before, after, **fields):
    return Pair(Scores(before, None), Scores(after, None), {"loss": Loss()}, **fields)


@pytest.mark.parametrize("at_once", [1 << 20, 7])
def test_they_are_those_of_the_largest_differences_of_either_sign_ties_in_order(monkeypatch, at_once):
    monkeypatch.setattr(module, "_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    before, after = rng.integers(0, 9, (2, 60)).astype(float)
    apart = np.abs(after - before)
    expected = [row for row in sorted(range(60), key=lambda row: (-apart[row], row)) if apart[row] > 0]
    assert furthest(pair_of(before, after), "loss", 25).tolist() == expected[:25]
    assert furthest(pair_of(before, after), "loss", 60).tolist() == expected


def test_rows_without_a_difference_are_none_of_them_and_an_infinite_one_is_the_first():
    before, after = np.array([1.0, np.inf, 2.0, 3.0]), np.array([1.0, np.inf, 2.5, np.inf])
    assert furthest(pair_of(before, after), "loss").tolist() == [3, 2]


def test_the_table_has_their_ids_labels_values_and_differences(stages_of):
    stages = stages_of()
    scores, _ = stages.scores()
    after = scores.loss.copy()
    after[[5, 17]] += (0.5, -0.25)
    found = rows_apart(stages, pair_of(scores.loss, after, names=("old", "new")))
    assert found["id"].tolist() == ["5", "17"]
    assert found["label"].tolist() == [str(label) for label in stages.rows.labels[[5, 17]]]
    assert found["loss_a"].tolist() == pytest.approx(scores.loss[[5, 17]].tolist())
    assert found["loss_difference"].tolist() == pytest.approx([0.5, -0.25], rel=1e-5)
    assert (found["loss_b"] - found["loss_a"]).tolist() == pytest.approx(found["loss_difference"].tolist())
    assert set(zip(found["model_a"], found["model_b"], strict=True)) == {("old", "new")}


def test_there_are_none_where_no_row_differs_or_only_shares_are_known(stages_of):
    stages = stages_of()
    scores, _ = stages.scores()
    assert rows_apart(stages, pair_of(scores.loss, scores.loss)) is None
    right = Scores(None, scores.correct)
    shares = dataclasses.replace(pair_of(scores.loss, scores.loss), before=right, after=right)
    assert rows_apart(stages, dataclasses.replace(shares, asked={"accuracy": Accuracy()})) is None
