"""Student's t interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.interval.base import Interval, around, standard_error
from pipeline.records import Batches, Estimate


@dataclass
class T(Interval):
    """Mean ± t · SE with the design's degrees of freedom  [Student 1908; Cochran 1977, eqs. 2.17 and 5.16].

    Assumes that the mean of n losses is near to normal, which the long tail of cross-entropy delays to n of some
    hundreds. One row, or a batch with an infinite loss, says nothing of the spread: the interval is all numbers.
    A batch whose losses are all equal has an interval of no width; so has the whole population.
    """

    name: str = "t"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a t interval around the estimate of each batch."""
        error = standard_error(batches)
        reach = error * t_quantile(batches, confidence)
        return around(batches, reach, reach, "Student's t", confidence=confidence)


def t_quantile(batches: Batches, confidence: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the t quantile of each batch; 1 where there are no degrees of freedom, for the error is nan or 0 there."""
    degrees = np.maximum(batches.degrees, 0.0)
    if len(degrees) and (degrees == degrees[0]).all():
        found = special.stdtrit(degrees[0], (1 + confidence) / 2) if degrees[0] > 0 else 1.0
        return np.full(len(degrees), found)
    return np.where(degrees > 0, special.stdtrit(np.maximum(degrees, 1e-9), (1 + confidence) / 2), 1.0)
