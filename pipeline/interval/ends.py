"""Root finding for `pipeline.interval.capital`: the largest mean at which the capital of the bets reaches its mark."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Factors that are multiplied before a logarithm is taken. Below `Bets.safe` none is near 0, and all are far below 1e9,
# so the product neither underflows nor overflows.
_CHUNK = 32
# A lower bound of factors above `Bets.safe`, whose results are discarded.
_TINY = 1e-300
# Tolerance of log K above its mark (3.7 at 95 %) at an end: ends are rounded outwards.
_SLACK = 1e-3
# Candidates for an end in each stretch of a sequence.
_NODES = 11
# Their relative positions between the end so far and the farthest candidate: denser near the end so far.
_STEPS = (np.arange(_NODES) / (_NODES - 1)) ** 2


@dataclass(frozen=True, eq=False)
class Bets:
    """The factors u - v m of the capital, and the largest m at which they are well above 0; each of shape (m, n)."""

    u: Floats
    v: Floats
    safe: Floats


def lower_ends(bets: Bets, mark: float) -> Floats:
    """Return the largest mean of each batch at which the capital ever reached the mark, shape (m,); 0 if at none.

    Parameters
    ----------
    bets : Bets
        Of m batches of n values.
    mark : float
        The logarithm of the capital that rejects a mean.
    """
    from scipy.optimize import elementwise

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
        # Any capital from the mark to _SLACK above it is accepted, so that the end itself is a rejected mean.
        found = elementwise.find_root(
            lambda candidates, batch: excess(candidates, batch) - _SLACK / 2,
            (np.zeros(len(inside)), most[inside]),
            args=(inside,),
            tolerances={"fatol": _SLACK / 2, "frtol": 0.0, "xatol": 0.0, "xrtol": 0.0},
        )
        low[inside] = np.where(found.success, found.x, 0.0)
    return low


def _in_chunks(rows: Floats, fill: float) -> Floats:
    """Cut rows, shape (m, n), into consecutive chunks: shape (length, m, chunks)."""
    m, n = rows.shape
    length = min(n, _CHUNK)
    padded = np.full((m, -(-n // length) * length), fill)
    padded[:, :n] = rows
    return np.ascontiguousarray(padded.reshape(m, -1, length).transpose(2, 0, 1))


def _most_capital(u: Floats, v: Floats, candidates: Floats) -> Floats:
    """Return the logarithm of the largest capital at any count, of each batch at its candidate mean, shape (m,)."""
    m = candidates[:, None]
    capital = u[0] - v[0] * m
    most = capital.copy()
    for u_t, v_t in zip(u[1:], v[1:], strict=True):
        capital *= u_t - v_t * m
        np.maximum(most, capital, out=most)
    gained = np.log(capital)
    return np.asarray((np.cumsum(gained, axis=1) - gained + np.log(most)).max(axis=1))


def lower_paths(values: Floats, bets: Bets, mark: float, size: int | None) -> Floats:
    """Return the lower end of each batch at every count, shape (m, n).

    Counts are worked on in stretches: log K at each count is computed at _NODES candidates, which depend on the past
    alone. log K is concave, so between two candidates it lies above its chord, and a root of the chord is rejected too.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        The values that the bets were made on.
    bets : Bets
        Of the same shape.
    mark : float
        The logarithm of the capital that rejects a mean.
    size : int or None
        N if the values were drawn without replacement from N.
    """
    m, n = values.shape
    safe = np.minimum.accumulate(bets.safe, axis=1)
    ends, low, total = np.empty((m, n)), np.zeros(m), np.zeros(m)
    for start, stop in pairwise(_stretches(n, size)):
        guess = (0.5 + total) / (start + 1)
        far = np.minimum(np.where(guess > low, guess, 1.0), safe[:, start - 1] if start else 1.0)
        nodes = low[:, None] + np.maximum(far - low, 0.0)[:, None] * _STEPS
        excess = _log_capital(bets, nodes, start, stop, mark + _SLACK / 2)
        if (nodes[:, -1] > safe[:, stop - 1]).any():
            # Above `safe` a factor may be negative, so no mean is rejected there.
            excess[nodes[:, :, None] > safe[:, None, start:stop]] = -np.inf
        roots = np.maximum.accumulate(_chord_roots(nodes, excess), axis=1)
        ends[:, start:stop] = np.maximum(roots, low[:, None])
        low = ends[:, stop - 1].copy()
        total += values[:, start:stop].sum(axis=1)
    return ends


def _stretches(n: int, size: int | None) -> list[int]:
    """The starts of the stretches, and n. They do not depend on n, and are multiples of _CHUNK once larger than it."""
    starts = [0, 1]
    while starts[-1] < n:
        last = starts[-1]
        # Each stretch doubles the information v_t; without replacement that takes fewer and fewer values.
        following = last + math.ceil(last if size is None else last * (size - last) / (size + last))
        starts.append(following if following <= _CHUNK else -(-following // _CHUNK) * _CHUNK)
    return [*(start for start in starts if start < n), n]


def _log_capital(bets: Bets, nodes: Floats, start: int, stop: int, mark: float) -> Floats:
    """Return log K minus the mark at counts start + 1 … stop, shape (m, k, stop - start), for candidates (m, k)."""
    u, v, nodes = bets.u[:, None], bets.v[:, None], nodes[:, :, None]
    length = max(1, start // _CHUNK)
    before = np.ones((*nodes.shape[:2], length if start else 0))
    for i in range(0, start, length):
        before *= u[..., i : i + length] - v[..., i : i + length] * nodes
    logs = v[..., start:stop] * nodes
    np.subtract(u[..., start:stop], logs, out=logs)
    for factors in (before, logs):
        np.log(np.maximum(factors, _TINY, out=factors), out=factors)
    logs[..., 0] += before.sum(axis=2) - mark
    return np.cumsum(logs, axis=2, out=logs)


def _chord_roots(nodes: Floats, excess: Floats) -> Floats:
    """Return the roots, shape (m, k), of falling functions given at nodes, shape (m, nodes, k); 0 if all are < 0."""
    rejected = np.count_nonzero(excess >= 0, axis=1)
    i = np.minimum(np.maximum(rejected - 1, 0), nodes.shape[1] - 2)
    row, column = np.arange(len(nodes))[:, None], np.arange(excess.shape[2])
    is_inside = (rejected > 0) & (rejected < nodes.shape[1])
    left = np.where(is_inside, excess[row, i, column], 0.0)
    right = np.where(is_inside, excess[row, i + 1, column], -1.0)
    at = nodes[row, i]
    inner = at + (nodes[row, i + 1] - at) * left / (left - right)
    return np.where(rejected == 0, 0.0, np.where(is_inside, inner, nodes[:, -1:]))
