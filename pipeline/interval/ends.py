"""Where the capital of bets against a mean reaches its mark: the ends of `pipeline.interval.capital`'s intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

Floats = NDArray[np.float64]

# Factors that are multiplied before a logarithm is taken: none is near 0 where it is safe, and all are far below 1e9.
_CHUNK = 32
# What a factor counts at least where it is not judged.
_TINY = 1e-300
# By how much log K may pass its mark, 3.7 at 95 %, where an end is put: the ends are rounded outwards.
_SLACK = 1e-3
# Candidates for an end, by which a stretch of a sequence is computed.
_NODES = 11
# Where they stand between the end so far and the farthest, the closer the nearer to the end.
_STEPS = (np.arange(_NODES) / (_NODES - 1)) ** 2


@dataclass(frozen=True, eq=False)
class Bets:
    """The factors u - v m of m batches, and below which m they are well above 0; each of shape (m, n)."""

    u: Floats
    v: Floats
    safe: Floats


def lower_ends(bets: Bets, mark: float) -> Floats:
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
        # From the mark to _SLACK above it counts as found: an end is itself refused.
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


def lower_paths(values: Floats, bets: Bets, mark: float, size: int | None) -> Floats:
    """Return the lower end of each batch at every count, shape (m, n).

    A stretch of counts is worked on together: log K at each count is computed for _NODES candidates that depend on the
    past alone. Between two of them a concave function lies above its chord, so an end taken from the chord is refused.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        What the bets were made on.
    bets : Bets
        Of the same shape.
    mark : float
        A logarithm.
    size : int or None
        N where the values were drawn without replacement from N.
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
            # Beyond what is safe a factor may be negative, and nothing is refused.
            excess[nodes[:, :, None] > safe[:, None, start:stop]] = -np.inf
        roots = np.maximum.accumulate(_chord_roots(nodes, excess), axis=1)
        ends[:, start:stop] = np.maximum(roots, low[:, None])
        low = ends[:, stop - 1].copy()
        total += values[:, start:stop].sum(axis=1)
    return ends


def _stretches(n: int, size: int | None) -> list[int]:
    """Where stretches start, the same for every n but for its last; in whole chunks, once there are any."""
    starts = [0, 1]
    while starts[-1] < n:
        last = starts[-1]
        # So many more are told as much again, v_t again; without replacement that is fewer and fewer.
        following = last + math.ceil(last if size is None else last * (size - last) / (size + last))
        starts.append(following if following <= _CHUNK else -(-following // _CHUNK) * _CHUNK)
    return [*(start for start in starts if start < n), n]


def _log_capital(bets: Bets, nodes: Floats, start: int, stop: int, mark: float) -> Floats:
    """Return log K less the mark at the counts start + 1 … stop, shape (m, k, stop - start), of candidates (m, k)."""
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
    """Return where chords of functions that fall, shape (m, nodes, k), cross 0, shape (m, k); 0 if they start below."""
    refused = np.count_nonzero(excess >= 0, axis=1)
    i = np.minimum(np.maximum(refused - 1, 0), nodes.shape[1] - 2)
    row, column = np.arange(len(nodes))[:, None], np.arange(excess.shape[2])
    is_inside = (refused > 0) & (refused < nodes.shape[1])
    left = np.where(is_inside, excess[row, i, column], 0.0)
    right = np.where(is_inside, excess[row, i + 1, column], -1.0)
    at = nodes[row, i]
    inner = at + (nodes[row, i + 1] - at) * left / (left - right)
    return np.where(refused == 0, 0.0, np.where(is_inside, inner, nodes[:, -1:]))
