"""STaR-Bets: an interval for the mean of bounded values at one n, by bets that aim at a target anew at each value.

The game is that of `pipeline.interval.capital`: against a mean of m, a capital of 1 becomes W_t = Π (1 + λ_i (x_i - m))
over i ≤ t. Here each stake is the best one, to second order, for reaching 1/α with the values that are still to come
[Voráček & Orabona 2025, arXiv:2505.22422]:

    λ_t = sqrt(2 (log 1/α - log W_t)₊ / ((n - t) S_t)),   S_t = min(Σ_{i≤t} (x_i - m)²/t + (m + ε) n/t², m (1 - m)).

Once the capital is 1/α no more is bet. From 64 values on a stake is kept for a few of them, as it hardly changes. Each
stake depends on the past alone and is at most 1/m, so no factor is negative; and while the mean is at most m, a factor
is at most 1 + λ (m - m) = 1 on average. So W is a nonnegative supermartingale, and W_n is 1/α or more with a
probability of at most α (Markov's inequality).

Without replacement from N, m is replaced by m_t = (N m - Σ_{i≤t} x_i)/(N - t), the mean of the values that are left.
Given the past the next value is m_t on average if the mean of all is m, and no more if it is less, so with stakes of at
most 1/m_t the same holds. As m_t moves r_t = N/(N - t) times as fast as m, the stakes are r_t times what they would be,
with Σ_{i≥t} r_i² in place of n - t; the paper has draws with replacement alone, and this is our own.

W is not known to fall in m, so the tests are made at the points of a grid that does not depend on the values. The lower
end is the last point before the first that is not rejected. If it is above the mean, the grid's first point from the
mean on was rejected, which has a probability of at most α, for its hypothesis is true. The upper end comes from the
same bets on 1 - x; each has half of α.

The paper's last bet, to reject m at W_n ≥ U/α with a random U in (0, 1), is not made: a run that can be repeated has a
fixed U, for which nothing is promised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# ε of the formula.
_EPSILON = 1e-4
# The share of the capital that may be staked: a little less than all, so that it has a logarithm.
_MOST = 1 - 1e-9
# The least mean of the values that are left: a smaller one is tried as this one, which is to test less.
_LEAST = 1e-12
# Points of the grid for each √n: the steps are then 2 to 3 % of the interval.
_POINTS = 50
# Stakes are made anew after one value, and later after this part of the values before or to come, whichever are fewer.
_BLOCKS = 32
# Products of a batch, a candidate and a value that are worked on together.
_PAIRS = 1 << 18
# Candidates that reached the target are left out once they are one in so many.
_FEW = 10


def star_interval(values: Floats, *, confidence: float, population_size: int | None = None) -> tuple[Floats, Floats]:
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
        The ends, in [0, 1], in order.
    """
    m, n = values.shape
    target = math.log(2 / (1 - confidence))
    points = candidates(n)
    ends = np.empty((2, m))
    at_once = max(1, _PAIRS // len(points))
    for start in range(0, m, at_once):
        block = slice(start, start + at_once)
        for side, own in enumerate((values[block], 1 - values[block])):
            ends[side, block] = lower_ends(own, points, target, population_size)
    low, high = np.minimum(ends[0], 1 - ends[1]), np.maximum(ends[0], 1 - ends[1])
    if population_size is None:
        return low, high
    total = values.sum(axis=1)
    least, most = total / population_size, (total + (population_size - n)) / population_size
    return np.clip(low, least, most), np.clip(high, least, most)


def candidates(n: int) -> Floats:
    """Return the grid for n values, from 0 to 1: even steps of the arcsine of √m, finer towards both ends."""
    count = math.ceil(_POINTS * math.sqrt(n))
    return np.asarray(np.sin(np.linspace(0.0, np.pi / 2, count + 1)) ** 2)


def lower_ends(values: Floats, points: Floats, target: float, size: int | None) -> Floats:
    """Return the lower end of each batch, shape (m,).

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        In [0, 1].
    points : ndarray of float64, shape (k,)
        The candidates, rising from 0.
    target : float
        log 1/α, which the bets aim at.
    size : int or None
        N if the values were drawn without replacement from N.
    """
    m, n = values.shape
    starts = _starts(n)
    before = [np.insert(np.cumsum(each, axis=1), 0, 0.0, axis=1)[:, starts] for each in (values, values**2)]
    rows, speed = np.ascontiguousarray(values.T), np.ones(n) if size is None else size / (size - np.arange(n))
    # An end above the batch's mean is of no use: what is not tried is not rejected.
    batch, point = np.nonzero(points < values.mean(axis=1)[:, None])
    rejected, log_wealth = np.zeros((m, len(points)), dtype=bool), np.zeros(len(batch))
    for i, (start, stop) in enumerate(pairwise(starts)):
        block = _Block(start, stop, n, size, float(speed[start]), float((speed[start:] ** 2).sum()))
        at_once = max(1, _PAIRS // (stop - start))
        for first in range(0, len(batch), at_once):
            part = slice(first, first + at_once)
            b, mean = batch[part], points[point[part]]
            seen, squares = (each[b, i] for each in before)
            stakes = block.stakes(mean, seen, squares, np.maximum(target - log_wealth[part], 0.0))
            log_wealth[part] += block.gains(rows[start:stop].take(b, axis=1), mean, seen, stakes)
        is_done = log_wealth >= target
        if stop == n or is_done.sum() * _FEW > len(batch):
            rejected[batch[is_done], point[is_done]] = True
            batch, point, log_wealth = batch[~is_done], point[~is_done], log_wealth[~is_done]
    kept = np.where(rejected.all(axis=1), len(points), rejected.argmin(axis=1))
    return np.asarray(points[np.maximum(kept - 1, 0)])


def _starts(n: int) -> list[int]:
    """The counts at which stakes are made anew, and n."""
    starts = [0]
    while starts[-1] < n:
        starts.append(starts[-1] + max(1, min(starts[-1], n - starts[-1]) // _BLOCKS))
    return starts


@dataclass(frozen=True)
class _Block:
    """The values from `start` to before `stop`, of n; r and Σ r² at the first of them, and what they are drawn from."""

    start: int
    stop: int
    n: int
    size: int | None
    speed: float
    to_come: float

    def stakes(self, mean: Floats, seen: Floats, squares: Floats, gap: Floats) -> Floats:
        """The stake of each candidate, shape (p,), from the sums before the block and what is missing to the target."""
        t = self.start
        largest = np.maximum(mean if self.size is None else self._left(mean, seen, self.size - self.stop + 1), _LEAST)
        first = np.minimum(mean if self.size is None else self._left(mean, seen, self.size - t), 1.0)
        variance = first * (1 - first)
        if t:
            spread = squares - 2 * mean * seen + t * mean**2
            variance = np.minimum((spread + (mean + _EPSILON) * self.n / t) / t, variance)
        aimed = self.speed * np.sqrt(2 * gap / (self.to_come * np.maximum(variance, _LEAST)))
        return np.asarray(np.minimum(aimed, _MOST / largest))

    def gains(self, x: Floats, mean: Floats, seen: Floats, stakes: Floats) -> Floats:
        """By how much the values, shape (b, p), change the logarithm of each capital, shape (p,)."""
        # A candidate of 0 is tried as one just above.
        left = np.maximum(mean, _LEAST)
        if self.size is not None:
            rows = (self.size - np.arange(self.start, self.stop))[:, None]
            left = np.maximum(self._left(mean, seen + np.cumsum(x, axis=0) - x, rows), _LEAST)
        factors = np.subtract(x, left)
        factors *= stakes
        factors += 1
        # Of 16 factors between 1e-9 and 1e12 the product neither underflows nor overflows.
        ends = range(0, len(x), 16)
        return np.asarray(np.log([factors[i : i + 16].prod(axis=0) for i in ends]).sum(axis=0))

    def _left(self, mean: Floats, seen: Floats, rows: NDArray[np.integer] | int) -> Floats:
        assert self.size is not None
        return np.asarray((self.size * mean - seen) / rows)
