"""Hall's interval: Student's t with a correction for skewness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...records.batches import Batches, Estimate
from ..base import Interval, around, standard_error
from .t import t_quantile


@dataclass
class Hall(Interval):
    """The t interval after a cubic transformation that removes the skewness  [Hall 1992, JRSS B 54, 221-228].

    With k the skewness of the estimate (for n losses, their skewness divided by √n), T + kT²/3 + k²T³/27 + k/6 is
    nearer to Student's t than T = (mean - μ)/SE is. This cubic has one root, so the ends are mean - SE · T(±t) with
    T(q) = 3/k · ((1 + k (q - k/6))^⅓ - 1). Cross-entropy is skewed to the right, so the interval reaches further up.

    k is estimated from the batch, as the third moment divided by the cubed standard error, and shrunk to k/√(1 + k²/4):
    near 1, its largest value, it only shows that one row dominates. The shrinkage, and the t quantile in place of the
    normal one, are our own choice by simulation: the coverage is 91 % instead of 90 % at n = 30 on a published
    network's losses on MNIST, and the interval is no wider at n = 100.

    For one row, or a batch with an infinite loss, the interval is all numbers. For a batch of equal losses, and for the
    whole population, it has no width.
    """

    name: str = "hall"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Hall's interval around the estimate of each batch."""
        error, k = standard_error(batches), skewness(batches)
        k = k / np.sqrt(1 + k * k / 4)
        q = t_quantile(batches, confidence)
        return around(
            batches,
            error * untransformed(k, q),
            -error * untransformed(k, -q),
            "Hall, skewness-corrected",
            confidence=confidence,
        )


def skewness(batches: Batches) -> NDArray[np.float64]:
    """Return the estimated skewness of each estimate, shape (m,); 0 where its error is 0, ``nan`` where not known."""
    cubed = batches.error_variance * np.sqrt(batches.error_variance)
    # Rounding leaves a standard error of about 1e-17 between equal losses, whose skewness has no meaning.
    varies = cubed > np.abs(batches.mean) ** 3 * 1e-45
    return np.where(varies, batches.error_third / np.where(varies, cubed, 1), np.where(np.isnan(cubed), np.nan, 0.0))


def untransformed(k: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T(q), the inverse of the cubic transformation; its limit for k → 0 is q."""
    small = np.abs(k) < 1e-7
    safe = np.where(small, 1.0, k)
    return np.where(small, q, 3 / safe * (np.cbrt(1 + safe * (q - safe / 6)) - 1))


def transformed(k: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T + kT²/3 + k²T³/27 + k/6, the cubic transformation of (mean - μ)/SE, which rises with it."""
    return np.asarray(t + k * t**2 / 3 + k**2 * t**3 / 27 + k / 6)
