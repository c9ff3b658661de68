"""What the bootstrap intervals share: many batches resampled at once, by matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Batches

Floats = NDArray[np.float64]

# Resampled estimates of a block of batches: 8 MB an array.
_BLOCK = 1_000_000
# Entries of a block of counts, which stay in a core's cache while n is small; and its fewest resamples, for a matrix
# product of few rows is slow.
_COUNTS, _FEWEST = 32_768, 64


def resampled(
    batches: Batches, deviations: Floats, *, resamples: int, seed: int, with_variance: bool = False
) -> Iterator[tuple[slice, Floats, Floats]]:
    """Resample batches with replacement, each stratum by itself, and give what becomes of their estimates.

    How often each place of a batch is drawn depends on the seed, the resample and the (stratum's) n alone, and is the
    same for all batches, whatever their number. So all resamples of all batches are matrix products, and each batch's
    interval is a bootstrap interval in its own right; only the Monte Carlo noise is common to them.

    Parameters
    ----------
    batches : Batches
        m batches of n units.
    deviations : ndarray of float64, shape (m, n)
        What `contributions` gives.
    resamples, seed : int
        How many, and of what stream.
    with_variance : bool
        Whether the resamples' own estimated variances are asked for.

    Yields
    ------
    block : slice
        Which of the m batches.
    shifts : ndarray of float64, shape (k, resamples)
        The resamples' estimates less the batch's own.
    variances : ndarray of float64, shape (k, resamples)
        The resamples' estimated variances of the estimate, divisor n - 1; empty if not asked for.
    """
    m = len(deviations)
    parts = _places(batches)
    at_once = max(1, _BLOCK // resamples)
    for start in range(0, m, at_once):
        block = slice(start, min(start + at_once, m))
        u = deviations[block]
        squares = u * u if with_variance else u
        shifts = np.zeros((len(u), resamples))
        variances = np.zeros_like(shifts) if with_variance else np.empty((0, 0))
        for stratum, places in enumerate(parts):
            own, of_squares, n_own = u[:, places], squares[:, places], places.stop - places.start
            for which, counts in _counts(n_own, resamples, (seed, n_own, stratum)):
                sums = own @ counts.T
                shifts[:, which] += sums
                if with_variance and n_own > 1:
                    spread = of_squares @ counts.T - sums * sums / n_own
                    variances[:, which] += spread * (n_own / (n_own - 1))
        yield block, shifts, variances


def contributions(batches: Batches) -> Floats:
    """Return what each unit's deviation from its (stratum's) mean adds to the estimate, shape (m, n).

    Where a finite population is estimated, a stratum's are times √(1 - f), f the share of it that was drawn, so that
    the spread of their resampled sums is the estimate's  [Rao & Wu 1988, JASA 83, 231-241]. 0 in a batch whose error
    is not known.
    """
    if batches.values is None:
        raise BadInput("a bootstrap interval must have the units' values; found none: ask for batches with values")
    is_known = np.isfinite(batches.error_variance)[:, None]
    values = np.where(is_known, batches.values, 0.0)
    found = np.empty_like(values)
    shares, left = _shares_and_left(batches)
    for places, share, rest in zip(_places(batches), shares, left, strict=True):
        own = values[:, places]
        found[:, places] = (own - own.mean(axis=1, keepdims=True)) * (share / own.shape[1] * np.sqrt(rest))
    # Of equal values, rounding leaves deviations of some 1e-17, which are none.
    smallest = 1e-14 / batches.n * np.abs(values).max(axis=1, keepdims=True)
    found[np.abs(found) <= smallest] = 0.0
    return found


def shown_error(batches: Batches, deviations: Floats) -> Floats:
    """Return the standard errors where resampling can show their size, else ``nan``, shape (m,).

    It cannot where each stratum's values are all equal but a superpopulation's error comes from between the strata.
    """
    is_rounding = batches.error_variance <= 1e-28 * batches.mean**2
    error = np.where(is_rounding, 0.0, np.sqrt(batches.error_variance))
    return np.where(deviations.any(axis=1) | is_rounding, error, np.nan)


def refuse_few(resamples: int, seed: int) -> None:
    """Refuse too few resamples for an interval, or a seed that is none.

    Raises
    ------
    BadInput
        If it is so.
    """
    if resamples < 99:
        raise BadInput(f"interval.loss.resamples must be at least 99; found {resamples}: 999 or more are usual")
    if seed < 0:
        raise BadInput(f"interval.loss.seed must be at least 0; found {seed}: 0 is the default")


def _places(batches: Batches) -> list[slice]:
    """Where each stratum's units stand in a batch."""
    if batches.strata is None:
        return [slice(0, batches.n)]
    return [slice(start, stop) for start, stop in pairwise([0, *np.cumsum(batches.strata.drawn).tolist()])]


def _shares_and_left(batches: Batches) -> tuple[Floats, Floats]:
    """Each stratum's share of the population, and the share of it that was not drawn (1 without a correction)."""
    strata, size = batches.strata, batches.population_size
    if strata is None:
        return np.ones(1), np.array([1.0 if size is None else 1 - batches.n / size])
    return strata.shares, np.ones(len(strata.drawn)) if size is None else 1 - strata.drawn / strata.sizes


def _counts(n: int, resamples: int, key: tuple[int, ...]) -> Iterator[tuple[slice, Floats]]:
    """How often each of n places is drawn in n draws, block by block of resamples, shape (k, n)."""
    rng = np.random.default_rng(key)
    at_once = max(_FEWEST, _COUNTS // n)
    for start in range(0, resamples, at_once):
        k = min(at_once, resamples - start)
        drawn = rng.integers(0, n, (k, n))
        drawn += np.arange(0, k * n, n)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=k * n).astype(np.float64)
        yield slice(start, start + k), counts.reshape(k, n)
