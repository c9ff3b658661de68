"""Student's t interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ...records.batches import Batches, Estimate
from ..base import Interval, around, standard_error


@dataclass
class T(Interval):
    """Mean ± t · SE with the design's degrees of freedom  [Student 1908; Cochran 1977, eqs. 2.17 and 5.16].

    It assumes that the mean of n losses is nearly normal, which because of the long tail of cross-entropy takes an n of
    some hundreds. For one row, or a batch with an infinite loss, the standard error is not known and the interval is
    all numbers. For a batch of equal losses, and for the whole population, it has no width.
    """

    name: str = "t"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a t interval around the estimate of each batch."""
        # Not scipy.stats.ttest_1samp(…).confidence_interval: it knows no design, and takes 15 ms for 2,000 batches of
        # 100 values where this takes 0.06 ms, or 2 ms with the moments.
        reach = standard_error(batches) * t_quantile(batches, confidence)
        return around(batches, reach, reach, "Student's t", confidence=confidence)


def t_quantile(batches: Batches, confidence: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the t quantile of each batch, shape (m,); 1 without degrees of freedom, where the error is nan or 0."""
    degrees = np.maximum(batches.degrees, 0.0)
    if len(degrees) and (degrees == degrees[0]).all():
        found = scipy.special.stdtrit(degrees[0], (1 + confidence) / 2) if degrees[0] > 0 else 1.0
        return np.full(len(degrees), found)
    return np.where(degrees > 0, scipy.special.stdtrit(np.maximum(degrees, 1e-9), (1 + confidence) / 2), 1.0)
