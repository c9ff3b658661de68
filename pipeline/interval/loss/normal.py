"""The normal interval, for comparison."""

from __future__ import annotations

from dataclasses import dataclass

import scipy

from ...records.batches import Batches, Estimate
from ..base import Interval, around, standard_error


@dataclass
class Normal(Interval):
    """Mean ± z · SE: the ±1.96 standard errors that most tools print; for comparison, not for use.

    It assumes that the mean is normal and that its estimated standard error is exact. Neither is true at small n, least
    of all for cross-entropy, whose few large losses are missing from most small batches: the interval is then too
    narrow and too low. For one row, or a batch with an infinite loss, it is all numbers. For a batch of equal losses,
    and for the whole population, it has no width.
    """

    name: str = "normal"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a normal interval around the estimate of each batch."""
        reach = standard_error(batches) * scipy.special.ndtri((1 + confidence) / 2)
        return around(batches, reach, reach, "normal", confidence=confidence)
