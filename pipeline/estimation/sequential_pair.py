"""The paired gain of one metric, row by row: is it above a value, or below one, with an error that holds at any look.

A gain is a row's difference with the sign by which above 0 is better, cut to [-R, R] and divided by R. Rows come in
random order. The bets of `pipeline.estimation.wager` are made on it, against "at most" and against "at least" 0 and
minus the margin; a side is claimed with the error e once the capital has reached 1/e. The interval at a look holds the
gains that the same bets have not rejected at that look or before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import scipy
from numpy.typing import NDArray

from .wager import NOTHING, Floats, even_stakes, least_mean, log_capital, log_growth, spread_stakes

Bools = NDArray[np.bool_]

# By how much of the mean's standard error an end of an interval may be rounded outwards.
_ROUNDED = 0.005


@dataclass(eq=False)
class _Bets:
    """The bets that the gain times `sign` is above `at` times `sign`, of m orders: log capitals, now and at most."""

    sign: float
    at: float
    logs: Floats
    most: Floats


@dataclass(eq=False)
class SequentialGain:
    """The evidence of the rows so far on the gain of one metric, for m orders of the rows at once.

    Attributes
    ----------
    margin : float
        The other value beside 0 that the gain is asked about is -`margin`; at least 0, in the metric's own unit.
    rows : int
        The most rows that there will be.
    error : float
        The smallest error that an end will be asked about with, in (0, ½).
    reach : float
        R, in the metric's own unit: gains are cut to [-R, R]. 1 for a share.
    size : int or None
        N where the gain of the N rows is meant that these are drawn from without replacement; None for the world's.
    is_share : bool
        Whether the gains are -1, 0 and 1.
    orders : int
        m.
    """

    margin: float
    rows: int
    error: float
    reach: float = 1.0
    size: int | None = None
    is_share: bool = False
    orders: int = 1
    n: int = field(default=0, init=False)
    cut: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._stakes = even_stakes() if self.is_share else spread_stakes(self.rows, self.error)
        self._total = np.zeros(self.orders)
        self._taken: list[Floats] = []
        self._bets = {(sign, at): self._new(sign, at) for at in (0.0, -self.margin) for sign in (1.0, -1.0)}

    def take(self, gains: Floats) -> None:
        """Take the gains of the next rows, shape (m, b), in the metric's own unit; with them one look."""
        self.cut += int(np.count_nonzero(np.abs(gains) > self.reach))
        values = np.clip(gains / self.reach, -1.0, 1.0)
        for bets in self._bets.values():
            bets.logs += log_growth(
                bets.sign * values,
                self._stakes,
                np.full(1, bets.sign * bets.at / self.reach),
                seen=bets.sign * self._total,
                start=self.n,
                size=self.size,
            )
            np.maximum(bets.most, log_capital(bets.logs, self._stakes), out=bets.most)
        self._total += values.sum(axis=1)
        self.n += values.shape[1]
        self._taken.append(values)
        for bets in self._bets.values():
            # What the rows seen leave no room for is certain.
            is_out = least_mean(bets.sign * self._total, self.n, self.size) > bets.sign * bets.at / self.reach
            bets.most[is_out] = np.inf

    @property
    def value(self) -> Floats:
        """The mean of the gains so far, as cut, shape (m,)."""
        return self.reach * self._total / self.n

    def is_above(self, at: float, error: float) -> Bools:
        """Tell of each order whether any look so far had the gain above `at`, which is 0 or -`margin`.

        Parameters
        ----------
        at : float
        error : float
            The chance that any look ever has, although it is not.

        Returns
        -------
        ndarray of bool, shape (m,)
        """
        return self._bets[1.0, at].most >= -math.log(error)

    def is_below(self, at: float, error: float) -> Bools:
        """Tell of each order whether any look so far had the gain below `at`, which is 0 or -`margin`."""
        return self._bets[-1.0, at].most >= -math.log(error)

    def p(self, at: float) -> float:
        """Return the two-sided p value of a gain of `at` (0 or -`margin`), of the first order; it holds at any look."""
        most = max(float(self._bets[sign, at].most[0]) for sign in (1.0, -1.0))
        return min(1.0, 2 * math.exp(-max(most, 0.0)))

    def rows_to_decide(self, error_low: float, error_high: float) -> float:
        """Return with how many rows the first order would be above or below -`margin`, if all stays as it is.

        Rows to come are taken as rows of the world, which without replacement says rather too many.

        Returns
        -------
        float
            A whole number; ``inf`` where no number of rows would do.
        """
        sides = ((1.0, error_low), (-1.0, error_high))
        return min(self._rows_until(self._bets[sign, -self.margin].logs, -math.log(error)) for sign, error in sides)

    def _rows_until(self, logs: Floats, mark: float) -> float:
        """Each gambler's capital grows as it did so far; the rows at which the sum of all reaches the mark."""
        wins = logs[0] > 0
        if not wins.any():
            return math.inf
        # The best gambler alone needs no more than so many times the rows.
        far = float(((mark - np.log(self._stakes.shares[wins])) / logs[0][wins]).min())
        least = np.maximum(logs[:1], -NOTHING)
        times = scipy.optimize.brentq(lambda x: float(log_capital(x * least, self._stakes)[0]) - mark, 0.0, far + 1.0)
        return float(max(self.n, math.ceil(self.n * times)))

    def path(self, looks: Sequence[int], error_low: float, error_high: float) -> tuple[Floats, Floats, Floats]:
        """Return the means of the first order at some looks, and its confidence sequence: all intervals hold together.

        Each interval is what the bets at this and the earlier of the `looks` leave. It is rounded outwards.

        Parameters
        ----------
        looks : sequence of int
            Numbers of rows at which there was a look, rising.
        error_low, error_high : float
            The chance that the lower end is ever above the gain, and the upper one below it.

        Returns
        -------
        (ndarray, ndarray, ndarray) of float64, shape (k,)
            Mean gains as cut, lower ends and upper ends, in the metric's own unit.
        """
        values = np.concatenate([block[:1] for block in self._taken], axis=1)
        counts = np.asarray(looks, dtype=np.intp)
        means = np.cumsum(values[0])[counts - 1] / counts
        low = self._ends(values, looks, -math.log(error_low))
        high = -self._ends(-values, looks, -math.log(error_high))
        return self.reach * means, self.reach * np.minimum(low, high), self.reach * np.maximum(low, high)

    def _ends(self, values: Floats, looks: Sequence[int], mark: float) -> Floats:
        """Return the lower end at each look, scaled: the largest mean that was ever rejected."""
        end, ends = -1.0, []
        for n in looks:
            part, mean = values[:, :n], float(values[0, :n].mean())
            step = _ROUNDED * max(float(values[0, :n].std()), 1e-6) / math.sqrt(n)
            end = max(end, float(least_mean(part.sum(axis=1), n, self.size)[0]))

            def excess(at: float, part: Floats = part) -> float:
                logs = log_growth(part, self._stakes, np.full(1, at), seen=np.zeros(1), start=0, size=self.size)
                return float(log_capital(logs, self._stakes)[0]) - mark

            if excess(end) > 0:
                far = mean if excess(mean) < 0 else 1.0
                end = max(end, scipy.optimize.brentq(excess, end, far, xtol=step) - step)
            ends.append(end)
        return np.array(ends)

    def _new(self, sign: float, at: float) -> _Bets:
        logs = np.zeros((self.orders, len(self._stakes.sizes)))
        return _Bets(sign, at, logs, np.zeros(self.orders))
