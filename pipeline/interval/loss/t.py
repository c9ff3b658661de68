"""Student's t interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.interval.base import Interval, standard_error
from pipeline.records import Estimate, Moments


@dataclass
class T(Interval):
    """Mean ± t · s/√n with n - 1 degrees of freedom  [Student 1908; Cochran 1977, eq. 2.17 with the correction].

    Assumes that the mean of n losses is near to normal, which the long tail of cross-entropy delays to n of some
    hundreds. One row, or a batch with an infinite loss, says nothing of the spread: the interval is all numbers.
    A batch whose losses are all equal has an interval of no width; so has the whole population.
    """

    name: str = "t"

    def estimate(self, moments: Moments, confidence: float) -> Estimate:
        """Put a t interval around the mean of each batch."""
        error = standard_error(moments)
        reach = special.stdtrit(moments.n - 1, (1 + confidence) / 2) * error if moments.n > 1 else error
        is_known = np.isfinite(reach) & np.isfinite(moments.mean)
        with np.errstate(invalid="ignore"):
            low = np.where(is_known, moments.mean - reach, -np.inf)
            high = np.where(is_known, moments.mean + reach, np.inf)
        corrected = "" if moments.population_size is None else ", finite-population correction"
        return Estimate(moments.mean, error, low, high, moments.n, f"Student's t, {confidence:.4g}{corrected}")
