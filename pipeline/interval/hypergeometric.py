"""Tails of the hypergeometric distribution, many at once."""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

# Terms that are added up, in standard deviations and beside them: what is left out is below 1e-12 of the tail.
_DEVIATIONS, _MORE = 9.0, 60


def at_least(k: ArrayLike, right: ArrayLike, n: int, size: int) -> Floats:
    """Return P(X ≥ k) of the right rows X among n that are drawn without replacement from N, shape of k.

    The terms follow from one another by their ratios. `scipy.stats.hypergeom.sf` adds them up one count after the
    other, and takes ten times as long for a hundred counts.

    Parameters
    ----------
    k : array_like of int
        Counts; any whole numbers.
    right : array_like of int
        The right rows among the N, as many as there are counts.
    n, size : int
        The rows drawn, and N.
    """
    k, right = (np.asarray(x, dtype=np.float64) for x in np.broadcast_arrays(k, right))
    least, most = np.maximum(0.0, n - (size - right)), np.minimum(float(n), right)
    is_above = k > n * right / size
    # From the count away from the mean, where terms only fall.
    x = np.clip(np.where(is_above, k, k - 1), least, most)
    spread = np.sqrt(n * right / size * (1 - right / size))
    steps = np.arange(int(_DEVIATIONS * spread.max(initial=0.0)) + _MORE)
    # Below the mean the wrong rows take the place of the right ones, so that the terms go up there too.
    at, wanted = np.where(is_above, x, n - x)[:, None] + steps, np.where(is_above, right, size - right)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (wanted - at) * (n - at) / ((at + 1) * (size - wanted - n + at + 1))
    ratios = np.where((at < wanted) & (at < n), ratios, 0.0)
    tail = np.exp(_log_chance(x, right, n, size)) * (1 + np.cumprod(ratios, axis=1).sum(axis=1))
    found = np.minimum(np.where(is_above, tail, 1 - tail), 1.0)
    return np.asarray(np.where(k <= least, 1.0, np.where(k > most, 0.0, found)))


def at_most(k: ArrayLike, right: ArrayLike, n: int, size: int) -> Floats:
    """Return P(X ≤ k), as `at_least`: the wrong rows are at least n - k."""
    k, right = np.broadcast_arrays(k, right)
    return at_least(n - np.asarray(k), size - np.asarray(right), n, size)


def _log_chance(x: Floats, right: Floats, n: int, size: int) -> Floats:
    def log_choose(a: Floats | float, b: Floats | float) -> Floats:
        log_factorial = scipy.special.gammaln
        return np.asarray(log_factorial(a + 1.0) - log_factorial(b + 1.0) - log_factorial(a - b + 1.0))

    return log_choose(right, x) + log_choose(size - right, n - x) - log_choose(float(size), float(n))
