"""Rows unlike those seen: how far one may differ, and how many there may be that n rows show none of.

Where all rows seen differ hardly, an interval of their differences is next to nothing, and it is wrong as soon as one
row in some hundreds differs much: n rows show none of these with the chance (1 - share)^n, and nothing in the sample
tells. So it is assumed how far such a row may differ, M. Then rows of the share c/n move the mean by c M/n, and none of
them is seen with the chance e^-c.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.together import Together

Floats = NDArray[np.float64]

# As far as a loss may differ, as long as no row is seen that differs much, nats; `interval.loss.score` assumes it, too.
NATS = 5.0
# A row that differs by this share of it differs much: what rows do is then known from the sample.
MUCH = 0.2
# c at which the two are weighed against each other. Between neighbours e^-c differs by 4 % at most down to 0.02.
COUNTS: Floats = np.concatenate([np.arange(100) / 25, np.geomspace(4.0, 40.0, 60)])


def reach_of(metric: Metric) -> float | None:
    """Return how far a row may differ of which none like it was seen: 5 nats, or the metric's range, or 0.

    Of a metric without a scale of its own nothing is assumed; the largest difference seen stands for it. Of a metric of
    all rows together it is how far a row of the rarest class moves it; None, which leaves no room, where that is not
    said.
    """
    if isinstance(metric, Together):
        return metric.reach
    if metric.takes_loss_cap:
        return NATS
    span = metric.most - metric.least
    return span if math.isfinite(span) else 0.0


def assumed(largest: Floats, reach: float) -> Floats:
    """Return M, how far a row unlike those seen may differ.

    Parameters
    ----------
    largest : ndarray of float64, shape (m,)
        The largest difference seen of each sample, without its sign.
    reach : float
        As `reach_of` has it.

    Examples
    --------
    >>> assumed(np.array([0.03, 0.99, 1.5, 7.0]), 5.0).tolist()
    [5.0, 5.0, 1.5, 7.0]
    """
    return np.where(largest >= MUCH * reach, largest, reach)


@lru_cache(maxsize=64)
def counts_below(error: float) -> Floats:
    """Return the c that matter to an end with this error: rows that are missed less often are no matter."""
    found = COUNTS[np.exp(-COUNTS) > error]
    found.flags.writeable = False
    return found


def rarest(n: float, error: float) -> float:
    """Return the k of which these rows say: kinds of rows that are 1 in k are seen, but for a chance of `error`.

    Examples
    --------
    >>> round(rarest(1_000, 0.025))
    272
    """
    return 1 / -math.expm1(math.log(error) / n)
