"""Verdicts of several metrics at once: better, not worse, undecided or worse, with one error for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from ..records.verdict import BETTER, NOT_WORSE, UNDECIDED, WORSE
from .evidence import Bools, Gain
from .unseen import counts_below

Ints = NDArray[np.int64]
# More rows than this are as good as infinitely many.
_MOST_ROWS = 1e15


class Evidence(Protocol):
    """What m samples say of the gain of one metric: a `Gain`, or a `SequentialGain` at any look."""

    @property
    def value(self) -> NDArray[np.float64]:
        """The gain of each sample, shape (m,)."""

    def is_above(self, at: float, error: float) -> Bools:
        """Tell of each sample whether the gain is above `at`, with at most this chance that it is not."""

    def is_below(self, at: float, error: float) -> Bools:
        """Tell of each sample whether the gain is below `at`, with at most this chance that it is not."""


@dataclass(frozen=True, eq=False)
class Verdicts:
    """The verdicts of K metrics on m samples.

    Attributes
    ----------
    codes : ndarray of int, shape (K, m)
        `BETTER`, `NOT_WORSE`, `UNDECIDED` or `WORSE`, of which a larger one is a worse verdict.
    error_low, error_high : ndarray of float64, shape (K, m)
        The chance, given to each end of each metric's interval, that it is on the wrong side of the truth.
    """

    codes: Ints
    error_low: NDArray[np.float64]
    error_high: NDArray[np.float64]

    @property
    def overall(self) -> Ints:
        """The worst verdict of each sample, shape (m,)."""
        found: Ints = self.codes.max(axis=0)
        return found


def decide(gains: Sequence[Evidence], margins: Sequence[float], confidence: float) -> Verdicts:
    """Return the verdict of each metric, Holm-adjusted, so that a wrong one among them has a chance of at most α.

    With α = 1 - `confidence`, each side has the error α/2 for all metrics together, and a metric's interval (low, high)
    of its gain reads

    - better: low > 0
    - not worse: low > -margin
    - worse: high < -margin
    - undecided: none of these.

    Lower ends: metric j's has the error α/2 divided by 1 + the number of *other* metrics that are found better. Upper
    ends: divided by 1 + the number of other metrics that are found worse. So each starts at α/(2K), and the metrics
    that are settled on a side leave their share to those that are not.

    Why the error is controlled. On the upper side the hypotheses "the gain of j is at least -margin_j" are tested, and
    the rule is Holm's, step by step: the chance to call any metric worse that is not is at most α/2. On the lower side
    there are two for each metric, "the gain is at most 0" and "at most -margin", and the second implies the first. The
    rule is the closed test that rejects an intersection of such hypotheses over a set of k metrics by Bonferroni's
    α/(2k)  [Marcus, Peritz & Gabriel 1976, Biometrika 63, 655-660]: within a set the hardest hypothesis of every other
    metric is "at most 0", so only metrics that are found better, about which nothing is left to be said, leave their
    share to others; one that is found not worse does not, because it might still be called better wrongly. Both hold
    however the metrics depend on each other. The two sides add up to α.

    With a `SequentialGain` they hold for all looks together. Each claim stays once it is made, and has at most the
    chance `error` ever to be made wrongly; so the claims of all looks are those of one test, at the end, and whatever
    the rules above reject at an earlier look they reject at the end.

    Parameters
    ----------
    gains : sequence of Evidence
        K metrics, of the same m samples.
    margins : sequence of float
        By how much a metric may be worse, at least 0, in its own unit.
    confidence : float
        1 - α, in (0, 1).
    """
    error = (1 - confidence) / 2
    asked = list(zip(gains, margins, strict=True))
    n, draws = len(gains), len(gains[0].value)
    better, k_low = step_down(lambda k: np.array([gain.is_above(0.0, error / k) for gain in gains]), n, draws)
    worse, k_high = step_down(
        lambda k: np.array([gain.is_below(-margin, error / k) for gain, margin in asked]), n, draws
    )
    not_worse = _each(lambda k: np.array([gain.is_above(-margin, error / k) for gain, margin in asked]), k_low)
    codes = np.select([better, worse, not_worse], [BETTER, WORSE, NOT_WORSE], UNDECIDED)
    return Verdicts(codes.astype(np.int64), error / k_low, error / k_high)


def step_down(rejected: Callable[[int], Bools], n: int, draws: int = 1) -> tuple[Bools, Ints]:
    """Return which of K hypotheses Holm's rule rejects, and by what number the error of each is divided.

    Parameters
    ----------
    rejected : callable
        Takes a number k; returns which hypotheses are rejected with the error divided by k, ndarray of bool, shape
        (K, m). It is asked only for the numbers that occur, of which there are few even where K is large.
    n : int
        K.
    draws : int
        m.

    Returns
    -------
    is_rejected : ndarray of bool, shape (K, m)
    divided_by : ndarray of int, shape (K, m)
        1 + the number of other hypotheses that are not rejected.
    """
    at = cache(rejected)
    found = np.zeros((n, draws), dtype=np.bool_)
    while True:
        # Each round can only add to the last one's rejections.
        more = _each(at, _divisors(found))
        if np.array_equal(more, found):
            return found, _divisors(found)
        found = more


def _each(at: Callable[[int], Bools], divided_by: Ints) -> Bools:
    """Return of each hypothesis what is said at its own number."""
    found = np.zeros(divided_by.shape, dtype=np.bool_)
    for k in np.unique(divided_by).tolist():
        found |= at(k) & (divided_by == k)
    return found


def _divisors(rejected: Bools) -> Ints:
    found: Ints = len(rejected) - (rejected.sum(axis=0) - rejected)
    return found


def rows_to_decide(gain: Gain, margin: float, error_low: float, error_high: float) -> float:
    """Return the fewest rows with which the verdict is another than undecided, if all stays as frequent as it is.

    Parameters
    ----------
    gain : Gain
        What the rows at hand say.
    margin : float
        At least 0.
    error_low, error_high : float
        Of the two ends.

    Returns
    -------
    float
        A whole number, at least the rows at hand; ``inf`` where the gain is exactly the margin, or no row differs.
    """

    def is_decided(n: float) -> bool:
        then = gain.of_size(n)
        return bool(then.is_above(-margin, error_low)[0] or then.is_below(-margin, error_high)[0])

    if gain.n < 2:
        return math.inf
    few = many = float(gain.n)
    while not is_decided(many):
        few, many = many, 2 * many
        if many > _MOST_ROWS:
            return math.inf
    while many - few > 1:
        middle = math.floor((few + many) / 2)
        few, many = (few, middle) if is_decided(middle) else (middle, many)
    return many


def smallest_effect(variance: float, n: float, *, power: float, error: float, unseen: float = 0.0) -> float:
    """Return the true distance from 0 (or from the margin) that n rows show: ``(z_{1-e} + z_{power}) σ/√n``.

    With room for rows not seen z_{1-e} is that of the outermost end, as `mean_gain.MeanGain` has it.

    Parameters
    ----------
    variance : float
        σ² of one row's paired difference.
    n : float
        Rows.
    power : float
        The chance to see it, in (0, 1).
    error : float
        Of one end of the interval, in (0, ½).
    unseen : float
        How far a row unlike those seen may differ, in the unit of σ.

    Examples
    --------
    >>> round(smallest_effect(1.0, 32, power=0.8, error=0.025), 3)
    0.495
    """
    spread, counts = math.sqrt(variance / n), counts_below(error)
    if not unseen or not math.isfinite(spread):
        counts = counts[:1]
    ends = counts * unseen / n - spread * scipy.special.ndtri(np.minimum(error * np.exp(counts), 1.0))
    return float(spread * scipy.special.ndtri(power) + ends.max())
