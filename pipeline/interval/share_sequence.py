"""An interval for a share that holds at every n at once, by likelihood ratios of counts.

Of N rows K are right, and rows come in random order. The chance of an order that begins with s right and f wrong rows,
t = s + f, is with falling factorials, [x]_k = x (x - 1) … (x - k + 1),

    P_K = [K]_s [N - K]_f / [N]_t.

That no more than K are right is tried by the likelihood ratio L_t = P_{K+d} / P_K. While exactly K are right, the next
row is so with the chance m_t = (N m - s)/(N - t), m = K/N, and it multiplies L by m'_t/m_t, or if it is wrong by
(1 - m'_t)/(1 - m_t), where m'_t is the same of K + d. On average that is

    m_t · m'_t/m_t + (1 - m_t) · (1 - m'_t)/(1 - m_t) = 1,

or less where m_t is 0 or 1 and a term is missing. So L is a nonnegative supermartingale that starts at 1, and so is the
mean of several with fixed weights; it ever reaches 2/α with a probability of at most α/2 (Ville's inequality). L falls
in K, for each of its factors (K + d - i)/(K - i) and (N - K - d - j)/(N - K - j) does. So if K is rejected all below it
are, and the lower end is the first K that was never rejected. The upper end comes from the wrong rows in the same way,
with the other half of α. With replacement, or of the world, L = (1 + δ/m)^s (1 - δ/(1 - m))^f, δ = d/N, and the same
holds.

This is Wald's sequential test [1945, Annals of Mathematical Statistics 16, 117-186] of every m, against m ± δ. An
interval of half-width ε ends at the m from which the share found is ε away, and no likelihood there is above that of
m + ε: so if the interval is to become that narrow, most of the weight belongs on δ = ε. The rest lies on ½, ¼, …, for
every other n [mixtures: Robbins 1970, Annals of Mathematical Statistics 41, 1397-1409; without replacement:
Waudby-Smith & Ramdas 2020, NeurIPS 33].
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

# δ where no width is aimed at, with equal weights.
_SPREAD: Floats = np.asarray(0.5 ** np.arange(1, 11), dtype=np.float64)
# The weight of the width that is aimed at. With 1 some 4 % fewer rows reach it, but at 50 rows the interval is 1.6 to 4
# times as wide.
_AIMED = 0.8
# Counts are looked at one by one, and beyond 100 at each per cent more.
_GROWTH = 1.01
# Added to the mark of log L for rounding: logarithms of factorials of 10⁹ have an absolute error of 1e-5.
_ROUNDING = 1e-4
# Logarithms of factorials are looked up in a table up to here, 32 MB.
_MOST_IN_TABLE = 1 << 22
# Halvings of [0, 1].
_HALVINGS = 32
# Values in a block of batches.
_BLOCK_VALUES = 1 << 20


def share_sequence_at(
    values: Floats,
    at: NDArray[np.integer],
    *,
    confidence: float,
    population_size: int | None = None,
    within: float | None = None,
) -> tuple[Floats, Floats]:
    """Return a confidence sequence at some counts: with the confidence, the intervals at all counts hold together.

    Each interval is the intersection of those at the counts up to it, of which beyond 100 only each per cent more is
    looked at. It does not depend on the values after its count, nor on which other counts are asked for.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        0 or 1, in the random order in which they were drawn.
    at : ndarray of int, shape (k,)
        Counts, 1 … n.
    confidence : float
        In (0, 1).
    population_size : int or None
        N if the values were drawn without replacement from N.
    within : float or None
        The half-width that is to be reached with few rows, above 0. None: all are alike.

    Returns
    -------
    (ndarray, ndarray) of float64, shape (k,)
        The ends, in [0, 1]. If all shares are rejected (with a chance below 1 - confidence) the two have crossed, and
        are returned in order. Both are the share at N of N.
    """
    counts = np.asarray(at, dtype=np.int64)
    total = np.cumsum(values, dtype=np.float64)
    looked = _looked_at(int(counts.max(initial=0)))
    right = np.rint(total[looked - 1]).astype(np.int64)[None]
    place = np.searchsorted(looked, counts, side="right") - 1
    low, high = (ends[0, place] for ends in _paths(right, looked, confidence, population_size, within))
    return _possible(low, high, total[counts - 1], counts, population_size)


def share_sequence_interval(
    values: Floats, *, confidence: float, population_size: int | None = None, within: float | None = None
) -> tuple[Floats, Floats]:
    """Return, for m batches, the ends that `share_sequence_at` gives at the last value.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        0 or 1; a row a batch, in random order.
    confidence, population_size, within
        As there.

    Returns
    -------
    (ndarray, ndarray) of float64, shape (m,)
    """
    m, n = values.shape
    looked, ends = _looked_at(n), np.empty((2, m))
    at_once = max(1, _BLOCK_VALUES // n)
    for start in range(0, m, at_once):
        block = slice(start, start + at_once)
        right = np.rint(np.cumsum(values[block], axis=1)[:, looked - 1]).astype(np.int64)
        low, high = _paths(right, looked, confidence, population_size, within)
        ends[:, block] = low[:, -1], high[:, -1]
    return _possible(ends[0], ends[1], values.sum(axis=1), np.asarray(n), population_size)


def _looked_at(n: int) -> Counts:
    counts = [1] if n else []
    while counts and counts[-1] < n:
        counts.append(max(counts[-1] + 1, math.floor(counts[-1] * _GROWTH)))
    return np.array([count for count in counts if count <= n], dtype=np.int64)


def _possible(
    low: Floats, high: Floats, total: Floats, n: NDArray[np.integer], size: int | None
) -> tuple[Floats, Floats]:
    """Put crossed ends in order, and clip both to the shares that are possible after the values seen."""
    low, high = np.minimum(low, high), np.maximum(low, high)
    if size is None:
        return low, high
    least, most = total / size, (total + (size - n)) / size
    return np.clip(low, least, most), np.clip(high, least, most)


def _paths(
    right: Counts, counts: Counts, confidence: float, size: int | None, within: float | None
) -> tuple[Floats, Floats]:
    """The ends at each count looked at, shape (m, k), from the right values up to it, of the same shape."""
    shifts, weights = np.asarray(_SPREAD, dtype=np.float64), np.full(len(_SPREAD), 1 / len(_SPREAD))
    if within is not None:
        shifts = np.append(shifts, within).astype(np.float64)
        weights = np.append((1 - _AIMED) * weights, _AIMED)
    log_weights = np.asarray(np.log(weights), dtype=np.float64)
    mark = math.log(2 / (1 - confidence)) + _ROUNDING
    ends = []
    for hits in (right, counts - right):
        # Many batches have only a few distinct counts, and each is computed once.
        codes, which = np.unique(counts * (counts[-1:] + 1) + hits, return_inverse=True)
        t, s = np.divmod(codes, counts[-1:] + 1)
        if size is None:
            found = _lower_of_world(t, s, shifts, log_weights, mark)
        else:
            found = _lower_of_rows(t, s, size, shifts, log_weights, mark)
        ends.append(np.maximum.accumulate(found[which.reshape(hits.shape)], axis=1))
    return ends[0], 1 - ends[1]


def _lower_of_rows(t: Counts, s: Counts, size: int, shifts: Floats, log_weights: Floats, mark: float) -> Floats:
    """The smallest K/N that s of t rows do not reject, by bisection, shape of s."""
    more = np.minimum(np.maximum(1, np.rint(np.minimum(shifts, 1.0) * size)), size).astype(np.int64)[:, None]
    # Fewer than s are impossible; above the likeliest K, a K + d is less likely still.
    rejected, not_rejected = s - 1, np.minimum(s * size // t + 1, size - (t - s))
    while True:
        is_open = not_rejected - rejected > 1
        if not is_open.any():
            return not_rejected / size
        middle = np.where(is_open, (rejected + not_rejected) // 2, not_rejected)
        ratios = _log_ratios_of_rows(middle, t, s, size, more)
        is_rejected = is_open & _reaches(mark, ratios, log_weights)
        rejected = np.where(is_rejected, middle, rejected)
        not_rejected = np.where(is_rejected, not_rejected, middle)


def _log_ratios_of_rows(k: Counts, t: Counts, s: Counts, size: int, more: Counts) -> Floats:
    """Return log L of K + d against K for each d of `more`, shape (d, 1); K in s … N - (t - s), shape of s."""
    f = t - s
    other = np.minimum(k + more, size)
    is_possible = size - other >= f
    other = np.where(is_possible, other, size - f)
    return np.where(is_possible, _log_chance(other, s, f, size) - _log_chance(k, s, f, size), -np.inf)


def _log_chance(k: Counts, s: Counts, f: Counts, size: int) -> Floats:
    """Return log [K]_s [N - K]_f."""
    left, wrong = k - s, size - k
    if size <= _MOST_IN_TABLE:
        table = _log_factorials(size)
        return np.asarray(table[k] - table[left] + table[wrong] - table[wrong - f])
    log_gamma = scipy.special.gammaln
    return np.asarray(log_gamma(k + 1.0) - log_gamma(left + 1.0) + log_gamma(wrong + 1.0) - log_gamma(wrong - f + 1.0))


@lru_cache(maxsize=2)
def _log_factorials(size: int) -> Floats:
    return np.asarray(scipy.special.gammaln(np.arange(size + 1) + 1.0))


def _lower_of_world(t: Counts, s: Counts, shifts: Floats, log_weights: Floats, mark: float) -> Floats:
    """A share below which s of t rows reject all, the largest to within 2⁻³², shape of s."""
    f, delta = t - s, shifts[:, None]
    rejected, not_rejected = np.zeros(len(s)), s / t
    for _ in range(_HALVINGS):
        m = (rejected + not_rejected) / 2
        # Of s = 0 nothing is rejected; m is then 0, and 0 log 0 is meant as 0.
        other, least = np.minimum(m + delta, 1.0), np.maximum(m, 1e-300)
        ratios = s * np.log(other / least) + scipy.special.xlogy(f, (1 - other) / np.maximum(1 - m, 1e-300))
        is_rejected = _reaches(mark, ratios, log_weights)
        rejected, not_rejected = np.where(is_rejected, m, rejected), np.where(is_rejected, not_rejected, m)
    return rejected


def _reaches(mark: float, logs: Floats, log_weights: Floats) -> NDArray[np.bool_]:
    """Whether the logarithm of the weighted mean of the likelihood ratios is at least the mark."""
    # Any term above 0 is enough by itself; the limit keeps it from overflowing.
    terms = np.exp(np.minimum(logs + (log_weights[:, None] - mark), 1.0))
    return np.asarray(terms.sum(axis=0) >= 1.0)
