"""What the rows of two models say of a metric's gain, and the gain of a share.

`evidence` says what a gain is, `mean_gain` has that of a mean, `bounded_gain` that of differences within bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ..metric.base import Metric
from ..records.stored import let_go
from ..sampling.units import Units
from .bounded_gain import BoundedGain
from .evidence import LEAST_P, Bools, Floats, Gain
from .mcnemar import discordant
from .mean_gain import MeanGain
from .prediction_powered import ProxyDifference
from .tango import score_interval
from .unseen import assumed

# Rows that are worked on together: few enough for a core's own cache, and for memory that is at hand.
_AT_ONCE = 1 << 14
# Relative to the mean, what subtracting two numbers may leave of a difference that is the same in every row.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class ShareGain(Gain):
    """The gain of a share, such as the accuracy, by Tango's score interval (`tango.score_interval`).

    Attributes
    ----------
    n : float
        Rows.
    gained, lost : ndarray of float64, shape (m,)
        Rows that the second model alone has right, and those that the first alone has.
    """

    n: float
    gained: Floats
    lost: Floats

    @property
    def method(self) -> str:
        """Tango's."""
        return "Tango's score interval of paired shares"

    @property
    def value(self) -> Floats:
        """The differences of the shares."""
        return (self.gained - self.lost) / self.n

    @property
    def variance(self) -> Floats:
        """The variance of -1, 0 and 1."""
        return (self.gained + self.lost) / self.n - self.value**2

    def is_above(self, at: float, error: float) -> Bools:
        """See `Gain.is_above`."""
        return self._score(at) > -scipy.special.ndtri(error)

    def is_below(self, at: float, error: float) -> Bools:
        """See `Gain.is_below`."""
        return self._score(at) < scipy.special.ndtri(error)

    def ends(self, error_low: float, error_high: float) -> tuple[float, float]:
        """See `Gain.ends`."""
        gained, lost, n = int(self.gained[0]), int(self.lost[0]), int(self.n)
        low, _ = score_interval(gained, lost, n, 1 - 2 * error_low)
        return low, score_interval(gained, lost, n, 1 - 2 * error_high)[1]

    def of_size(self, n: float) -> ShareGain:
        """See `Gain.of_size`; the numbers of rows need not be whole."""
        return ShareGain(n, self.gained * (n / self.n), self.lost * (n / self.n))

    def p(self, at: float) -> float:
        """See `Gain.p`: of the score test, which at 0 is McNemar's without a correction; at least 1e-15."""
        return float(min(1.0, max(LEAST_P, 2 * scipy.special.ndtr(-abs(self._score(at)[0])))))

    def _score(self, at: float) -> Floats:
        """Return (b - c - nΔ) / √(n (2q + Δ(1 - Δ))), with q the share lost that is likeliest at Δ  [Tango 1998]."""
        gained, lost, n = self.gained, self.lost, self.n
        linear = -gained - lost + (2 * n - gained + lost) * at
        constant = -lost * at * (1 - at)
        root = np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0.0))
        # Of the two forms of the root, the one that adds numbers of one sign.
        positive = linear > 0
        q = np.where(positive, -2 * constant / np.where(positive, linear + root, 1.0), (root - linear) / (4 * n))
        spread = np.maximum(2 * q + at * (1 - at), 0.0)
        off = gained - lost - n * at
        certain = np.where(off == 0, 0.0, np.copysign(np.inf, off))
        return np.where(spread > 0, off / np.sqrt(n * np.where(spread > 0, spread, 1.0)), certain)


def sign_of(metric: Metric) -> float:
    """Return by what a difference is multiplied to be a gain: -1 where a smaller value is the better one."""
    return -1.0 if metric.is_better_low else 1.0


