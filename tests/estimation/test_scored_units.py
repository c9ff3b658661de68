"""The scores of units: totals, means and exact variances."""

from itertools import combinations

import numpy as np
import pytest

from pipeline.estimation.scored_units import ScoredUnits
from pipeline.records.scores import Scores
from pipeline.sampling.units import Units
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan

LOSS = np.array([0.5, 1.0, 0.0, 4.0, 2.5])
RIGHT = np.array([True, False, True, False, True])


def test_the_mean_and_the_variance_of_every_batch_there_can_be():
    scored = ScoredUnits(Scores(LOSS, RIGHT), Units(5), SimplePlan(5, 2))
    means = [LOSS[list(rows)].mean() for rows in combinations(range(5), 2)]
    assert scored.metrics == ("loss", "accuracy")
    assert scored.mean("loss") == pytest.approx(LOSS.mean())
    assert scored.error_variance("loss") == pytest.approx(np.var(means))
    assert scored.error_variance("accuracy") == pytest.approx(
        np.var([RIGHT[list(rows)].mean() for rows in combinations(range(5), 2)])
    )
    assert scored.error_variance("loss", IndependentPlan(5, 2)) == pytest.approx(LOSS.var() / 2)


def test_an_infinite_loss_has_no_variance():
    scored = ScoredUnits(Scores(np.array([1.0, np.inf]), None), Units(2), IndependentPlan(2, 1))
    assert np.isnan(scored.error_variance("loss"))


def test_weights_make_the_mean_a_ratio():
    weights = np.array([1.0, 1.0, 2.0, 2.0, 4.0])
    scored = ScoredUnits(Scores(LOSS, RIGHT), Units(5, weights=weights), IndependentPlan(5, 2))
    np.testing.assert_allclose(scored.totals("loss"), LOSS * weights)
    np.testing.assert_array_equal(scored.sizes(), weights)
    assert scored.mean("loss") == pytest.approx(np.average(LOSS, weights=weights))
    residuals = (LOSS - scored.mean("loss")) * weights / weights.mean()
    assert scored.error_variance("loss") == pytest.approx(residuals.var() / 2)
