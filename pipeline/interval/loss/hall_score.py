"""The loss's default: Hall's lower end and the score interval's upper end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...records.batches import Batches, Estimate
from ..base import around, standard_error
from .hall import Hall
from .score import Score
from .t import t_quantile


@dataclass
class HallScore(Score):
    """Hall's lower end, at 0 at least, and the higher of the score interval's and Student's upper ends.

    The few large losses that make up a mean are missing from most small batches, so an interval misses upwards. The
    score interval (``interval/loss=score``) allows for them. Downwards the batch itself is enough: Hall's lower end
    misses about as often as it may, and is nearer to the mean. Student's upper end matters for losses that are nearly
    equal or symmetric, whose variance does not go with their mean as that of skewed ones does.

    What it holds on populations from calibrated to mislabelled says ``make run ARGS="+experiment=battery"``.

    For one row, or a batch with an infinite loss, the interval is all numbers. For a batch of losses that are equal and
    not 0, and for the whole population, it has no width.
    """

    name: str = "hall_score"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the interval around the estimate of each batch."""
        hall = Hall().estimate(batches, confidence)
        _, high = self.ends(batches, confidence)
        above = np.maximum(high - batches.mean, t_quantile(batches, confidence) * standard_error(batches))
        with np.errstate(invalid="ignore"):
            # No loss is below 0, so neither is their mean.
            below = np.clip(batches.mean - hall.low, 0.0, np.maximum(batches.mean, 0.0))
        return around(batches, below, above, "score above, Hall below", confidence=confidence)
