"""The gain of paired differences within declared bounds: a promise that holds at every number of rows."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy
from numpy.typing import NDArray

from .evidence import LEAST_P, Bools, Floats, Gain
from .wager import Stakes, log_capital, log_growth, spread_stakes

# No end is asked about with a larger error, and the smallest stake is made for this one.
_LIKELY_ERROR = 0.025
# By how much of the mean's standard error an end is rounded outwards.
_ROUNDED = 0.001


@dataclass(frozen=True, eq=False)
class BoundedGain(Gain):
    """The gain of a mean whose rows' gains lie in [-R, R], by bets made on all rows at once  [`wager`].

    The capital of the bets that the gain is above a value is 1 on average at most while it is not, so it reaches 1/e
    with a chance of at most e (Markov's inequality), whatever the differences are like: the few that are large may be
    seen or not. The stakes are constant, so the order of the rows does not matter. An end is 1.2 to 1.5 times as far
    from the mean as Student's where many rows are seen, and further where R is large beside σ√n.

    Attributes
    ----------
    n : float
        Rows.
    gains : ndarray, shape (m, rows)
        The rows' gains, which are cut to [-R, R].
    reach : float
        R, in the metric's own unit, above 0.
    """

    n: float
    gains: NDArray[np.floating]
    reach: float
    _grown: dict[tuple[float, float], Floats] = field(default_factory=dict, repr=False)

    @property
    def method(self) -> str:
        """The bets."""
        return f"bets on differences within ±{self.reach:g}, guaranteed at any number of rows"

    @property
    def cut(self) -> int:
        """How many gains of the first sample were cut."""
        return int(np.count_nonzero(np.abs(self.gains[0]) > self.reach))

    @property
    def value(self) -> Floats:
        """The mean gains, as cut."""
        return np.asarray(self.reach * self._scaled.mean(axis=1))

    @property
    def variance(self) -> Floats:
        """The variance of the gains as cut."""
        return np.asarray(self.reach**2 * self._scaled.var(axis=1))

    def is_above(self, at: float, error: float) -> Bools:
        """See `Gain.is_above`."""
        return np.asarray(self._capital(at, 1.0) > -math.log(error))

    def is_below(self, at: float, error: float) -> Bools:
        """See `Gain.is_below`."""
        return np.asarray(self._capital(at, -1.0) > -math.log(error))

    def ends(self, error_low: float, error_high: float) -> tuple[float, float]:
        """See `Gain.ends`; rounded outwards."""
        return self._end(error_low, 1.0), -self._end(error_high, -1.0)

    def of_size(self, n: float) -> BoundedGain:
        """See `Gain.of_size`: each gambler's capital grows as it did."""
        return replace(self, n=n)

    def p(self, at: float) -> float:
        """See `Gain.p`; at least 1e-15."""
        most = max(float(self._capital(at, sign)[0]) for sign in (1.0, -1.0))
        return min(1.0, max(LEAST_P, 2 * math.exp(-max(most, 0.0))))

    def _capital(self, at: float, sign: float) -> Floats:
        """Return the logarithm of the capital of the bets that the gain is above (below) a value, shape (m,)."""
        if (at, sign) not in self._grown:
            self._grown[at, sign] = _grown(sign * self._scaled, self._stakes, sign * at / self.reach)
        return log_capital(self._grown[at, sign] * (self.n / self.gains.shape[1]), self._stakes)

    def _end(self, error: float, sign: float) -> float:
        """Return the largest value, by `sign` turned, that the first sample's bets reject; -R where none is."""
        values, mark = sign * self._scaled[:1], -math.log(error)

        def excess(at: float) -> float:
            grown = _grown(values, self._stakes, at) * (self.n / values.shape[1])
            return float(log_capital(grown, self._stakes)[0]) - mark

        mean = float(values.mean())
        if excess(-1.0) <= 0:
            return -self.reach
        step = _ROUNDED * max(float(values.std()), 1e-9) / math.sqrt(values.shape[1])
        # At the mean itself the capital is 1 at most, by Jensen's inequality.
        return self.reach * (float(scipy.optimize.brentq(excess, -1.0, mean, xtol=step)) - step)

    @cached_property
    def _scaled(self) -> Floats:
        return np.clip(np.asarray(self.gains, dtype=np.float64) / self.reach, -1.0, 1.0)

    @cached_property
    def _stakes(self) -> Stakes:
        return spread_stakes(self.gains.shape[1], _LIKELY_ERROR)


def _grown(values: Floats, stakes: Stakes, at: float) -> Floats:
    return log_growth(values, stakes, np.full(1, at), seen=np.zeros(1), start=0, size=None)
