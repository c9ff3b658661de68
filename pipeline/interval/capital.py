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
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

Floats = NDArray[np.float64]

# The share c of the capital that a bet may lose if the mean is as guessed. Chosen by the widths on the losses and the
# correctness of a published network: long sequences pay for bold early bets, while short ones gain by them.
_CUT_FIXED, _CUT_SEQUENCE = 0.9, 0.75
# The same for any m that may be refused.
_MOST = 0.97
# Factors that are multiplied before a logarithm is taken: each is above 1 - _MOST and far below 1e9.
_CHUNK = 32
# What a factor counts at least where it is not judged.
_TINY = 1e-300
# By how much log K may pass its mark, 3.7 at 95 %, where an end is put: the ends are rounded outwards.
_SLACK = 1e-3
# Values of the batches that are worked on together: enough to make calls few, few enough for a cache.
_BLOCK_VALUES = 1 << 18
# Candidates for an end, by which a stretch of a sequence is computed, and how much longer each stretch is.
_NODES, _GROWTH = 12, 1.5
# Where they stand between the end so far and the farthest, the closer the nearer to the end.
_STEPS = (np.arange(_NODES) / (_NODES - 1)) ** 2


@dataclass(frozen=True, eq=False)
class _Bets:
    """The factors u - v m of m batches, and below which m they are well above 0; each of shape (m, n)."""

    u: Floats
    v: Floats
    safe: Floats


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
        As in `fixed_interval`; rounded outwards by some 0.1 % of the width. Without replacement, the mean itself at N.
    """
    counts = np.asarray(at, dtype=np.intp)
    values = np.asarray(values, dtype=np.float64)[: int(counts.max(initial=0))]
    mark = math.log(2 / (1 - confidence))
    sides = np.stack([values, 1 - values])
    paces = _paces(len(values), population_size, is_fixed=False)
    bets = _bets(sides, paces, mark, population_size, cut=_CUT_SEQUENCE)
    low, high = _lower_paths(sides, bets, mark + _SLACK)[:, counts - 1]
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
            ends[i, block] = _lower_ends(_bets(side, paces, mark, size, cut=cut), mark + _SLACK)
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


def _bets(values: Floats, paces: Floats, mark: float, size: int | None, *, cut: float) -> _Bets:
    """Return the bets on values above the mean, for values of shape (m, n)."""
    before = np.arange(values.shape[1])
    total = np.cumsum(values, axis=1)
    squares = (values - (0.5 + total) / (before + 2)) ** 2
    total -= values
    variance = (0.25 + np.cumsum(squares, axis=1) - squares) / (before + 1)
    guess = np.minimum((0.5 + total) / (before + 1) + 2 * np.sqrt(variance / (before + 1)), 1.0)
    stake = np.minimum(np.sqrt(2 * mark / (variance * paces)), cut / guess)
    if size is None:
        return _Bets(1 + stake * values, stake, _MOST / stake)
    left = size - before
    gone = total / left
    return _Bets(1 + stake * (values + gone), stake * (size / left), (_MOST / stake + gone) * (left / size))


def _lower_ends(bets: _Bets, mark: float) -> Floats:
    """Return the largest m, of each batch, whose capital ever reached the mark (a logarithm); else 0."""
    m = len(bets.u)
    u, v = _in_chunks(bets.u, 1.0), _in_chunks(bets.v, 0.0)
    most = np.minimum(bets.safe.min(axis=1), 1.0)

    def excess(candidates: Floats, batch: NDArray[np.intp]) -> Floats:
        is_all = len(batch) == m
        return _most_capital(u if is_all else u[:, batch], v if is_all else v[:, batch], candidates) - mark

    every = np.arange(m)
    at_most = excess(most, every)
    low = np.where(at_most >= 0, most, 0.0)
    (inside,) = np.nonzero((excess(np.zeros(m), every) > 0) & (at_most < 0))
    if len(inside):
        # From _SLACK above the mark down to the mark itself is what counts as found, so the end is refused, not beyond.
        found = elementwise.find_root(
            lambda candidates, batch: excess(candidates, batch) - _SLACK / 2,
            (np.zeros(len(inside)), most[inside]),
            args=(inside,),
            tolerances={"fatol": _SLACK / 2, "frtol": 0.0, "xatol": 0.0, "xrtol": 0.0},
        )
        low[inside] = np.where(found.success, found.x, 0.0)
    return low


def _in_chunks(rows: Floats, fill: float) -> Floats:
    """Cut rows, shape (m, n), to chunks that follow each other: shape (length, m, chunks)."""
    m, n = rows.shape
    length = min(n, _CHUNK)
    padded = np.full((m, -(-n // length) * length), fill)
    padded[:, :n] = rows
    return np.ascontiguousarray(padded.reshape(m, -1, length).transpose(2, 0, 1))


def _most_capital(u: Floats, v: Floats, candidates: Floats) -> Floats:
    """Return the logarithm of the largest capital ever owned, of each batch at its candidate, shape (m,)."""
    m = candidates[:, None]
    capital = u[0] - v[0] * m
    most = capital.copy()
    for u_t, v_t in zip(u[1:], v[1:], strict=True):
        capital *= u_t - v_t * m
        np.maximum(most, capital, out=most)
    gained = np.log(capital)
    return np.asarray((np.cumsum(gained, axis=1) - gained + np.log(most)).max(axis=1))


def _lower_paths(values: Floats, bets: _Bets, mark: float) -> Floats:
    """Return the lower end of each batch at every count, shape (m, n).

    A stretch of counts is worked on together: log K at each count is computed for _NODES candidates, which stand the
    closer the nearer to the end so far and depend on the past alone. Between two of them a concave function lies above
    its chord, so the end taken from the chord is one that is refused.
    """
    m, n = values.shape
    safe = np.minimum.accumulate(bets.safe, axis=1)
    ends, low, total = np.zeros((m, n)), np.zeros(m), np.zeros(m)
    for start, stop in pairwise(_stretches(n)):
        guess = (0.5 + total) / (start + 1)
        far = np.minimum(np.where(guess > low, guess, 1.0), safe[:, start - 1] if start else 1.0)
        stretch = slice(start, stop)
        for b in range(m):
            nodes = low[b] + max(far[b] - low[b], 0.0) * _STEPS
            factors = bets.u[b, stretch] - bets.v[b, stretch] * nodes[:, None]
            before = _log_capital(bets.u[b, :start], bets.v[b, :start], nodes[:, None])
            gained = np.cumsum(np.log(np.maximum(factors, _TINY)), axis=1)
            # A candidate is judged as long as no factor could have come near 0 with it.
            excess = np.where(nodes[:, None] <= safe[b, stretch], before[:, None] + gained - mark, -np.inf)
            ends[b, stretch] = np.maximum.accumulate(np.maximum(low[b], _chord_roots(nodes, excess)))
        low = ends[:, stop - 1].copy()
        total += values[:, stretch].sum(axis=1)
    return ends


def _stretches(n: int) -> list[int]:
    """Where stretches start; the same for every n, but for the last, and whole chunks from the first of them on."""
    starts = [0]
    while starts[-1] < n:
        following = max(starts[-1] + 1, int(starts[-1] * _GROWTH))
        starts.append(following if following <= _CHUNK else -(-following // _CHUNK) * _CHUNK)
    return [*starts[:-1], n]


def _log_capital(u: Floats, v: Floats, nodes: Floats) -> Floats:
    """Return log K after all of u and v, shape (k,), for candidates of shape (k, 1)."""
    length = max(1, len(u) // _CHUNK)
    capital = np.ones((len(nodes), length))
    for start in range(0, len(u), length):
        capital *= u[start : start + length] - v[start : start + length] * nodes
    return np.asarray(np.log(capital).sum(axis=1))


def _chord_roots(nodes: Floats, excess: Floats) -> Floats:
    """Return where the chords of falling functions, shape (nodes, k), cross 0; 0 where they start below it."""
    refused = (excess >= 0).sum(axis=0)
    i, k = np.clip(refused - 1, 0, len(nodes) - 2), np.arange(excess.shape[1])
    is_inside = (refused > 0) & (refused < len(nodes))
    left, right = np.where(is_inside, excess[i, k], 0.0), np.where(is_inside, excess[i + 1, k], -1.0)
    inner = nodes[i] + (nodes[i + 1] - nodes[i]) * left / (left - right)
    return np.where(refused == 0, 0.0, np.where(refused == len(nodes), nodes[-1], inner))
