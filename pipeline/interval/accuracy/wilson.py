"""Wilson's score interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from pipeline.interval.base import Interval, standard_error
from pipeline.records import Estimate, Moments


@dataclass
class Wilson(Interval):
    """The proportions p that a score test at the batch's share does not reject  [Wilson 1927; Newcombe 1998, method 3].

    Solves (p̂ - p)² = z² p(1 - p)/n for p, so it stays within 0 … 1 and has a width at p̂ = 0 and 1 and at n = 1.
    Without replacement from N the variance is p(1 - p)/n · (N - n)/(N - 1), which is Wilson's interval at
    n (N - 1)/(N - n) rows; at n = N it has no width.
    """

    name: str = "wilson"

    def estimate(self, moments: Moments, confidence: float) -> Estimate:
        """Put Wilson's interval around the share of each batch."""
        share, size = moments.mean, moments.population_size
        corrected = "" if size is None else ", finite-population correction"
        method = f"Wilson, {confidence:.4g}{corrected}"
        if size == moments.n:
            return Estimate(share, np.zeros_like(share), share, share, moments.n, method)
        n = moments.n if size is None else moments.n * (size - 1) / (size - moments.n)
        z = special.ndtri((1 + confidence) / 2)
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
        # At the ends the two terms cancel exactly on paper, not in floating point.
        low = np.where(share <= 0, 0.0, np.maximum(centre - reach, 0.0))
        high = np.where(share >= 1, 1.0, np.minimum(centre + reach, 1.0))
        return Estimate(share, standard_error(moments), low, high, moments.n, method)
