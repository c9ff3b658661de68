"""Clopper and Pearson's exact interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ...records.batches import Batches, Estimate
from ..base import Interval, described, standard_error
from ..hypergeometric import at_least, at_most
from ..loss.t import t_quantile

Counts = NDArray[np.int64]
# A chance that differs from a test's level by rounding alone is not below it.
ALMOST = 1 - 1e-9
Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass
class ClopperPearson(Interval):
    """The proportions that neither one-sided exact test rejects at the batch's count  [Clopper & Pearson 1934].

    Its coverage in a simple random sample is never below the confidence, so it is wider than Wilson's. With k correct
    of n rows it reaches from the α/2 quantile of Beta(k, n - k + 1) to the 1 - α/2 quantile of Beta(k + 1, n - k); from
    0 at k = 0, to 1 at k = n.

    Without replacement from N, with the population as the target, the tests are hypergeometric: the interval is that of
    the number K of correct rows among N, divided by N  [Buonaccorsi 1987, The American Statistician 41, 215-218]. If N
    is not a multiple of n the batch's share may lie between two of K/N; the interval is widened to hold it, by less
    than 1/N. At n = N it has no width.

    Under strata, unequal chances, groups or weights, n is the effective sample size, and k the share times it
    [Korn & Graubard 1998, Survey Methodology 24, 193-201; without their adjustment for degrees of freedom]. The
    interval is then approximate. If the effective sample size is infinite it has no width.
    """

    name: str = "clopper_pearson"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Clopper and Pearson's interval around the share of each batch."""
        share, tail = np.clip(batches.mean, 0.0, 1.0), (1 - confidence) / 2
        if batches.is_simple:
            # Many batches have only a few distinct counts, and each is computed once.
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
            described("Clopper-Pearson", batches, confidence),
        )


def _only(effective: NDArray[np.float64]) -> float:
    """The effective sample size of simple random samples, which depends on n and N alone."""
    return float(effective[0]) if len(effective) else 1.0


def _binomial(share: NDArray[np.float64], n: NDArray[np.float64], tail: float) -> Ends:
    """Ends for shares of n rows, n not necessarily whole; both are the share if n is infinite."""
    is_all = np.isinf(n)
    n = np.where(is_all, 1.0, n)
    right, wrong = share * n, (1 - share) * n
    is_none, is_every = share <= 0, share >= 1
    low = scipy.special.betaincinv(np.where(is_none, 1.0, right), wrong + 1, tail)
    high = scipy.special.betainccinv(right + 1, np.where(is_every, 1.0, wrong), tail)
    low, high = np.where(is_none, 0.0, low), np.where(is_every, 1.0, high)
    return np.where(is_all, share, low), np.where(is_all, share, high)


def of_effective(batches: Batches, share: NDArray[np.float64], confidence: float) -> Ends:
    """Return the ends for the effective sample size, reduced for the degrees of freedom of the design's variance.

    Parameters
    ----------
    batches : Batches
        m batches, of any design.
    share : ndarray of float64, shape (m,)
        Their shares, in [0, 1].
    confidence : float
        In (0, 1).
    """
    z = scipy.special.ndtri((1 + confidence) / 2)
    # Without a degree of freedom nothing is known of the variance, and nothing is taken off.
    fewer = np.minimum((z / t_quantile(batches, confidence)) ** 2, 1.0)
    return _binomial(share, batches.effective * fewer, (1 - confidence) / 2)


def _hypergeometric(counts: NDArray[np.float64], n: int, size: int, tail: float) -> Ends:
    """Ends for counts of correct rows among n, drawn without replacement from N = `size`."""
    right = counts.astype(np.int64)
    least, most = right, size - (n - right)
    low = first(lambda whole: at_least(right, whole, n, size) > tail * ALMOST, least, most)
    # The largest K that the lower tail's test accepts is one below the first that it rejects.
    high = first(lambda whole: at_most(right, whole, n, size) <= tail * ALMOST, least, most + 1) - 1
    return low / size, high / size


def first(holds: Callable[[Counts], NDArray[np.bool_]], least: Counts, most: Counts) -> Counts:
    """Return the first count from `least` on at which a monotone condition holds, by bisection; else `most`."""
    while (least < most).any():
        middle = (least + most) // 2
        found = holds(np.minimum(middle, most - 1))
        is_open = least < most
        most = np.where(is_open & found, middle, most)
        least = np.where(is_open & ~found, middle + 1, least)
    return least
