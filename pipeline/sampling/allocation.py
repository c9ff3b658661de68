"""Allocation: how many units to draw from each stratum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..records.rows import IntArray

# The variance of a stratum can be estimated from two units, not from one.
_LEAST = 2


def fewest(sizes: IntArray) -> IntArray:
    """Return the fewest units that each stratum needs, shape (H,): two, or one where it has no more."""
    return np.minimum(sizes, _LEAST)


def allocate(weights: NDArray[np.float64], sizes: IntArray, total: int) -> IntArray:
    """Share `total` units out in proportion to weights, with at least `fewest` and at most all of each stratum.

    Where a stratum has fewer units than its share, the rest goes to the other strata in proportion to their weights.
    Before rounding this minimises Σ weights²/n within the bounds; rounding is by largest remainder.

    Parameters
    ----------
    weights : ndarray of float64, shape (H,)
        At least 0: the sizes for proportional allocation, sizes times standard deviations for Neyman's [Neyman 1934;
        Cochran 1977, Sampling Techniques, eqs. 5.26 and 5.43]. A stratum of weight 0 gets the fewest units, unless the
        other strata are used up. If all weights are 0 the allocation is proportional.
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
    # A number just below a whole one by rounding error counts as the whole one.
    drawn = np.floor(wanted + 1e-9).astype(np.int64)
    rest = total - int(drawn.sum())
    drawn[np.argsort(drawn - wanted, kind="stable")[:rest]] += 1
    return drawn


def _positive(weights: NDArray[np.float64], sizes: IntArray) -> NDArray[np.float64]:
    """The weights scaled to at most 1, with a negligible positive number in place of 0."""
    if not weights.any():
        return sizes.astype(np.float64)
    scaled = weights / weights.max()
    least = scaled[scaled > 0].min()
    return np.where(scaled > 0, scaled, least * 1e-9 * sizes / sizes.sum())


def _within(weights: NDArray[np.float64], least: IntArray, most: IntArray, total: int) -> NDArray[np.float64]:
    """The numbers clip(λ weights, least, most) whose sum is the total; it is piecewise linear in λ."""
    corners = np.unique(np.concatenate([least / weights, most / weights]))
    sums = np.array([np.clip(corner * weights, least, most).sum() for corner in corners])
    return np.clip(np.interp(total, sums, corners) * weights, least, most)
