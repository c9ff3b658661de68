"""A confidence sequence for the mean of bounded values that bets on them less what a proxy explains.

Rows come in random order, y_t in [0, 1] is known once a row is drawn, and a proxy F is known of all N rows before. The
gambler of `pipeline.interval.capital` then bets on

    x_t = y_t - λ_t (F_t - F̄_t)

in place of y_t, with F̄_t the mean of F over the rows that are left (with replacement: over all). The next row is any of
these with the same chance, so F_t - F̄_t is 0 on average whatever F is; and λ_t depends on the past alone. So x_t has
the mean of y_t given the past, the game is as fair as on y_t, and the sequence holds with any proxy at all. The factors
need a bound: x_t is at least -λ_t (max F - F̄_t), and of the other side, 1 - x_t, at least -λ_t (F̄_t - min F). Stakes
are cut so that none of these ends the game.

λ_t is the slope of y on F among the rows so far, S_yF/S²_F with the larger of the S²_F of these rows and of all, and
with ten rows more that show no slope: a worthless proxy is left alone  [control variates: Lavenberg & Welch 1981,
Management Science 27, 322-335; in prediction-powered inference: Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453,
§6]. It is cut to [0, 1/(max F - min F)].

The other game, which has a fifth of α, is the one without a proxy.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .capital import AIMED, CUT_SEQUENCE, aimed_stakes, bets_on, intersection, sequence_at
from .ends import lower_paths
from .share_sequence import share_sequence_at

Floats = NDArray[np.float64]

# Rows without a slope that the first rows are weighed against.
_NO_SLOPE = 10


def controlled_sequence_at(
    values: Floats,
    proxies: Floats,
    of_all: Floats,
    at: NDArray[np.integer],
    *,
    confidence: float,
    within: float,
    is_finite: bool,
    is_share: bool,
) -> tuple[Floats, Floats]:
    """Return a confidence sequence at some counts: with the confidence, the intervals at all counts hold together.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        In [0, 1], in the random order in which they were drawn.
    proxies : ndarray of float64, shape (n,)
        F of the same rows, finite.
    of_all : ndarray of float64, shape (N,)
        F of all rows, in any order.
    at : ndarray of int, shape (k,)
        Counts, 1 … n.
    confidence : float
        In (0, 1).
    within : float
        The half-width that is to be reached with few rows, above 0.
    is_finite : bool
        Whether the values were drawn without replacement.
    is_share : bool
        Whether each is 0 or 1.

    Returns
    -------
    (ndarray, ndarray) of float64, shape (k,)
        As `capital.sequence_at` has them.
    """
    counts = np.asarray(at, dtype=np.intp)
    n, size = int(counts.max(initial=0)), len(of_all) if is_finite else None
    values, proxies = np.asarray(values, np.float64)[:n], np.asarray(proxies, np.float64)[:n]
    rest = 1 - (1 - AIMED) * (1 - confidence)
    plain = share_sequence_at if is_share else sequence_at
    ends = [plain(values, counts, confidence=rest, population_size=size)]
    if n and np.ptp(of_all) > 0:
        explained, below, above = _explained(values, proxies, of_all, is_finite=is_finite)
        sides, shown = np.stack([values, 1 - values]), np.stack([values - explained, 1 - values + explained])
        stakes = aimed_stakes(n, size, within)
        bets = bets_on(sides, stakes, size, cut=CUT_SEQUENCE, shown=shown, room=np.stack([below, above]))
        mark = math.log(2 / (AIMED * (1 - confidence)))
        low, high = lower_paths(sides, bets, mark, size)[:, counts - 1]
        ends.append((low, 1 - high))
    return intersection(ends, np.cumsum(values)[counts - 1], counts, size)


def _explained(values: Floats, proxies: Floats, of_all: Floats, *, is_finite: bool) -> tuple[Floats, Floats, Floats]:
    """Return λ_t (F_t - F̄_t), and how far above and below 0 it may lie as is known before each row, shape (n,) each."""
    n, before = len(values), np.arange(len(values))
    # Around a number that is near the mean, for sums of squares would else lose digits.
    middle, least, most = float(of_all.mean()), float(of_all.min()), float(of_all.max())
    slope = np.clip(_slopes(values, proxies - middle, float(of_all.var())), 0.0, 1 / (most - least))
    expected = np.full(n, middle)
    if is_finite:
        seen = np.cumsum(proxies - middle) - (proxies - middle)
        expected = np.clip(middle - seen / (len(of_all) - before), least, most)
    return slope * (proxies - expected), slope * (most - expected), slope * (expected - least)


def _slopes(values: Floats, proxies: Floats, spread: float) -> Floats:
    """Return the slope of the values on the proxies among the rows before each, shape (n,)."""
    before = np.arange(len(values))
    sums = [np.cumsum(part) - part for part in (values, proxies, values * proxies, proxies * proxies)]
    mean = sums[1] / np.maximum(before, 1)
    together, own = sums[2] - mean * sums[0], sums[3] - mean * sums[1]
    return np.asarray(together / np.maximum(own + _NO_SLOPE * spread, (before + _NO_SLOPE) * spread))
