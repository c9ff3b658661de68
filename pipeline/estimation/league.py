"""Many models on the same rows: all pairs at once, and what can be said of each model's rank."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..sampling.units import Units
from .clustered import clustered_mean

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_DRAWS, _AT_ONCE = 10_000, 500
# A difference or a variance below this share of the values' own is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class League:
    """K models by one metric.

    Attributes
    ----------
    values : ndarray of float64, shape (K,)
        The means.
    difference, low, high : ndarray of float64, shape (K, K)
        Of row and column: row's mean minus column's, and its interval, which all hold at once.
    p : ndarray of float64, shape (K, K)
        Two-sided, of no difference, adjusted for all pairs; 1 on the diagonal.
    place : ndarray of int, shape (K,)
        1 + the number of models with a better mean; models with the same mean have the same place.
    rank_low, rank_high : ndarray of int, shape (K,)
        1 + the number of models that are significantly better, and K - the number that are significantly worse.
    """

    values: Floats
    difference: Floats
    low: Floats
    high: Floats
    p: Floats
    place: Ints
    rank_low: Ints
    rank_high: Ints


def league_of(
    values: Floats, *, is_better_low: bool, confidence: float, units: Units | None = None, seed: int = 0
) -> League:
    """Compare all pairs of models on the same rows with simultaneous intervals, and say what ranks are possible.

    The critical value is the quantile of the largest ``|t|`` of all pairs under a multiplier bootstrap with normal
    weights (max-t): the K means given the rows are normal with the rows' own covariance, over a common χ² with n - 1
    degrees of freedom  [Chernozhukov, Chetverikov & Kato 2013, Annals of Statistics 41, 2786-2819; for equal variances
    and independent models it is Tukey's studentised range]. All pairs' intervals hold at once with `confidence`, and
    therefore so do all models' ranks  [Mogstad, Romano, Shaikh & Wilhelm 2024, Review of Economic Studies 91, 476-518].

    Parameters
    ----------
    values : ndarray of float64, shape (K, n)
        Of the same n rows under K models, finite; at least two rows.
    is_better_low : bool
        Whether a smaller mean is the better one.
    confidence : float
        In (0, 1).
    units : Units or None
        The groups of the rows, where rows belong together; they then count in place of rows.
    seed : int
        Of the 10,000 draws.
    """
    means, influence = _influence(values, units)
    n = influence.shape[1]
    covariance = influence @ influence.T / (n * (n - 1))
    own = np.diag(covariance)
    squared = own[:, None] + own[None, :] - 2 * covariance
    error = np.sqrt(np.where(squared > _ROUNDING * (own[:, None] + own[None, :]), squared, 0.0))
    difference = means[:, None] - means[None, :]
    scale = np.maximum(np.abs(means[:, None]), np.abs(means[None, :]))
    difference = np.where(np.abs(difference) > _ROUNDING * scale, difference, 0.0)
    largest = _largest(covariance, error, n - 1, np.random.default_rng(seed))
    reach = float(np.quantile(largest, confidence)) * error
    low, high = difference - reach, difference + reach
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, np.abs(difference) / error)
    beyond = len(largest) - np.searchsorted(np.sort(largest), t, side="left")
    sign = 1.0 if is_better_low else -1.0
    is_better = (high < 0) if is_better_low else (low > 0)
    return League(
        means,
        difference,
        low,
        high,
        (1 + beyond) / (1 + len(largest)),
        1 + (sign * difference > 0).sum(axis=1),
        1 + is_better.sum(axis=0),
        len(means) - is_better.sum(axis=1),
    )


def _influence(values: Floats, units: Units | None) -> tuple[Floats, Floats]:
    """Return the means, shape (K,), and what each row (or group) does to them, shape (K, n)."""
    if units is None or units.is_simple:
        means = values.mean(axis=1)
        return means, values - means[:, None]
    found = [clustered_mean(own, units) for own in values]
    return np.array([own.value for own in found]), np.array([own.influence for own in found])


def _largest(covariance: Floats, error: Floats, free: int, rng: np.random.Generator) -> Floats:
    """Return the largest |t| of all pairs in each draw, shape (draws,)."""
    roots, vectors = np.linalg.eigh(covariance)
    half = vectors * np.sqrt(np.maximum(roots, 0.0))
    first, second = np.triu_indices(len(covariance), 1)
    differs = error[first, second] > 0
    first, second = first[differs], second[differs]
    if not len(first):
        return np.full(_DRAWS, float(scipy.special.stdtrit(free, 0.975)))
    divided_by = error[first, second]
    found = []
    for start in range(0, _DRAWS, _AT_ONCE):
        size = min(_AT_ONCE, _DRAWS - start)
        drawn = rng.normal(size=(size, len(covariance))) @ half.T
        spread = np.sqrt(rng.chisquare(free, size) / free)
        found.append((np.abs(drawn[:, first] - drawn[:, second]) / divided_by).max(axis=1) / spread)
    return np.concatenate(found)
