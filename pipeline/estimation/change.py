"""Has anything changed in a series of samples? A test after each one, which all together rarely alarm for nothing.

The samples are files of different rows, the first of them the reference. Nothing has changed if the rows of all files
are random rows of one world; then the rows are exchangeable. After each further file t = 1, 2, … the series is looked
at: it is split into the last j files and all files before them, the reference among these, for j = 1, 2, 3, 4, 6, 9,
13, … and j = t, which is the reference against everything after it. Each split is a two-sample test:

- of a share, Fisher's exact test: given how many rows are right in both parts together, those in the later part are
  hypergeometric  [Fisher 1935, The Logic of Inductive Inference];
- of any other metric, a bound on the p value of the permutation test of the later part's mean, given all values c. Let
  each of the N rows fall into the later part by a coin of its own, with the chance f = n/N, or with one that is tilted
  by its value, ``π = 1/(1 + exp(-(θ + λc)))``. The permutation test is the fair coins, given that n rows fell there.
  So its p value is at most ``exp(-L) P_π(n fall) / P_f(n fall)``, with L the log-likelihood of the parts under π minus
  that under f; for every θ, and for every λ > 0 where it is tested whether the later part is high, < 0 where it is low
  (Chernoff's bound). L is largest where π is the logistic regression of the part on the value. ``P_f`` is binomial,
  and ``P_π(n fall) ≤ 0.4689 / sqrt(Σ π(1 - π))``  [Baillon, Cominetti & Vaisman 2016, Combinatorics, Probability and
  Computing 25, 352-361]. It needs no bound on the values, no large sample and no random numbers; heavy tails make it
  wide by themselves.

Both are exact given the values of all rows together, so that neither the unknown accuracy nor the shape of the
losses matters. The two sides of a test have half of its level each.

The probability of a false alarm over all looks, however many there will be, is at most α: look t is given
α/(t (t + 1)), which sums to α, and its splits share that evenly (Bonferroni). This needs no independence of the
looks. They are not independent, for the reference and its chance are in every one of them. That is why the product of
one e-value a file, each against the same reference, would not do: given a reference that is high by chance, each of
its factors expects more than 1, and the product grows without a change. A reference that is taken for the truth fails
in the same way. Here its finite size is part of each test. Spending α by looks finds a change sooner than an e-process
that may be looked at after every row, because files are few: at 96 % accuracy and 500 rows a file, a drop by five
points that comes after half a dozen files is found in 98 of 100 series, in most at the first file that has it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The places on which values are counted. They are 1 % apart: the p values are the larger by it, never the smaller.
MOST = 1e8
_ABOVE: Floats = np.geomspace(1 / MOST, MOST, 3703)
GRID: Floats = np.concatenate([-_ABOVE[::-1], [0.0], _ABOVE])
# The most that P(k successes) can be times the standard deviation of their number, for any independent trials.
_MOST_LIKELY = 0.46883
_MOST_STEPS, _MOST_HALVINGS = 40, 30


@dataclass(frozen=True, eq=False)
class Sample:
    """What the test takes of a file, or of several together.

    Attributes
    ----------
    n : int
        Rows, at least 1.
    total : float
        The sum of their values; of a share the number of rows that are right.
    weights : ndarray of float64, shape (places,), or None
        How many values lie at each place of `GRID`, not whole: a value between two places counts in part at both, so
        that the mean stays. None for a share.
    """

    n: int
    total: float
    weights: Floats | None = None

    def __add__(self, other: Sample) -> Sample:
        """Return both together."""
        if self.weights is None or other.weights is None:
            return Sample(self.n + other.n, self.total + other.total)
        return Sample(self.n + other.n, self.total + other.total, self.weights + other.weights)

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return self.total / self.n


@dataclass(frozen=True)
class Look:
    """What was found when a file had come.

    Attributes
    ----------
    p : float
        Of the most telling split, multiplied for all looks, splits and metrics. The probability that it ever is α or
        less is at most α if nothing changes.
    since : int
        Which file is the first of the later part, from 1.
    """

    p: float
    since: int


def counted(blocks: Iterable[Floats]) -> Sample:
    """Count values by the places of `GRID`.

    Parameters
    ----------
    blocks : iterable of ndarray of float64
        The values, -`MOST` … `MOST`, at least one.
    """
    n, totals, weights = 0, [], np.zeros(len(GRID))
    for values in blocks:
        above = np.clip(np.searchsorted(GRID, values, side="left"), 1, len(GRID) - 1)
        part = (values - GRID[above - 1]) / (GRID[above] - GRID[above - 1])
        weights += np.bincount(above, part, len(GRID)) + np.bincount(above - 1, 1 - part, len(GRID))
        totals.append(float(values.sum()))
        n += len(values)
    return Sample(n, math.fsum(totals), weights)


def looks(samples: Sequence[Sample], *, tests: int = 1) -> list[Look]:
    """Look at a series after each file that follows the reference.

    Parameters
    ----------
    samples : sequence of Sample
        The reference first, then the files in their order.
    tests : int
        How many metrics are looked at; they share α evenly.

    Returns
    -------
    list of Look
        One for each file after the reference.
    """
    sums = [samples[0]]
    for sample in samples[1:]:
        sums.append(sums[-1] + sample)
    found = []
    for t in range(1, len(samples)):
        after, best = samples[t], Look(math.inf, t)
        lengths = _lengths(t)
        for j in range(1, t + 1):
            if j > 1:
                after = samples[t - j + 1] + after
            if j in lengths:
                before = sums[t - j]
                p = _share_p(before, after) if after.weights is None else _mean_p(before, after)
                best = min(best, Look(p, t - j + 1), key=lambda look: look.p)
        found.append(Look(min(1.0, best.p * len(lengths) * t * (t + 1) * tests), best.since))
    return found


def _lengths(t: int) -> list[int]:
    """How many files the later part has: 1, then half as many again and one more at least, and all t."""
    lengths, j = [], 1
    while j < t:
        lengths.append(j)
        j = max(j + 1, j * 3 // 2)
    return [*lengths, t]


def _share_p(before: Sample, after: Sample) -> float:
    """Fisher's exact test, both sides: twice the smaller tail."""
    right, of = round(after.total), (before.n + after.n, round(before.total + after.total), after.n)
    few, many = scipy.stats.hypergeom.cdf(right, *of), scipy.stats.hypergeom.sf(right - 1, *of)
    return min(1.0, 2 * float(min(few, many)))


