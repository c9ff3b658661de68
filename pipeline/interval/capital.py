"""Betting intervals for the mean of bounded values, which hold at one n, or at every n at once.

A gambler bets against the hypothesis that the mean of values in [0, 1] is m. With stakes λ_t, a capital of 1 becomes

    K_t(m) = Π (1 + λ_i (x_i - m)),  i ≤ t.

If m is the true mean, each stake depends on the past alone, and no factor can be negative, the game is fair; so K ever
reaches 2/α with a probability of at most α/2 (Ville's inequality). Every m for which K reached 2/α is rejected. K falls
in m, so the lower end is the largest rejected m. The upper end comes from the same bets on 1 - x, with the other half
of α  [Waudby-Smith & Ramdas 2023, JRSS B 86, 1-27, theorem 3].

Without replacement from N, m is replaced by the mean of the values that are left,
m_t = (N m - Σ_{i<t} x_i)/(N - t + 1). The values seen also bound the mean: it is at least Σ x/N and at most
Σ x/N + (N - t)/N  [ibid., section 5; Waudby-Smith & Ramdas 2020, NeurIPS 33].

The stakes are the paper's predictable plug-in (eq. 26; for one fixed n, n in place of t log(t + 1): section 4.4),

    λ_t = r_t sqrt(2 log(2/α) / (σ̂²_{t-1} v_t log(v_t + 1))),  r_t = N/(N - t + 1),  v_t = Σ_{i≤t} r_i²,

where with replacement r = 1 and v_t = t. Without, m_t moves r_t times as fast as m; v_t instead of t is our own choice
(at n = 0.95 N the interval is 1.3 times as wide as with a known σ, against 1.9 times with t). The paper truncates λ_t
at c/m for each m. Here it is truncated at c divided by one upper guess of the mean from the past (the mean so far plus
two standard errors), and no m is rejected for which a factor could come near 0. So every factor is affine in m, and
log K is concave.

Those stakes fall as 1/√t, so that a gambler who lost early is long in winning it back: of 30 orders of losses with a
spread of 2.55 nats (1,000 classes) half took over 40,000 rows for ±0.05 nats, where a fixed n needs 9,988. Where a
half-width ε is aimed at, most of α goes to a game with the stakes

    λ_t = r_t ε/(σ̂²_{t-1} + ε²),

which do not fall: they are the best ones (to second order) for a mean of m + ε, and that is where the values are from
the end m of an interval of this half-width. The interval is the intersection of that game's and the first one's, each
with its share of α: 14,150 rows there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .ends import Bets, lower_ends, lower_paths

Floats = NDArray[np.float64]
# From the estimated variance of the values before each, shape (m, n), to the stakes before they are cut.
Stakes = Callable[[Floats], Floats]

# The largest share c of the capital that a bet may lose if the mean is as guessed. Chosen by the interval widths on the
# losses and the correctness of a published network: bold early bets widen long sequences and narrow short ones.
_CUT_FIXED, CUT_SEQUENCE = 0.9, 0.75
# The same for any m that may be rejected.
_MOST = 0.97
# The share of α of the game for the half-width that is aimed at. With 1 some 5 % fewer rows reach it, but at 100 rows
# the interval is 1.3 to 4 times as wide.
AIMED = 0.8
# The least guess of a mean, by which a share of the capital is divided.
_TINY = 1e-12
# Values in a block of batches: large enough for few calls, small enough for a processor's cache.
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
        The ends, rounded outwards, in [0, 1]. If all m are rejected (with a chance below 1 - confidence) the two ends
        have crossed, and are returned in order.
    """
    mark = math.log(2 / (1 - confidence))
    stakes = _falling_stakes(values.shape[1], population_size, mark, is_fixed=True)
    return _intervals(values, stakes, mark, population_size, cut=_CUT_FIXED)


def sequence_interval(
    values: Floats, *, confidence: float, population_size: int | None = None, within: float | None = None
) -> tuple[Floats, Floats]:
    """Return, for m batches, the ends that `sequence_at` gives at the last value, to within its rounding.

    Parameters and results are those of `fixed_interval`, and `within` that of `sequence_at`.
    """
    games = _games(values.shape[1], confidence, population_size, within)
    ends = [_intervals(values, stakes, mark, population_size, cut=CUT_SEQUENCE) for stakes, mark in games]
    return intersection(ends, values.sum(axis=1), np.asarray(values.shape[1]), population_size)


