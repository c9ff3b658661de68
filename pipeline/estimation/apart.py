"""Does a slice of the rows differ from all other rows?"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

from ..sampling.units import Units

Floats = NDArray[np.float64]


def apart_p(values: Floats, is_inside: NDArray[np.bool_], units: Units, *, is_share: bool) -> float:
    """Return the two-sided p value of a slice having the same mean as the other rows.

    Of independent rows: Fisher's exact test of two shares, Welch's t of two means. Of rows in groups or with weights: t
    on the groups' influence on the difference of the two means (cluster-robust), with their number less 1 as degrees of
    freedom; a group may have rows on both sides.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Of all rows.
    is_inside : ndarray of bool, shape (n,)
        Whether a row is in the slice; at least one row is, and one is not.
    units : Units
        Of all rows.
    is_share : bool
        Whether the values are 0 and 1.

    Returns
    -------
    float
        ``nan`` where there is no test: an infinite value, or one row.
    """
    if not np.isfinite(values).all():
        return math.nan
    if not units.is_simple:
        return _of_groups(values, is_inside, units)
    inside, outside = values[is_inside], values[~is_inside]
    if is_share:
        counts = [[int(own.sum()), len(own) - int(own.sum())] for own in (inside, outside)]
        return float(_fisher(counts))
    if min(len(inside), len(outside)) < 2:
        return math.nan
    errors = [float(own.var(ddof=1)) / len(own) for own in (inside, outside)]
    off, total = float(inside.mean() - outside.mean()), sum(errors)
    if total == 0:
        return 1.0 if off == 0 else 0.0
    free = total**2 / sum(e**2 / (len(own) - 1) for e, own in zip(errors, (inside, outside), strict=True))
    return float(2 * scipy.special.stdtr(free, -abs(off) / math.sqrt(total)))


def _fisher(counts: list[list[int]]) -> float:
    from scipy.stats import fisher_exact

    return float(fisher_exact(counts).pvalue)


def _of_groups(values: Floats, is_inside: NDArray[np.bool_], units: Units) -> float:
    parts, off = [], 0.0
    for side, sign in ((is_inside, 1.0), (~is_inside, -1.0)):
        sums, sizes = units.totals(values * side), units.totals(side.astype(np.float64))
        mean = sums.sum() / sizes.sum()
        parts.append(sign * (sums - mean * sizes) / sizes.sum())
        off += sign * mean
    influence = parts[0] + parts[1]
    n = len(influence)
    error = math.sqrt(n / (n - 1) * float(np.sum(influence**2)))
    if error == 0:
        return 1.0 if off == 0 else 0.0
    return float(2 * scipy.special.stdtr(n - 1, -abs(off) / error))
