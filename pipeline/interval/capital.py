"""The capital of someone who bets against a mean: intervals that hold at one n, or at every n at once.

Who says that the mean of values in [0, 1] is m, and is bet against with the stakes λ_t, lets one unit grow to

    K_t(m) = Π (1 + λ_i (x_i - m)),  i ≤ t.

At the true mean the game is fair, if each stake depends on the past alone and no factor can fall below 0; so K ever
reaches 2/α with a chance of at most α/2 (Ville). The m that it reached 2/α for are refused, and K falls in m, so the
lower end is the largest of them. The upper one comes from the same bets on 1 - x and the other half of α
[Waudby-Smith & Ramdas 2023, JRSS B 86, 1-27, theorem 3].

Without replacement from N the mean of the t-th value, given the past, is that of what is left,
m_t = (N m - Σ_{i<t} x_i)/(N - t + 1), and takes the place of m; and what was seen leaves nothing below Σ x/N and
nothing above Σ x/N + (N - t)/N  [ibid., section 5; Waudby-Smith & Ramdas 2020, NeurIPS 33].

The stakes are the paper's predictable plug-in (eq. 26; for one n, n in place of t log(t + 1): section 4.4),

    λ_t = r_t sqrt(2 log(2/α) / (σ̂²_{t-1} v_t log(v_t + 1))),  r_t = N/(N - t + 1),  v_t = Σ_{i≤t} r_i²,

where with replacement r = 1 and v_t = t; without, m_t moves r_t times as fast as m, and v_t instead of t is ours (at
n = 0.95 N the interval is 1.3 times as wide as knowing σ makes it; 1.9 times with t). The paper cuts λ_t to c/m for
each m. Here it is cut to c over one generous guess from the past, the mean so far and two standard errors, and no m is
refused whose factors could come near 0 with that. So every factor is affine in m, and log K concave.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.interval.ends import Bets, lower_ends, lower_paths

Floats = NDArray[np.float64]

# The share c of the capital that a bet may lose if the mean is as guessed. Chosen by the widths on the losses and the
# correctness of a published network: long sequences pay for bold early bets, while short ones gain by them.
_CUT_FIXED, _CUT_SEQUENCE = 0.9, 0.75
# The same for any m that may be refused.
_MOST = 0.97
# Values of the batches that are worked on together: enough to make calls few, few enough for a cache.
_BLOCK_VALUES = 1 << 18


def fixed_interval(values: Floats, *, confidence: float, population_size: int | None = None) -> tuple[Floats, Floats]:
    """Return an interval for the mean that holds with the confidence, or more often, at an n chosen beforehand.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        In [0, 1]; a row a batch, in random order.
    confidence : float
        In (0, 1).
    population_size : int or None
        N if the values were drawn without replacement from N.

    Returns
    -------
    (ndarray, ndarray) of float64, shape (m,)
        The ends, rounded outwards, in [0, 1]. Where all m are refused (with a chance below 1 - confidence), what lies
        between the two ends that have crossed.
    """
    return _intervals(values, confidence, population_size, is_fixed=True)


def sequence_interval(
    values: Floats, *, confidence: float, population_size: int | None = None
) -> tuple[Floats, Floats]:
    """Return, for m batches, what `sequence_at` gives at their last value, to within its rounding."""
    return _intervals(values, confidence, population_size, is_fixed=False)


def sequence_at(
    values: Floats, at: NDArray[np.integer], *, confidence: float, population_size: int | None = None
) -> tuple[Floats, Floats]:
    """Return the ends, at some counts, of a sequence of intervals that with the confidence all hold, at every count.

    Each is the intersection of all up to its count. An end does not depend on the values after its count, nor on which
    other counts are asked for.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        In [0, 1], in the random order in which they were drawn.
    at : ndarray of int, shape (k,)
        Counts, 1 … n.
    confidence : float
        In (0, 1).
    population_size : int or None
        N if the values were drawn without replacement from N.

    Returns
    -------
    (ndarray, ndarray) of float64, shape (k,)
        As in `fixed_interval`; rounded outwards by up to some 0.2 % of the width. The mean itself at N of N.
    """
    counts = np.asarray(at, dtype=np.intp)
    values = np.asarray(values, dtype=np.float64)[: int(counts.max(initial=0))]
    mark = math.log(2 / (1 - confidence))
    sides = np.stack([values, 1 - values])
    paces = _paces(len(values), population_size, is_fixed=False)
    bets = _bets(sides, paces, mark, population_size, cut=_CUT_SEQUENCE)
    low, high = lower_paths(sides, bets, mark, population_size)[:, counts - 1]
    return _possible(low, 1 - high, np.cumsum(values)[counts - 1], counts, population_size)


def _intervals(values: Floats, confidence: float, size: int | None, *, is_fixed: bool) -> tuple[Floats, Floats]:
    m, n = values.shape
    ends = np.empty((2, m))
    mark = math.log(2 / (1 - confidence))
    paces, cut = _paces(n, size, is_fixed=is_fixed), _CUT_FIXED if is_fixed else _CUT_SEQUENCE
    at_once = max(1, _BLOCK_VALUES // n)
    for start in range(0, m, at_once):
        block = slice(start, start + at_once)
        for i, side in enumerate((values[block], 1 - values[block])):
            ends[i, block] = lower_ends(_bets(side, paces, mark, size, cut=cut), mark)
    return _possible(ends[0], 1 - ends[1], values.sum(axis=1), np.asarray(n), size)


def _possible(
    low: Floats, high: Floats, total: Floats, n: NDArray[np.integer], size: int | None
) -> tuple[Floats, Floats]:
    """Bring ends that have crossed into order, and both to what the values that were seen leave possible."""
    low, high = np.minimum(low, high), np.maximum(low, high)
    if size is None:
        return low, high
    least, most = total / size, (total + (size - n)) / size
    return np.clip(low, least, most), np.clip(high, least, most)


def _paces(n: int, size: int | None, *, is_fixed: bool) -> Floats:
    """What stands under the root with σ̂², shape (n,)."""
    speed = np.ones(n) if size is None else size / (size - np.arange(n))
    told = np.cumsum(speed**2)
    return (told[-1:] if is_fixed else told * np.log(told + 1)) / speed**2


def _bets(values: Floats, paces: Floats, mark: float, size: int | None, *, cut: float) -> Bets:
    """Return the bets on values above the mean, for values of shape (m, n)."""
    before = np.arange(values.shape[1])
    total = np.cumsum(values, axis=1)
    squares = (values - (0.5 + total) / (before + 2)) ** 2
    total -= values
    variance = (0.25 + np.cumsum(squares, axis=1) - squares) / (before + 1)
    guess = np.minimum((0.5 + total) / (before + 1) + 2 * np.sqrt(variance / (before + 1)), 1.0)
    stake = np.minimum(np.sqrt(2 * mark / (variance * paces)), cut / guess)
    if size is None:
        return Bets(1 + stake * values, stake, _MOST / stake)
    left = size - before
    gone = total / left
    return Bets(1 + stake * (values + gone), stake * (size / left), (_MOST / stake + gone) * (left / size))
