"""What draws say, against NumPy."""

import numpy as np
import pytest

from pipeline.estimation.draws import estimate_draws
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval import loss
from pipeline.records.scores import Scores
from pipeline.sampling.units import Units
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.study.drawn import drawn_metrics, draws_frame, ends_of_all, population_metrics

VALUES = np.random.default_rng(0).exponential(size=500)
SCORED = ScoredUnits(Scores(VALUES, None), Units(500), SimplePlan(500, 20))
CHOSEN = {"loss": loss.MEMBERS["t"]()}
ESTIMATES = estimate_draws(SCORED, CHOSEN, seed=0, draws=50, confidence=0.95)


def test_means_and_errors_of_the_draws_are_numpys():
    drawn = np.array([VALUES[SCORED.plan.batch(0, i).indices].mean() for i in range(50)])
    found = drawn_metrics(ESTIMATES) | population_metrics(ESTIMATES, SCORED)
    error = drawn - VALUES.mean()
    assert found["loss/mean"] == pytest.approx(drawn.mean())
    assert found["loss/rmse"] == pytest.approx(np.sqrt((error**2).mean()))
    assert found["loss/bias"] == pytest.approx(error.mean())
    assert found["loss/se"] == pytest.approx(np.sqrt(VALUES.var(ddof=1) / 20 * 480 / 500))
    assert draws_frame(ESTIMATES)["loss"].to_numpy() == pytest.approx(drawn)


def test_the_ends_of_all_rows_are_students():
    found = ends_of_all(SCORED, CHOSEN, 0, 0.95)
    reach = 1.9647 * VALUES.std(ddof=1) / np.sqrt(500)
    assert found["loss/all_low"] == pytest.approx(VALUES.mean() - reach, rel=1e-4)
    assert found["loss/all_high"] == pytest.approx(VALUES.mean() + reach, rel=1e-4)
