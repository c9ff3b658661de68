"""Clopper and Pearson's exact interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from pipeline.interval.base import Interval, in_words, standard_error
from pipeline.records import Batches, Estimate

Counts = NDArray[np.int64]
Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass
class ClopperPearson(Interval):
    """The proportions that neither one-sided exact test at the batch's count rejects  [Clopper & Pearson 1934].

    It never holds less than it promises in a simple random sample, and for that is wider than Wilson's. With k right of
    n it reaches from the α/2 quantile of Beta(k, n - k + 1) to the 1 - α/2 quantile of Beta(k + 1, n - k); from 0 at
    k = 0, to 1 at k = n.

    Without replacement from N, for these N rows, the tests are hypergeometric: the interval is that of the counts K of
    right rows among N, over N  [Buonaccorsi 1987, The American Statistician 41, 215-218]. Where N is not a multiple of
    n the batch's share need not be one of K/N; the interval is widened to hold it, by less than 1/N. At n = N it has
    no width.

    Under strata, unequal chances, groups or weights n is the effective number of rows, and k the share times it
    [Korn & Graubard 1998, Survey Methodology 24, 193-201; without their adjustment for degrees of freedom]. It is then
    approximate. Where nothing is left to chance it has no width.
    """

    name: str = "clopper_pearson"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Clopper and Pearson's interval around the share of each batch."""
        share, tail = np.clip(batches.mean, 0.0, 1.0), (1 - confidence) / 2
        if batches.is_simple:
            # Of many batches' counts few are distinct.
            counts, which = np.unique(np.rint(share * batches.n), return_inverse=True)
            if batches.population_size is not None:
                low, high = _hypergeometric(counts, batches.n, batches.population_size, tail)
            else:
                low, high = _binomial(counts / batches.n, np.full(len(counts), _only(batches.effective)), tail)
            low, high = low[which], high[which]
        else:
            low, high = _binomial(share, batches.effective, tail)
        return Estimate(
            batches.mean,
            standard_error(batches),
            np.minimum(low, share),
            np.maximum(high, share),
            batches.n,
            in_words("Clopper-Pearson", batches, confidence),
        )


def _only(effective: NDArray[np.float64]) -> float:
    """The effective number of rows of simple samples, which depends on n and N alone."""
    return float(effective[0]) if len(effective) else 1.0


def _binomial(share: NDArray[np.float64], n: NDArray[np.float64], tail: float) -> Ends:
    """Ends for shares of n rows, n not necessarily whole; a point where n is infinite."""
    is_all = np.isinf(n)
    n = np.where(is_all, 1.0, n)
    right, wrong = share * n, (1 - share) * n
    is_none, is_every = share <= 0, share >= 1
    low = special.betaincinv(np.where(is_none, 1.0, right), wrong + 1, tail)
    high = special.betainccinv(right + 1, np.where(is_every, 1.0, wrong), tail)
    low, high = np.where(is_none, 0.0, low), np.where(is_every, 1.0, high)
    return np.where(is_all, share, low), np.where(is_all, share, high)


def _hypergeometric(counts: NDArray[np.float64], n: int, size: int, tail: float) -> Ends:
    """Ends for counts of right rows in n of N = `size`, drawn without replacement."""
    right = counts.astype(np.int64)
    least, most = right, size - (n - right)
    low = _first(lambda whole: stats.hypergeom.sf(right - 1, size, whole, n) > tail, least, most)
    # The largest K that the lower tail's test leaves is one below the first that it rejects.
    high = _first(lambda whole: stats.hypergeom.cdf(right, size, whole, n) <= tail, least, most + 1) - 1
    return low / size, high / size


def _first(holds: Callable[[Counts], NDArray[np.bool_]], least: Counts, most: Counts) -> Counts:
    """Where a rising condition first holds from `least` on; `most` if nowhere before it."""
    while (least < most).any():
        middle = (least + most) // 2
        found = holds(np.minimum(middle, most - 1))
        is_open = least < most
        most = np.where(is_open & found, middle, most)
        least = np.where(is_open & ~found, middle + 1, least)
    return least
