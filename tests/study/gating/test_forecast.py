"""The forecast of a gate: by the formula, and what pairs of a known correlation really show."""

import math

import numpy as np
import pytest
from scipy import stats

from pipeline.estimation.gain import gain_of
from pipeline.estimation.verdict import decide
from pipeline.metric.accuracy import Accuracy
from pipeline.metric.loss import Loss
from pipeline.records.verdict import WORSE
from pipeline.study.gating.forecast import forecast

RNG = np.random.default_rng(2)
LOSS = RNG.exponential(0.4, 900)
RIGHT = RNG.random(900) < 0.9
METRICS = {"loss": Loss(), "accuracy": Accuracy()}


def told(columns, margins=None):
    margins = margins or {"loss": 0.02, "accuracy": 0.01}
    return forecast(columns, METRICS, margins, confidence=0.95, power=0.8, about="rows")


def test_models_that_have_nothing_in_common_are_the_unpaired_case():
    found = told({"loss": LOSS, "accuracy": RIGHT}).metrics
    z = stats.norm.ppf(0.8) + stats.norm.ppf(1 - 0.025 / 2)
    share = RIGHT.mean()
    assert found["loss/smallest_effect"] == pytest.approx(z * math.sqrt(2 * LOSS.var() / 900))
    assert found["accuracy/smallest_effect"] == pytest.approx(z * math.sqrt(2 * share * (1 - share) / 900))
    assert found["loss/n_for_margin"] == math.ceil(2 * LOSS.var() * (z / 0.02) ** 2)
    assert found["loss/smallest_effect_alike"] == pytest.approx(found["loss/smallest_effect"] * math.sqrt(0.1))


def test_a_difference_of_that_size_is_seen_with_the_power():
    found = told({"loss": LOSS}).metrics["loss/smallest_effect_alike"]
    rng, seen = np.random.default_rng(5), 0
    for _ in range(400):
        first, noise = rng.normal(1, LOSS.std(), (2, 900))
        second = 0.9 * first + 0.1 + math.sqrt(1 - 0.9**2) * (noise - 1) + found
        seen += decide([gain_of(Loss(), first, second)], [0.0], 0.95).codes[0, 0] == WORSE
    assert stats.binomtest(int(seen), 400, 0.8).pvalue > 0.001


def test_it_says_that_nothing_was_judged_and_asks_for_no_exit_status():
    result = told({"loss": LOSS})
    assert result.status == 0
    assert result.notes[0] == "No candidate was given, so nothing was judged: add study.against=FILE"
    assert result.answer.startswith("On 900 rows a gate sees a difference of ")


def test_one_row_shows_no_difference_however_large():
    found = told({"loss": LOSS[:1], "accuracy": RIGHT[:1]})
    assert set(found.metrics.values()) == {math.inf}
    assert {row[2] for row in found.shown.rows} == {"none"}
    said = "On 1 row a gate sees no difference in the loss and no difference in the accuracy, with 80 % power"
    assert found.answer.startswith(said)
