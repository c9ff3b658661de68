"""Blaker's exact interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

from ...records.batches import Batches, Estimate
from ..base import Interval, described, standard_error
from ..hypergeometric import at_least, at_most
from .clopper_pearson import ALMOST, first, of_effective

Floats = NDArray[np.float64]

# Halvings of an interval some 0.1/√n wide, to below 1e-9; the end is then taken on the outer side.
_HALVINGS = 26
# Up to so many rows the ends at all counts are kept.
_MOST_KEPT = 1_000
# Tails that differ by rounding alone are equal.
_TIE = 1 + 1e-9


@dataclass
class Blaker(Interval):
    """The proportions that Blaker's exact test accepts at the batch's count  [Blaker 2000, Can. J. Stat. 28, 783-798].

    In a simple random sample its coverage is never below the confidence, as Clopper and Pearson's is not, and it lies
    within theirs. A count k is as likely as the smaller one of its tails is; the test adds to this tail the largest
    tail on the other side that is no likelier, and accepts p where the sum is above α. From 0 at k = 0, to 1 at k = n.

    Without replacement from N, with the population as the target, the chances are hypergeometric, and the interval is
    that of the number K of correct rows among N, divided by N. It is widened by less than 1/N to hold the batch's
    share if need be. At n = N it has no width.

    Under strata, unequal chances, groups or weights it is Clopper and Pearson's for the effective sample size, times
    (z/t)² for the degrees of freedom that the design's variance is estimated with  [Korn & Graubard 1998, Survey
    Methodology 24, 193-201]. The interval is then approximate.
    """

    name: str = "blaker"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Blaker's interval around the share of each batch."""
        share = np.clip(batches.mean, 0.0, 1.0)
        if batches.is_simple:
            # Many batches have only a few distinct counts, and each is computed once.
            counts, which = np.unique(np.rint(share * batches.n), return_inverse=True)
            low, high = _exact(counts, batches, 1 - confidence)
            low, high = low[which], high[which]
        else:
            low, high = of_effective(batches, share, confidence)
        return Estimate(
            batches.mean,
            standard_error(batches),
            np.minimum(low, share),
            np.maximum(high, share),
            batches.n,
            described("Blaker", batches, confidence),
        )


def _exact(counts: Floats, batches: Batches, alpha: float) -> tuple[Floats, Floats]:
    """Both ends for counts of right rows in simple samples; the upper one is the lower one of the wrong rows."""
    n, size = batches.n, batches.population_size
    if size is not None:
        return _finite_low(counts, n, size, alpha) / size, (size - _finite_low(n - counts, n, size, alpha)) / size
    rows = float(batches.effective[0]) if len(counts) else 1.0
    if round(rows) != rows:
        # The rows of a sample with replacement, with the world as the target, are not whole.
        k = counts / n * rows
        return _low_of_beta(k, rows, alpha / 2), 1 - _low_of_beta(rows - k, rows, alpha / 2)
    if n <= _MOST_KEPT:
        table = _lows(n, alpha)
        return table[counts.astype(np.int64)], 1 - table[(n - counts).astype(np.int64)]
    return _low(counts, n, alpha), 1 - _low(n - counts, n, alpha)


@lru_cache(maxsize=128)
def _lows(n: int, alpha: float) -> Floats:
    """The lower ends at every count of n rows, which the cells and classes of a run ask for again and again."""
    found = _low(np.arange(n + 1.0), n, alpha)
    found.flags.writeable = False
    return found


def _low_of_beta(k: Floats, n: float, tail: float) -> Floats:
    return np.where(k > 0, scipy.special.betaincinv(np.where(k > 0, k, 1.0), n - k + 1, tail), 0.0)


def _low(k: Floats, n: int, alpha: float) -> Floats:
    """The smallest p that is accepted at each count k of n rows drawn with replacement; 0 at k = 0."""
    some = np.maximum(k, 1.0)
    start = scipy.special.betaincinv(some, n - some + 1, alpha / 2)
    other = _other_tail(lambda j: _at_most(j, n, start), some, alpha / 2)
    # From Clopper and Pearson's end on, p is accepted once both tails together are above α, as they are where one is,
    # or once the next count on the other side joins its tail.
    joining = np.stack([other, other + 1])
    most = scipy.special.betaincinv(some, n - some + 1, alpha)
    low, high = np.stack([start, start]), np.stack([most, most])
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        above, below = scipy.special.betainc(some, n - some + 1, middle), _at_most(joining, n, middle)
        found = np.stack([above[0] + below[0] > alpha * ALMOST, below[1] <= above[1] * _TIE])
        low, high = np.where(found, low, middle), np.where(found, middle, high)
    return np.where(k > 0, low.min(axis=0), 0.0)


def _at_most(j: Floats, n: int, p: Floats) -> Floats:
    """P(X ≤ j) of n rows drawn with replacement, j below n; 0 for j = -1."""
    held = np.maximum(j, 0.0)
    return np.where(j < 0, 0.0, scipy.special.betaincc(held + 1, n - held, p))


def _finite_low(k: Floats, n: int, size: int, alpha: float) -> Floats:
    """The smallest K that is accepted at each count k of n rows drawn without replacement from N = `size`."""
    right = k.astype(np.int64)
    most = np.minimum(size - n + right, size)
    start = first(lambda whole: at_least(right, whole, n, size) > alpha / 2 * ALMOST, right, most)
    other = _other_tail(
        lambda j: at_most(j, start, n, size), right.astype(float), at_least(right, start, n, size) * _TIE
    )
    accepted = first(
        lambda whole: at_least(right, whole, n, size) + at_most(other, whole, n, size) > alpha * ALMOST, start, most
    )
    joined = first(
        lambda whole: at_most(other + 1, whole, n, size) <= at_least(right, whole, n, size) * _TIE, start, most
    )
    return np.where(right > 0, np.minimum(accepted, joined), 0)


def _other_tail(below: Callable[[Floats], Floats], k: Floats, most: Floats | float) -> Floats:
    """The largest j < k whose lower tail is at most `most`, -1 if none is, by bisection."""
    low, high = np.full(len(k), -1.0), k - 1
    while (low < high).any():
        middle = np.ceil((low + high) / 2)
        holds = below(middle) <= most
        low, high = np.where(holds, middle, low), np.where(holds, high, np.maximum(middle - 1, low))
    return low
