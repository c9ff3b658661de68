"""Wilson's score interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy

from ...records.batches import Batches, Estimate
from ..base import Interval, described, standard_error


@dataclass
class Wilson(Interval):
    """The proportions p that a score test at the batch's share does not reject  [Wilson 1927; Newcombe 1998, method 3].

    It solves (p̂ - p)² = z² p(1 - p)/n for p, so it stays within [0, 1] and has a width at p̂ = 0 and 1 and at n = 1.
    Without replacement from N the variance is p(1 - p)/n · (N - n)/(N - 1), which gives Wilson's interval for
    n (N - 1)/(N - n) rows; at n = N it has no width. Under strata, unequal chances, groups or weights, n is the
    effective sample size: n divided by the design effect  [Korn & Graubard 1998].
    """

    name: str = "wilson"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Wilson's interval around the share of each batch."""
        share, n = np.clip(batches.mean, 0.0, 1.0), batches.effective
        z = scipy.special.ndtri((1 + confidence) / 2)
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        # At p̂ = 0 and 1 the two terms are equal, but for rounding.
        low = np.where(share <= 0, 0.0, np.maximum(centre - reach, 0.0))
        high = np.where(share >= 1, 1.0, np.minimum(centre + reach, 1.0))
        is_all = np.isinf(n)
        low, high = np.where(is_all, share, low), np.where(is_all, share, high)
        return Estimate(
            batches.mean, standard_error(batches), low, high, batches.n, described("Wilson", batches, confidence)
        )
