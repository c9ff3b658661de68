"""Samples of a known true gain: what they are made of, and that the gate keeps its promise on them."""

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation import redraws
from pipeline.estimation.gain import ShareGain
from pipeline.estimation.mean_gain import MeanGain
from pipeline.estimation.redraws import against_itself, n_draws, rates_of_rule
from pipeline.estimation.verdict import decide
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.records.verdict import WORSE
from tests.populations import some_scores

SCORES = some_scores(600)
COLUMNS = [(Loss(), SCORES.loss), (Accuracy(), SCORES.correct)]


def test_the_baseline_against_itself_is_called_worse_no_more_often_than_promised():
    gains = against_itself(COLUMNS, np.random.default_rng(1))
    assert [type(gain) for gain in gains] == [MeanGain, ShareGain]
    draws = len(gains[0].value)
    assert draws == n_draws(600) == 2000
    for margins in ([0.0, 0.0], [0.01, 0.02]):
        worse = int((decide(gains, margins, 0.95).overall == WORSE).sum())
        assert worse <= stats.binom.ppf(0.999, draws, 0.05)


def test_two_draws_of_the_same_rows_differ_by_nothing_on_average_and_by_twice_the_variance():
    loss, correct = against_itself(COLUMNS, np.random.default_rng(2))
    for gain, column in ((loss, SCORES.loss), (correct, SCORES.correct)):
        variance = 2 * np.var(column)
        assert abs(gain.value.mean()) < 4 * np.sqrt(variance / 600 / 2000)
        assert gain.variance.mean() == pytest.approx(variance, rel=0.05)
    # Both metrics are of the same rows.
    assert abs(np.corrcoef(loss.value, correct.value)[0, 1]) > 0.2


def test_of_many_rows_some_are_taken_and_few_samples_drawn(monkeypatch):
    monkeypatch.setattr(redraws, "MOST_DRAWN", 250)
    (gain, _) = against_itself(COLUMNS, np.random.default_rng(3))
    assert gain.n == 250
    assert n_draws(10**7) == 200


@pytest.mark.parametrize("metric", [Loss(), Accuracy()], ids=lambda metric: metric.name)
def test_a_rule_fails_half_of_the_candidates_that_are_at_its_threshold_and_the_gate_few(metric):
    rng = np.random.default_rng(4)
    first = SCORES.loss if metric.name == "loss" else SCORES.correct
    second = first + rng.normal(0, 0.2, 600) if metric.name == "loss" else first ^ (rng.random(600) < 0.1)
    found = rates_of_rule(
        metric,
        (first, second),
        threshold=0.02,
        true_gains=np.array([-0.1, -0.02, 0.06]),
        confidence=0.95,
        rng=rng,
    )
    assert found.fails[0] > 0.99
    assert found.fails[1] == pytest.approx(0.5, abs=0.07)
    assert found.fails[2] < 0.01
    assert found.worse[1] <= stats.binom.ppf(0.999, found.draws, 0.05) / found.draws
    assert found.worse[1] + found.undecided[1] > 0.9


def test_of_a_share_the_rule_fails_as_often_as_the_binomial_says():
    """All turning rows are lost: the number of them is binomial, and the rule fails above 2 % of 200 rows."""
    first, second = np.ones(200, bool), np.arange(200) >= 6
    found = rates_of_rule(
        Accuracy(),
        (first, second),
        threshold=0.02,
        true_gains=np.array([-0.03]),
        confidence=0.95,
        rng=np.random.default_rng(5),
    )
    expected = stats.binom.sf(4, 200, 0.03)
    assert abs(found.fails[0] - expected) < 4 * np.sqrt(expected * (1 - expected) / found.draws)


def test_of_many_rows_a_mean_is_drawn_as_normal(monkeypatch):
    monkeypatch.setattr(redraws, "MOST_DRAWN", 100)
    second = SCORES.loss + np.random.default_rng(6).normal(0, 0.2, 600)
    found = rates_of_rule(
        Loss(),
        (SCORES.loss, second),
        threshold=0.01,
        true_gains=np.array([0.0]),
        confidence=0.95,
        rng=np.random.default_rng(7),
    )
    expected = stats.norm.cdf(-0.01 / (np.std(second - SCORES.loss) / np.sqrt(600)))
    assert found.fails[0] == pytest.approx(expected, abs=4 * np.sqrt(expected / found.draws))
