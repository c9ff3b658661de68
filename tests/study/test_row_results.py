"""Rows one by one: the hardest first, and the table of all."""

import numpy as np
import pytest

from pipeline.data.predictions import Predictions
from pipeline.records.scores import Scores
from pipeline.study import row_results
from pipeline.study.row_results import class_numbers, hardest, row_frame
from tests.evaluation import changed


@pytest.mark.parametrize("at_once", [1 << 20, 7])
def test_the_hardest_rows_are_those_of_the_largest_losses_ties_in_order(monkeypatch, at_once):
    monkeypatch.setattr(row_results, "_AT_ONCE", at_once)
    losses = np.random.default_rng(0).integers(0, 20, 100).astype(float)
    losses[13] = np.inf
    expected = sorted(range(100), key=lambda row: (-losses[row], row))[:25]
    assert hardest(Scores(losses, None), 25).tolist() == expected


def test_without_losses_the_first_wrong_rows_are_the_hardest():
    correct = np.array([True, False, True, False, False])
    assert hardest(Scores(None, correct), 2).tolist() == [1, 3]
    assert hardest(Scores(None, correct), 9).tolist() == [1, 3, 4]
    assert hardest(Scores(None, np.ones(5, dtype=bool)), 9).tolist() == []


def test_none_are_asked_for_and_none_are_found():
    assert len(hardest(Scores(np.ones(5), None), 0)) == 0


def test_the_class_of_soft_labels_is_that_of_the_largest_share():
    assert class_numbers(np.array([[0.2, 0.8], [0.5, 0.5]])).tolist() == [1, 0]
    assert class_numbers(np.array([3, 1])).tolist() == [3, 1]


def test_rows_are_counted_from_0_where_they_have_no_ids(stages_of):
    stages = stages_of()
    scores, _ = stages.scores()
    frame = row_frame(stages, scores, np.array([5, 2]))
    assert frame["id"].tolist() == [5, 2]
    assert frame["label"].tolist() == stages.rows.labels[[5, 2]].tolist()
    assert list(frame) == ["id", "label", "loss", "correct"]
    assert len(row_frame(stages, scores)) == len(stages.rows)


@pytest.mark.parametrize("named", ["id", "key"])
def test_rows_are_called_by_the_files_column_id_where_no_other_is_named(stages_of, tmp_path, named):
    path = tmp_path / "p.csv"
    path.write_text(f"{named},label,loss,correct\nx,0,0.5,1\ny,1,0.25,1\n")
    data = Predictions(path=str(path))
    stages = changed(stages_of(), rows=data.load(), data=data)
    frame = row_frame(stages, Scores(np.array([0.5, 0.25]), None))
    assert frame["id"].tolist() == (["x", "y"] if named == "id" else [0, 1])
