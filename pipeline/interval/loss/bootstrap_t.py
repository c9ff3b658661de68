"""The bootstrap-t interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.interval.base import Interval, around
from pipeline.interval.resampling import contributions, refuse_few, resampled, shown_error
from pipeline.records import Batches, Estimate


@dataclass
class BootstrapT(Interval):
    """Student's t with the quantiles that the batch itself shows  [Efron & Tibshirani 1993, ch. 12.5].

    Each resample gives T* = (mean* - mean)/SE*; the ends are mean - T*(1 - α/2) · SE and mean - T*(α/2) · SE, T*(p) the
    (resamples + 1) p-th smallest, rounded outward; above 1 - 2/(resamples + 1) confidence the ends are the extremes.
    Units are resampled within their strata. SE is the design's, with the finite-population correction and with what a
    superpopulation adds; the studentized distribution needs neither. All batches share the resamples (`resampled`).

    A resample whose values are all equal has SE* = 0 and T* = ±∞, by the sign of mean* - mean (0 if they are equal).
    Where these are more than α/2 on a side, that end is not known and the interval is all numbers: at 95 % up to n = 3.
    So it is for one row, and for a batch with an infinite loss. A batch whose losses are all equal has an interval of
    no width; so has the whole population. The interval always holds the mean.

    Attributes
    ----------
    resamples : int
        At least 99.
    seed : int
        Of the resamples; not that of the draws.
    """

    name: str = "bootstrap_t"
    resamples: int = 999
    seed: int = 0

    needs_values: ClassVar[bool] = True

    def __post_init__(self) -> None:
        refuse_few(self.resamples, self.seed)

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a bootstrap-t interval around the estimate of each batch."""
        u = contributions(batches)
        error = shown_error(batches, u)
        rank = _rank(self.resamples, confidence)
        low, high = np.empty(len(u)), np.empty(len(u))
        for block, shifts, variances in resampled(
            batches, u, resamples=self.resamples, seed=self.seed, with_variance=True
        ):
            t = _studentized(shifts, variances, (u[block] ** 2).sum(axis=1))
            t.partition([rank - 1, self.resamples - rank], axis=1)
            low[block], high[block] = t[:, rank - 1], t[:, self.resamples - rank]
        # Of no error, an infinite T* leaves none.
        varies = error > 0
        below = np.where(varies, error * np.where(varies, np.maximum(high, 0.0), 0.0), error)
        above = np.where(varies, error * np.where(varies, np.maximum(-low, 0.0), 0.0), error)
        return around(batches, below, above, f"bootstrap-t, {self.resamples} resamples", confidence=confidence)


def _rank(resamples: int, confidence: float) -> int:
    """Which of the smallest is the α/2 quantile, from 1."""
    # 1000 · 0.025 is 25.000000000000004 or 24.999999999999996, as it happens.
    return max(1, int((resamples + 1) * (1 - confidence) / 2 + 1e-9))


def _studentized(
    shifts: NDArray[np.float64], variances: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """T* of resamples, shape (k, resamples); `scale` is the batch's own plug-in variance, shape (k,)."""
    # Rounding leaves some 1e-16 of the squares of equal values.
    is_equal = variances <= 1e-12 * scale[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        t = shifts / np.sqrt(variances)
    of = np.nonzero(is_equal)
    found = shifts[of]
    t[of] = np.where(np.abs(found) > 1e-9 * np.sqrt(scale[of[0]]), np.copysign(np.inf, found), 0.0)
    return t