def sequence_at(
    values: Floats,
    at: NDArray[np.integer],
    *,
    confidence: float,
    population_size: int | None = None,
    within: float | None = None,
) -> tuple[Floats, Floats]:
    """Return a confidence sequence at some counts: with the confidence, the intervals at all counts hold together.

    Each interval is the intersection of all intervals up to its count. It does not depend on the values after its
    count, nor on which other counts are asked for.

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
    within : float or None
        The half-width that is to be reached with few rows, above 0. None: stakes for every n.

    Returns
    -------
    (ndarray, ndarray) of float64, shape (k,)
        As in `fixed_interval`; rounded outwards by up to about 0.2 % of the width. Both are the mean at N of N.
    """
    counts = np.asarray(at, dtype=np.intp)
    values = np.asarray(values, dtype=np.float64)[: int(counts.max(initial=0))]
    sides, ends = np.stack([values, 1 - values]), []
    for stakes, mark in _games(len(values), confidence, population_size, within):
        bets = bets_on(sides, stakes, population_size, cut=CUT_SEQUENCE)
        low, high = lower_paths(sides, bets, mark, population_size)[:, counts - 1]
        ends.append((low, 1 - high))
    return intersection(ends, np.cumsum(values)[counts - 1], counts, population_size)


def _games(n: int, confidence: float, size: int | None, within: float | None) -> list[tuple[Stakes, float]]:
    """The stakes of each game of a sequence, and the logarithm of the capital that rejects a mean in it."""
    share = 1.0 if within is None else 1 - AIMED
    mark = math.log(2 / (share * (1 - confidence)))
    games = [(_falling_stakes(n, size, mark, is_fixed=False), mark)]
    if within is not None:
        games.append((aimed_stakes(n, size, within), math.log(2 / (AIMED * (1 - confidence)))))
    return games


def _intervals(values: Floats, stakes: Stakes, mark: float, size: int | None, *, cut: float) -> tuple[Floats, Floats]:
    """The ends of one game at the last value of each batch, shape (m,)."""
    m, n = values.shape
    ends = np.empty((2, m))
    at_once = max(1, _BLOCK_VALUES // n)
    for start in range(0, m, at_once):
        block = slice(start, start + at_once)
        for i, side in enumerate((values[block], 1 - values[block])):
            ends[i, block] = lower_ends(bets_on(side, stakes, size, cut=cut), mark)
    return intersection([(ends[0], 1 - ends[1])], values.sum(axis=1), np.asarray(n), size)


def intersection(
    ends: Sequence[tuple[Floats, Floats]], total: Floats, n: NDArray[np.integer], size: int | None
) -> tuple[Floats, Floats]:
    """Intersect intervals, put crossed ends in order, and clip both to the means that are possible after the values."""
    low, high = np.max([low for low, _ in ends], axis=0), np.min([high for _, high in ends], axis=0)
    low, high = np.minimum(low, high), np.maximum(low, high)
    if size is None:
        return low, high
    least, most = total / size, (total + (size - n)) / size
    return np.clip(low, least, most), np.clip(high, least, most)


def _speed(n: int, size: int | None) -> Floats:
    """How fast the mean of the values that are left moves with that of all, r_t, shape (n,)."""
    return np.ones(n) if size is None else size / (size - np.arange(n))


def _falling_stakes(n: int, size: int | None, mark: float, *, is_fixed: bool) -> Stakes:
    speed = _speed(n, size)
    information = np.cumsum(speed**2)
    # v_t log(v_t + 1)/r_t², and for a fixed n v_n/r_t².
    divisors = (information[-1:] if is_fixed else information * np.log(information + 1)) / speed**2
    return lambda variance: np.asarray(np.sqrt(2 * mark / (variance * divisors)))


def aimed_stakes(n: int, size: int | None, within: float) -> Stakes:
    """Return the stakes for a half-width that is aimed at, of n values."""
    speed = _speed(n, size)
    return lambda variance: np.asarray(within * speed / (variance + within**2))


def bets_on(
    values: Floats,
    stakes: Stakes,
    size: int | None,
    *,
    cut: float,
    shown: Floats | None = None,
    room: Floats | float = 0.0,
) -> Bets:
    """Return the bets that the values, shape (m, n), lie above the mean.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        In [0, 1], in random order; without replacement they say what mean is left.
    stakes : callable
        From variances to stakes.
    size : int or None
        N, if they were drawn without replacement.
    cut : float
        The share of the capital that a bet may lose.
    shown : ndarray of float64, shape (m, n), or None
        What is bet on in place of the values: numbers with the same mean, given the past. None is the values.
    room : ndarray of float64, shape (m, n), or float
        How far below 0 these may lie, as is known before each.
    """
    shown = values if shown is None else shown
    before = np.arange(values.shape[1])
    total = np.cumsum(shown, axis=1)
    squares = (shown - (0.5 + total) / (before + 2)) ** 2
    total -= shown
    variance = (0.25 + np.cumsum(squares, axis=1) - squares) / (before + 1)
    guess = np.minimum((0.5 + total) / (before + 1) + 2 * np.sqrt(variance / (before + 1)), 1.0)
    # Numbers that are bet on may have a mean so far below 0.
    stake = np.minimum(stakes(variance), cut / (np.maximum(guess, _TINY) + room))
    if size is None:
        return Bets(1 + stake * shown, stake, _MOST / stake - room)
    left = size - before
    seen = (total if shown is values else np.cumsum(values, axis=1) - values) / left
    return Bets(1 + stake * (shown + seen), stake * (size / left), (_MOST / stake - room + seen) * (left / size))
