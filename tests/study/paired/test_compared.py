"""A comparison by metric, and the figures that are logged of it."""

import numpy as np

from pipeline.estimation.paired import Question, mean_difference, share_difference
from pipeline.records.scores import Scores
from pipeline.study.paired.compared import compared, metrics_of
from pipeline.study.paired.pair import Pair

RNG = np.random.default_rng(0)
BEFORE = Scores(RNG.exponential(size=50), RNG.random(50) < 0.5)
AFTER = Scores(RNG.exponential(size=50), RNG.random(50) < 0.6)


def test_means_and_shares_are_compared_each_in_their_own_way():
    found, asked = compared(Pair(BEFORE, AFTER), Question()), Question()
    assert found["loss"].difference == mean_difference(BEFORE.loss, AFTER.loss, asked)
    assert found["accuracy"].difference == share_difference(BEFORE.correct, AFTER.correct, asked)
    assert found["loss"].flipped is None
    assert found["accuracy"].flipped == (
        np.count_nonzero(AFTER.correct & ~BEFORE.correct),
        np.count_nonzero(BEFORE.correct & ~AFTER.correct),
    )


def test_figures_that_do_not_exist_are_not_logged():
    one = Pair(Scores(np.array([0.5]), None), Scores(np.array([0.75]), None))
    figures = metrics_of(compared(one, Question()))
    assert "loss/p" not in figures
    assert figures["loss/difference"] == 0.25
    assert "accuracy/gained" in metrics_of(compared(Pair(BEFORE, AFTER), Question()))