def _mean_p(before: Sample, after: Sample) -> float:
    """A bound on the permutation test's p value, both sides: any tilt gives one, the logistic regression's a small one.

    A value between two places counts at both, which makes the bound larger: log(1 + exp(θ + λc)) is convex in c. As
    π(1 - π) has one peak in c, it is at least its smallest value at a place and the two beside it.
    """
    weights = (before + after).weights
    assert weights is not None
    there = np.flatnonzero(weights)
    span = slice(max(there[0] - 1, 0), there[-1] + 2)
    w, c, n, size = weights[span], GRID[span], after.n, before.n + after.n
    centre = (before.total + after.total) / size
    scale = math.sqrt(max(float(w @ (c - centre) ** 2) / size, 0.0))
    if scale == 0 or before.mean == after.mean:
        return 1.0
    gain, chances = _fitted(w, (c - centre) / scale, (after.total - n * centre) / scale, n)
    spread = chances * (1 - chances)
    beside = np.pad(spread, 1, mode="edge")
    least = float(w @ np.minimum(spread, np.minimum(beside[:-2], beside[2:])))
    together = min(0.0, math.log(_MOST_LIKELY) - 0.5 * math.log(least)) if least > 0 else 0.0
    alone = float(scipy.stats.binom.logpmf(n, size, n / size))
    return min(1.0, 2 * math.exp(min(0.0, together - alone - gain)))


def _fitted(w: Floats, z: Floats, total: float, n: int) -> tuple[float, Floats]:
    """Fit the logistic regression of the part on the value by Newton's steps, halved where they lead down.

    Parameters
    ----------
    w, z : ndarray of float64, shape (places,)
        Rows at each place, and the values there, standardised.
    total, n : float, int
        The sum of z in the later part, and its rows.

    Returns
    -------
    gain : float
        By how much its log-likelihood is above that of equal chances.
    chances : ndarray of float64, shape (places,)
        The fitted chances.
    """
    size = float(w.sum())
    base = n * math.log(n / size) + (size - n) * math.log1p(-n / size)
    at, gain = np.array([0.0, math.log(n / (size - n))]), 0.0
    chances = np.full(len(z), n / size)
    for _ in range(_MOST_STEPS):
        own = w * chances * (1 - chances)
        slope = np.array([total - (w * chances) @ z, n - w @ chances])
        bend = np.array([[own @ z**2, own @ z], [own @ z, own.sum()]])
        if not np.linalg.det(bend) > 0:
            break
        step = np.linalg.solve(bend, slope)
        for _ in range(_MOST_HALVINGS):
            tilted = (at + step)[0] * z + (at + step)[1]
            found = float((at + step) @ [total, n] - w @ np.logaddexp(0.0, tilted)) - base
            if found >= gain:
                break
            step = step / 2
        else:
            break
        is_done = found - gain < 1e-9 * max(1.0, gain)
        at, gain, chances = at + step, found, scipy.special.expit(tilted)
        if is_done:
            break
    return gain, chances
