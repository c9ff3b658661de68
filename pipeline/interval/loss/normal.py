"""The normal interval, for comparison."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import special

from pipeline.interval.base import Interval, around, standard_error
from pipeline.records import Batches, Estimate


@dataclass
class Normal(Interval):
    """Mean ± z · SE: the ±1.96 standard errors that most tools print; for comparison, not for use.

    Takes the mean for normal and its estimated standard error for exact. Neither holds at small n, least of all for
    cross-entropy, whose few large losses are missing from most small batches: the interval is then too narrow and
    too low. One row, or a batch with an infinite loss, gives an interval of all numbers. A batch whose losses are all
    equal has an interval of no width; so has the whole population.
    """

    name: str = "normal"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a normal interval around the estimate of each batch."""
        reach = standard_error(batches) * special.ndtri((1 + confidence) / 2)
        return around(batches, reach, reach, "normal", confidence=confidence)
