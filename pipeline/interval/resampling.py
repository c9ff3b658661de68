"""What the bootstrap intervals share: their options, and the resampling of many batches at once by matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batches
from ..sampling.streams import RESAMPLES, generator
from .base import Interval

Floats = NDArray[np.float64]

# Resampled estimates in a block of batches: 8 MB an array.
_BLOCK = 1_000_000
# Entries in a block of counts, small enough for a core's cache while n is small; and the fewest resamples in a block,
# because a matrix product with few rows is slow.
_COUNTS, _FEWEST = 32_768, 64


@dataclass
class Bootstrap(Interval):
    """An interval made from resamples of the batch's own units.

    Attributes
    ----------
    resamples : int
        How many, at least 99.
    seed : int
        Of the resamples, at least 0; the draws have a seed of their own.
    """

    resamples: int = 999
    seed: int = 0

    needs_values: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.resamples < 99:
            raise BadInput(
                f"interval.loss.resamples must be at least 99; found {self.resamples}: 999 or more are usual"
            )
        if self.seed < 0:
            raise BadInput(f"interval.loss.seed must be at least 0; found {self.seed}: 0 is the default")


def resampled(
    batches: Batches, deviations: Floats, *, resamples: int, seed: int, with_variance: bool = False
) -> Iterator[tuple[slice, Floats, Floats]]:
    """Resample batches with replacement, each stratum by itself, and yield the resampled estimates.

    How often each position of a batch is drawn depends on the seed, the resample and the (stratum's) n alone, and is
    the same for all batches. So all resamples of all batches are matrix products. The interval of each batch is a
    bootstrap interval in its own right; only the Monte Carlo noise is common to all.

    Parameters
    ----------
    batches : Batches
        m batches of n units.
    deviations : ndarray of float64, shape (m, n)
        From `contributions`.
    resamples, seed : int
        The number of resamples, and the seed of stream RESAMPLES.
    with_variance : bool
        Whether to yield the estimated variance of each resample too.

    Yields
    ------
    block : slice
        The k batches that are yielded.
    shifts : ndarray of float64, shape (k, resamples)
        The estimates of the resamples minus the batch's own.
    variances : ndarray of float64, shape (k, resamples)
        The variance of the estimate, estimated from each resample (divisor n - 1); empty without `with_variance`.
    """
    m = len(deviations)
    parts = _positions(batches)
    at_once = max(1, _BLOCK // resamples)
    for start in range(0, m, at_once):
        block = slice(start, min(start + at_once, m))
        u = deviations[block]
        squares = u * u if with_variance else u
        shifts = np.zeros((len(u), resamples))
        variances = np.zeros_like(shifts) if with_variance else np.empty((0, 0))
        for stratum, positions in enumerate(parts):
            own, of_squares, n_own = u[:, positions], squares[:, positions], positions.stop - positions.start
            for which, counts in _counts(n_own, resamples, generator(RESAMPLES, seed, n=n_own, stratum=stratum)):
                sums = own @ counts.T
                shifts[:, which] += sums
                if with_variance and n_own > 1:
                    spread = of_squares @ counts.T - sums * sums / n_own
                    variances[:, which] += spread * (n_own / (n_own - 1))
        yield block, shifts, variances


def contributions(batches: Batches) -> Floats:
    """Return the contribution of each unit's deviation from its (stratum's) mean to the estimate, shape (m, n).

    With a finite-population correction the contributions of a stratum are multiplied by √(1 - f), f its sampling
    fraction, so that their resampled sums have the variance of the estimate  [Rao & Wu 1988, JASA 83, 231-241]. They
    are 0 in a batch whose error variance is not finite.

    Raises
    ------
    BadInput
        If the batches have no values.
    """
    if batches.values is None:
        raise BadInput("a bootstrap interval must have the units' values; found none: ask for batches with values")
    is_known = np.isfinite(batches.error_variance)[:, None]
    values = np.where(is_known, batches.values, 0.0)
    found = np.empty_like(values)
    shares, left = _shares_and_undrawn(batches)
    for positions, share, rest in zip(_positions(batches), shares, left, strict=True):
        own = values[:, positions]
        found[:, positions] = (own - own.mean(axis=1, keepdims=True)) * (share / own.shape[1] * np.sqrt(rest))
    # Rounding leaves deviations of about 1e-17 between equal values; they are set to 0.
    smallest = 1e-14 / batches.n * np.abs(values).max(axis=1, keepdims=True)
    found[np.abs(found) <= smallest] = 0.0
    return found


def resampled_error(batches: Batches, deviations: Floats) -> Floats:
    """Return the standard error of each batch, shape (m,); ``nan`` where resampling cannot reproduce it.

    That is so where the values within each stratum are equal, but the superpopulation's error has a part between the
    strata.
    """
    is_rounding = batches.error_variance <= 1e-28 * batches.mean**2
    error = np.where(is_rounding, 0.0, np.sqrt(batches.error_variance))
    return np.where(deviations.any(axis=1) | is_rounding, error, np.nan)


def _positions(batches: Batches) -> list[slice]:
    """The positions of each stratum's units in a batch."""
    if batches.strata is None:
        return [slice(0, batches.n)]
    return [slice(start, stop) for start, stop in pairwise([0, *np.cumsum(batches.strata.drawn).tolist()])]


def _shares_and_undrawn(batches: Batches) -> tuple[Floats, Floats]:
    """Each stratum's share of the population, and 1 minus its sampling fraction (1 without a correction)."""
    strata, size = batches.strata, batches.population_size
    if strata is None:
        return np.ones(1), np.array([1.0 if size is None else 1 - batches.n / size])
    return strata.shares, np.ones(len(strata.drawn)) if size is None else 1 - strata.drawn / strata.sizes


def _counts(n: int, resamples: int, rng: np.random.Generator) -> Iterator[tuple[slice, Floats]]:
    """Yield how often each of n positions is drawn in n draws, a block of k resamples at a time, shape (k, n)."""
    at_once = max(_FEWEST, _COUNTS // n)
    for start in range(0, resamples, at_once):
        k = min(at_once, resamples - start)
        drawn = rng.integers(0, n, (k, n))
        drawn += np.arange(0, k * n, n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=k * n).astype(np.float64)
        yield slice(start, start + k), counts.reshape(k, n)
