"""All rows together, as a random sample of the world: each metric's value and its interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ..errors import BadInput
from ..estimation.draws import estimate_all
from ..estimation.sample_size import quantile
from ..estimation.scored_units import ScoredUnits
from ..interval.base import Interval
from ..records.batches import Estimate
from ..sampling.with_replacement import IndependentPlan
from ..sampling.without_replacement import SimplePlan

# An interval made from all values is not put around more rows than this, because its resamples would fill memory.
_MOST_VALUES = 10_000


def estimates_of_all(
    scored: ScoredUnits, intervals: Mapping[str, Interval], *, seed: int, confidence: float
) -> dict[str, Estimate]:
    """Return the estimate of all units for each metric that has an interval for the world.

    Where scores are too many for memory, or an interval works on more than 10,000 units' values, the normal interval
    takes its place, because at such sizes they agree. A guaranteed interval is then left out, because the normal one
    guarantees nothing.

    Parameters
    ----------
    scored : ScoredUnits
        All units, scored.
    intervals : mapping of str to Interval
        By metric.
    seed, confidence
        As configured; the seed matters only to intervals that resample.

    Returns
    -------
    dict of str to Estimate
        By metric; arrays of shape (1,).
    """
    size = scored.units.size
    large = {name for name, own in intervals.items() if scored.is_large or (own.needs_values and size > _MOST_VALUES)}
    fit = {
        metric: interval
        for metric, interval in intervals.items()
        if _is_for_the_world(interval, size) and not (interval.is_guaranteed and metric in large)
    }
    asked = {metric: interval for metric, interval in fit.items() if metric not in large}
    found = estimate_all(scored, asked, seed=seed, confidence=confidence)
    return {name: _normal(scored, name, confidence) if name in large else found[name] for name in fit}


def _is_for_the_world(interval: Interval, size: int) -> bool:
    try:
        interval.check(SimplePlan(size, size), "superpopulation")
    except BadInput:
        return False
    return True


def _normal(scored: ScoredUnits, metric: str, confidence: float) -> Estimate:
    size = scored.units.size
    value = np.array([scored.mean(metric)])
    # These units are drawn from the world one by one, as if with replacement.
    error = np.sqrt([scored.error_variance(metric, IndependentPlan(size, size))])
    reach = quantile(confidence) * np.where(np.isfinite(error), error, np.inf)
    with np.errstate(invalid="ignore"):
        return Estimate(value, error, value - reach, value + reach, size, "normal")
