"""How many units to draw from each stratum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.records import IntArray

# Of one unit drawn from several, no variance can be estimated.
LEAST = 2


def fewest(sizes: IntArray) -> IntArray:
    """Return the fewest units that each stratum needs, shape (H,): two, or its only one."""
    return np.minimum(sizes, LEAST)


def allocate(weights: NDArray[np.float64], sizes: IntArray, total: int) -> IntArray:
    """Share `total` units out in proportion to weights, with at least `fewest` and at most all of each stratum.

    What a stratum has too few units for goes to the others in proportion to theirs; so of all real numbers within the
    bounds, these minimise Σ weights²/n. They are rounded by largest remainder.

    Parameters
    ----------
    weights : ndarray of float64, shape (H,)
        At least 0: the sizes for proportional allocation, sizes times standard deviations for Neyman's [Neyman 1934;
        Cochran 1977, Sampling Techniques, eqs. 5.26 and 5.43]. Where one is 0, no more than the fewest are drawn while
        other strata have units left; all 0 is proportional allocation.
    sizes : ndarray of int, shape (H,)
        Units in each stratum, at least 1.
    total : int
        Between ``fewest(sizes).sum()`` and ``sizes.sum()``.

    Returns
    -------
    ndarray of int, shape (H,)
        Its sum is `total`.
    """
    wanted = _within(_positive(weights, sizes), fewest(sizes), sizes, total)
    # What is a whole number but for rounding is that number.
    drawn = np.floor(wanted + 1e-9).astype(np.int64)
    rest = total - int(drawn.sum())
    drawn[np.argsort(drawn - wanted, kind="stable")[:rest]] += 1
    return drawn


def _positive(weights: NDArray[np.float64], sizes: IntArray) -> NDArray[np.float64]:
    """The weights, with next to nothing instead of 0."""
    if not weights.any():
        return sizes.astype(np.float64)
    scaled = weights / weights.max()
    least = scaled[scaled > 0].min()
    return np.where(scaled > 0, scaled, least * 1e-9 * sizes / sizes.sum())


def _within(weights: NDArray[np.float64], least: IntArray, most: IntArray, total: int) -> NDArray[np.float64]:
    """The numbers clip(λ weights, least, most) whose sum is the total; the sum is piecewise linear in λ."""
    corners = np.unique(np.concatenate([least / weights, most / weights]))
    sums = np.array([np.clip(corner * weights, least, most).sum() for corner in corners])
    return np.clip(np.interp(total, sums, corners) * weights, least, most)
