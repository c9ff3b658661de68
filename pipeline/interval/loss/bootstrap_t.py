"""The bootstrap-t interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...records.batches import Batches, Estimate
from ..base import around
from ..resampling import Bootstrap, contributions, resampled, resampled_error


@dataclass
class BootstrapT(Bootstrap):
    """Student's t with quantiles estimated from the batch itself  [Efron & Tibshirani 1993, ch. 12.5].

    Each resample gives T* = (mean* - mean)/SE*; the ends are mean - T*(1 - α/2) · SE and mean - T*(α/2) · SE, T*(p) the
    (resamples + 1) p-th smallest, rounded outward. Above a confidence of 1 - 2/(resamples + 1) the extremes are used.
    Units are resampled within their strata. SE is the design's, with the finite-population correction and the part that
    a superpopulation adds; the studentized distribution needs neither. All batches share the resamples (`resampled`).

    A resample of equal values has SE* = 0 and T* = ±∞, by the sign of mean* - mean (T* = 0 if they are equal). If more
    than α/2 of the resamples are so on one side, that end is not known and the interval is all numbers: at 95 % up to
    n = 3. So it is for one row, and for a batch with an infinite loss. For a batch of equal losses, and for the whole
    population, it has no width. It always holds the mean.

    Attributes
    ----------
    resamples : int
        How many, at least 99.
    seed : int
        Of the resamples, at least 0; the draws have a seed of their own.
    """

    name: str = "bootstrap_t"
    resamples: int = 999

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a bootstrap-t interval around the estimate of each batch."""
        u = contributions(batches)
        error = resampled_error(batches, u)
        rank = _rank(self.resamples, confidence)
        low, high = np.empty(len(u)), np.empty(len(u))
        for block, shifts, variances in resampled(
            batches, u, resamples=self.resamples, seed=self.seed, with_variance=True
        ):
            t = _studentized(shifts, variances, (u[block] ** 2).sum(axis=1))
            t.partition([rank - 1, self.resamples - rank], axis=1)
            low[block], high[block] = t[:, rank - 1], t[:, self.resamples - rank]
        # If the error is 0 the width is 0, also where T* is infinite.
        varies = error > 0
        below = np.where(varies, error * np.where(varies, np.maximum(high, 0.0), 0.0), error)
        above = np.where(varies, error * np.where(varies, np.maximum(-low, 0.0), 0.0), error)
        return around(batches, below, above, f"bootstrap-t, {self.resamples} resamples", confidence=confidence)


def _rank(resamples: int, confidence: float) -> int:
    """The rank of the α/2 quantile among the sorted resamples, from 1."""
    # The tolerance is for rounding: 1000 · 0.025 may come out as 24.999999999999996.
    return max(1, int((resamples + 1) * (1 - confidence) / 2 + 1e-9))


def _studentized(
    shifts: NDArray[np.float64], variances: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """T* of the resamples, shape (k, resamples); `scale` is the batch's own plug-in variance, shape (k,)."""
    # Rounding leaves a variance of about 1e-16 of the squares where values are equal.
    is_equal = variances <= 1e-12 * scale[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        t = shifts / np.sqrt(variances)
    of = np.nonzero(is_equal)
    found = shifts[of]
    t[of] = np.where(np.abs(found) > 1e-9 * np.sqrt(scale[of[0]]), np.copysign(np.inf, found), 0.0)
    return t
