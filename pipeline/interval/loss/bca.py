"""The bias-corrected and accelerated bootstrap interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ...records.batches import Batches, Estimate
from ..base import around
from ..resampling import Bootstrap, contributions, resampled, resampled_error


@dataclass
class Bca(Bootstrap):
    """Percentiles of the resampled means, shifted for bias and skewness  [Efron 1987, JASA 82, 171-185, eq. 2.3].

    The acceleration of a mean has the closed form Σd³/(6 (Σd²)^1.5), d the deviations from it. The interval differs
    from SciPy's ``bootstrap(method="BCa")`` in two ways. First, the resampled deviations are scaled so that their
    variance is the design's error variance: by √(n/(n - 1)) in a simple sample, which corrects the narrowness of the
    bootstrap  [Hesterberg 2015, The American Statistician 69, 371-386, §3.2], times √(1 - n/N) in a finite population
    [Rao & Wu 1988], and by √(1 + n/N) if rows were drawn with replacement and the target is the superpopulation.
    Second, all batches share the resamples (`resampled`), and units are resampled within their strata.

    For one row, or a batch with an infinite loss, the interval is all numbers. For a batch of equal losses, and for the
    whole population, it has no width. It always holds the mean.

    Attributes
    ----------
    resamples : int
        How many, at least 99.
    seed : int
        Of the resamples, at least 0; the draws have a seed of their own.
    """

    name: str = "bca"
    resamples: int = 1999

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put a BCa interval around the estimate of each batch."""
        u = contributions(batches)
        plug_in = (u * u).sum(axis=1)
        safe = np.where(plug_in > 0, plug_in, 1.0)
        acceleration = (u * u * u).sum(axis=1) / (6 * safe * np.sqrt(safe))
        low, high = np.empty(len(u)), np.empty(len(u))
        for block, shifts, _ in resampled(batches, u, resamples=self.resamples, seed=self.seed):
            ends = _levels(shifts, acceleration[block], np.sqrt(plug_in[block]), confidence)
            shifts.sort(axis=1)
            low[block], high[block] = (_quantiles(shifts, level) for level in ends)
        stretch = resampled_error(batches, u) / np.sqrt(safe)
        below, above = stretch * np.maximum(-low, 0.0), stretch * np.maximum(high, 0.0)
        return around(batches, below, above, f"BCa, {self.resamples} resamples", confidence=confidence)


def _levels(
    shifts: NDArray[np.float64], acceleration: NDArray[np.float64], scale: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The levels of the percentiles that are the ends, in [0, 1], shapes (k,)."""
    # A resample whose mean equals the batch's own differs from it by rounding, so ties are counted with a tolerance.
    tie = 1e-12 * scale[:, None]
    halves = np.count_nonzero(shifts < -tie, axis=1) + np.count_nonzero(shifts <= tie, axis=1)
    z0 = scipy.special.ndtri(halves / (2 * shifts.shape[1]))

    def level(z: float) -> NDArray[np.float64]:
        moved = z0 + z
        # |acceleration| is at most 1/6, so the divisor is positive at any confidence below 1 - 1e-8.
        return np.asarray(scipy.special.ndtr(z0 + moved / np.maximum(1 - acceleration * moved, 1e-9)))

    z = float(scipy.special.ndtri((1 + confidence) / 2))
    return level(-z), level(z)


def _quantiles(ordered: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """A quantile of each row of sorted values, interpolated linearly, shape (k,)."""
    at = levels * (ordered.shape[1] - 1)
    under = np.minimum(at.astype(np.intp), ordered.shape[1] - 2)
    rows = np.arange(len(ordered))
    lower, upper = ordered[rows, under], ordered[rows, under + 1]
    return np.asarray(lower + (at - under) * (upper - lower))
