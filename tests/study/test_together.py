"""From scores to what the metrics of all rows together are made from."""

import numpy as np
import pytest

from pipeline.errors import BadInput
from pipeline.records.scores import Scores
from pipeline.study.together import Truth, evaluated_for, said_of, together_of


def test_labels_that_are_probabilities_count_as_the_largest_and_rows_without_classes_have_none():
    assert Truth.of(np.array([[0.2, 0.8], [0.5, 0.5]]), 2).labels.tolist() == [1, 0]
    for labels, k in ((None, 3), (np.array([0, 1]), 0)):
        assert Truth.of(labels, k).labels is None
    assert Truth.of(np.array([2, 0, 1]), 3).take(np.array([2, 0])).labels.tolist() == [1, 2]


def test_only_what_the_named_metrics_need_is_evaluated_besides():
    assert list(together_of(["loss", "auc", "auc"])) == ["auc"]
    assert evaluated_for(["loss"], 3, 10) == {}
    assert list(evaluated_for(["auc"], 3, 10)) == ["predicted", "odds_0", "odds_1", "odds_2"]
    with pytest.raises(
        BadInput, match=r"at most 50,000,000 numbers .* found 20,000,000 rows with 4 each: leave auc out"
    ):
        evaluated_for(["auc"], 3, 20_000_000)


def test_of_two_classes_the_odds_of_one_are_turned_for_the_other():
    scores = Scores(np.zeros(2), None, further={"odds_1": np.array([0.5, -2.0]), "predicted": np.array([1.0, 0.0])})
    said = said_of(scores, Truth(np.array([1, 0]), 2))
    assert said.odds.tolist() == [[-0.5, 0.5], [2.0, -2.0]]
    assert said.predicted.tolist() == [1, 0]
    assert said.confidence is None
    assert said_of(scores, Truth(np.array([1, 0]), 3)).odds is None
