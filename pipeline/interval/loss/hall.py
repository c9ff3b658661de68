"""Hall's interval: Student's t with the skewness taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.interval.base import Interval, around, standard_error
from pipeline.interval.loss.t import t_quantile
from pipeline.records import Batches, Estimate


@dataclass
class Hall(Interval):
    """The t interval after the cubic transformation that takes the skewness out  [Hall 1992, JRSS B 54, 221-228].

    With k the skewness of the estimate (of n losses, their skewness over √n), T + kT²/3 + k²T³/27 + k/6 is nearer to
    Student's t than T = (mean - μ)/SE is. It is a cube that has one root, so the interval's ends are mean - SE · T(±t),
    T(q) = 3/k · ((1 + k (q - k/6))^⅓ - 1). Cross-entropy is skewed to the right, so the interval reaches further up.

    k is the batch's own, by third moment over cubed standard error, pulled in to k/√(1 + k²/4): near 1, the largest it
    can be, it says no more than that one row dominates. That and the t quantile in place of the normal one are ours, by
    simulation: 91 % instead of 90 % held at n = 30 on a published network's losses on MNIST, and no wider at n = 100.

    One row, or a batch with an infinite loss, gives an interval of all numbers. A batch whose losses are all equal has
    an interval of no width; so has the whole population.
    """

    name: str = "hall"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Hall's interval around the estimate of each batch."""
        error, k = standard_error(batches), skewness(batches)
        k = k / np.sqrt(1 + k * k / 4)
        q = t_quantile(batches, confidence)
        return around(
            batches, error * _back(k, q), -error * _back(k, -q), "Hall, skewness-corrected", confidence=confidence
        )


def skewness(batches: Batches) -> NDArray[np.float64]:
    """Return the estimated skewness of each estimate; 0 where its error is 0, ``nan`` where it is not known."""
    cubed = batches.error_variance * np.sqrt(batches.error_variance)
    # Of equal losses, rounding leaves a spread of some 1e-17, which has no skewness to speak of.
    varies = cubed > np.abs(batches.mean) ** 3 * 1e-45
    return np.where(varies, batches.error_third / np.where(varies, cubed, 1), np.where(np.isnan(cubed), np.nan, 0.0))


def _back(k: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T(q), whose limit for k = 0 is q."""
    small = np.abs(k) < 1e-7
    safe = np.where(small, 1.0, k)
    return np.where(small, q, 3 / safe * (np.cbrt(1 + safe * (q - safe / 6)) - 1))