def gain_of(
    metric: Metric,
    first: NDArray[Any],
    second: NDArray[Any],
    units: Units | None = None,
    *,
    reach: float | None = None,
    bound: float | None = None,
    slack: tuple[float, float] = (0.0, 0.0),
    proxies: ProxyDifference | None = None,
) -> Gain:
    """Return what all rows say of the gain of the second model.

    Parameters
    ----------
    metric : Metric
        What the values are of.
    first, second : ndarray, shape (n,)
        The values of the same rows under the two models; booleans where the metric is a share. At least one row, and
        finite. On disk they are read block by block.
    units : Units or None
        The groups of the rows, where rows belong together: the gain is then one of groups (`MeanGain.of_groups`).
    reach : float or None
        Of a mean: how far a row may differ of which none like it was seen; see `unseen.reach_of`. None leaves no room.
    bound : float or None
        Of the loss: R, to which the differences are cut, for a promise that holds at every number of rows. The rows
        must be independent then.
    slack : (float, float)
        By how much the difference may be too large, and too small, by bias.
    proxies : ProxyDifference or None
        What a proxy says of the difference, of these rows and of further ones without a label.
    """
    if proxies is not None:
        helped = proxies.mean(first, second, sign_of(metric))
        # A proxy that explains nothing leaves the gain of these rows alone.
        if helped.slope[0] > 0:
            largest = np.array([max(float(np.abs(block).max()) for block in differences(first, second))])
            return helped.gain(unseen=0.0 if reach is None else assumed(largest, reach))
    if metric.takes_loss_cap and bound is not None:
        gains = sign_of(metric) * np.concatenate(list(differences(first, second)))
        return BoundedGain(len(first), gains[None], bound)
    if any(slack):
        turned = slack if sign_of(metric) > 0 else (slack[1], slack[0])
        return replace(_mean_gain(metric, first, second, units, reach), slack=turned)
    if units is not None and not units.is_simple:
        if metric.is_share and discordant(first, second) == (0, 0):
            # No spread is seen, but a group that changes by up to 1 may come: as with so many rows.
            return ShareGain(units.size, np.zeros(1), np.zeros(1))
    elif metric.is_share:
        gained, lost = discordant(first, second)
        return ShareGain(len(first), np.array([float(gained)]), np.array([float(lost)]))
    found = _mean_gain(metric, first, second, units, reach)
    if metric.is_together and reach is None and not (found.mean[0] or found.second[0]):
        # As with a share: no row changes it here, but one may come that does.
        return ShareGain(found.n, np.zeros(1), np.zeros(1))
    return found


def _mean_gain(
    metric: Metric, first: NDArray[Any], second: NDArray[Any], units: Units | None, reach: float | None
) -> MeanGain:
    if units is not None and not units.is_simple:
        gains = sign_of(metric) * np.concatenate(list(differences(first, second)))
        return MeanGain.of_groups(gains, units, reach=reach)
    sign, n = sign_of(metric), len(first)
    mean = math.fsum(float(block.sum()) for block in differences(first, second)) / n
    sums = [_power_sums(block) for block in differences(first, second, mean)]
    *totals, least, most = zip(*sums, strict=True)
    squares, cubes, fourths = (np.array([math.fsum(column) / n]) for column in totals)
    # Every row differs by the same, but for rounding.
    if squares[0] <= (_ROUNDING * abs(mean)) ** 2:
        squares, cubes, fourths = (np.zeros(1) for _ in range(3))
    largest = np.array([max(-mean - min(least), mean + max(most))])
    unseen = 0.0 if reach is None else assumed(largest, reach)
    return MeanGain(n, np.array([sign * mean]), squares, sign * cubes, fourths, unseen=unseen)


def _power_sums(values: Floats) -> tuple[float, float, float, float, float]:
    """Return the sums of squares, cubes and fourth powers, the least value and the largest."""
    squares = values * values
    # Not `@`: the threads of BLAS take longer to wake than such a block takes to add up.
    second, least, most = float(squares.sum()), float(values.min()), float(values.max())
    values *= squares
    third = float(values.sum())
    squares *= squares
    return second, third, float(squares.sum()), least, most


def differences(first: NDArray[Any], second: NDArray[Any], less: float = 0.0) -> Iterator[Floats]:
    """Yield second minus first minus `less`, float64, block by block; each may be written to."""
    # Plain arrays, of which a slice costs little.
    before, after = np.asarray(first), np.asarray(second)
    for start in range(0, len(before), _AT_ONCE):
        rows = slice(start, start + _AT_ONCE)
        # On disk they are float32, in which a difference would lose digits.
        apart = np.subtract(after[rows], before[rows], dtype=np.float64)
        if less:
            apart -= less
        yield apart
        let_go(first)
        let_go(second)
