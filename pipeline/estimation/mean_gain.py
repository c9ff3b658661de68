"""The gain of a mean, such as the loss, from the moments of the paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
import scipy

from ..interval.loss.hall import skewness, transformed, untransformed
from ..records.batches import Batches
from ..sampling.units import Units
from .clustered import clustered_mean
from .evidence import LEAST_P, Bools, Floats, Gain
from .unseen import COUNTS, MUCH, assumed, counts_below

# A distance in standard errors that stands for infinitely many; its cube is still a float.
_FAR = 1e100
# c of a first look at many samples.
_FEW = 10


@dataclass(frozen=True, eq=False)
class MeanGain(Gain):
    """The gain of a mean: at each end the wider of Student's t and Hall's interval, with room for rows not seen.

    Paired differences of losses are mostly near 0, with a few large ones of either sign: a kurtosis of 40 to 120 and a
    skewness of -8 to 8 between networks on the digits. Four things keep the promise there, found by simulation:

    - The degrees of freedom are those of the variance's own estimate, by the kurtosis κ of the differences:
      ``2 / (2/(n - 1) + max(κ - 3, 0)/n)``, which is n - 1 where they are normal  [Satterthwaite 1946, Biometrics
      Bulletin 2, 110-114; Var(s²) as Kenney & Keeping 1951, Mathematics of Statistics 2, §7.9]. One row that dominates
      leaves two degrees of freedom.
    - Hall's interval (`interval.loss.hall`) corrects for the skewness, so it reaches further on the side of the tail.
    - Student's t takes over on the other side, where a skewness that is estimated from few rows misleads Hall's.
    - Rows unlike those seen may differ by M, `unseen`. If their share is c/n, none is seen with the chance e^-c, and
      they move the mean by c M/n. So an end with the error e is the outermost, over all c, of the ends that the rows
      seen give with the error e·e^c, moved by c M/n. Where σ√n is some 2 M or more, c = 0 is the outermost, and the
      room costs nothing.

    Attributes
    ----------
    n : float
        Rows, or groups of them.
    mean, second, third, fourth : ndarray of float64, shape (m,)
        Mean of the rows' gains, and their central moments with the divisor n; of groups those of `influence`.
    is_grouped : bool
        Whether n counts groups.
    unseen : ndarray of float64, shape (m,), or float
        M, in the metric's own unit; 0 leaves no room.
    slack : (float, float)
        By how much the mean gain may be too large, and too small, by bias: the ends are so much further out.
    others : int
        Rows without a label that count by a proxy (`prediction_powered`).
    """

    n: float
    mean: Floats
    second: Floats
    third: Floats
    fourth: Floats
    is_grouped: bool = field(default=False, kw_only=True)
    unseen: Floats | float = field(default=0.0, kw_only=True)
    slack: tuple[float, float] = field(default=(0.0, 0.0), kw_only=True)
    others: int = field(default=0, kw_only=True)

    @classmethod
    def of_groups(cls, gains: Floats, units: Units, *, reach: float | None = None) -> MeanGain:
        """Return the gain of rows in groups: groups take the place of rows, each by its influence on the mean.

        Parameters
        ----------
        gains : ndarray of float64, shape (n,)
            Of each row.
        units : Units
            The groups.
        reach : float or None
            How far a group may differ of which none like it was seen; see `unseen.reach_of`. None leaves no room.
        """
        found = clustered_mean(gains, units)
        second, third, fourth = (np.array([float(np.mean(found.influence**power))]) for power in (2, 3, 4))
        largest = np.abs(found.value + found.influence).max(keepdims=True)
        mean, unseen = np.array([found.value]), np.zeros(1)
        if reach is not None:
            # A row that differs much tells that such rows are among the groups at hand.
            is_seen = float(np.abs(gains).max()) >= MUCH * reach
            unseen = largest if is_seen else assumed(largest, reach)
        return cls(units.size, mean, second, third, fourth, is_grouped=True, unseen=unseen)

    @property
    def method(self) -> str:
        """Both intervals."""
        whose = "the groups' paired differences (cluster-robust)" if self.is_grouped else "the paired differences"
        helped = f" and {self.others:,} rows without a label by their proxy (PPI++)" if self.others else ""
        return f"the wider of Student's t and Hall's at each end, on {whose}{helped}"

    @property
    def value(self) -> Floats:
        """The mean gains."""
        return self.mean

    @property
    def variance(self) -> Floats:
        """The second central moments."""
        return self.second

    def is_above(self, at: float, error: float) -> Bools:
        """See `Gain.is_above`."""
        return self._is_beyond(at, error, 1.0)

    def is_below(self, at: float, error: float) -> Bools:
        """See `Gain.is_below`."""
        return self._is_beyond(at, error, -1.0)

    def ends(self, error_low: float, error_high: float) -> tuple[float, float]:
        """See `Gain.ends`."""
        return self._end(error_low, 1.0), self._end(error_high, -1.0)

    def of_size(self, n: float) -> MeanGain:
        """See `Gain.of_size`; a bias shrinks as an error does."""
        down, up = (math.sqrt(self.n / n) * own for own in self.slack)
        return replace(self, n=n, slack=(down, up))

    def p(self, at: float) -> float:
        """See `Gain.p`; at least 1e-15, and 1 where no row's gain differs from `at`."""
        least = min(self._p_beyond(at, sign) for sign in (1.0, -1.0))
        return float(min(1.0, max(LEAST_P, 2 * least)))

    def shifted(self, by: float) -> MeanGain:
        """Return the samples with every row's gain larger by this much."""
        return replace(self, mean=self.mean + by)

    def room(self, at: float, error: float, *, is_above: bool) -> float:
        """Return the largest M with which the first sample is still called above (or below) `at`; 0 where none is.

        Parameters
        ----------
        at : float
            In the metric's own unit.
        error : float
            Of the end.
        is_above : bool
            Which of the two is asked.
        """
        sign = 1.0 if is_above else -1.0
        counts, far = self._distances(error, sign)
        beyond = far - sign * at
        if self.n < 2 or not beyond[0] > 0:
            return 0.0
        return max(0.0, float((self.n * beyond[1:] / counts[1:]).min()))

    def _is_beyond(self, at: float, error: float, sign: float) -> Bools:
        found: Bools = self._errors(at, sign) < error
        if not np.any(self.unseen) or not found.any():
            return found
        # Room for rows not seen only takes claims away. A few c tell of most samples whether it does: between two of
        # them the error is at most that at the further one, e^-c being that at the nearer.
        counts = counts_below(error)
        few = np.append(counts[:: max(1, len(counts) // _FEW)], counts[-1])
        some = np.flatnonzero(found)
        errors, missed = self._some(some)._moved(at, few, sign), np.exp(-few)[:, None]
        found[some] = (errors * missed < error).all(axis=0)
        open_ = some[found[some] & (errors[1:] * missed[:-1] >= error).any(axis=0)]
        errors = self._some(open_)._moved(at, counts, sign)
        found[open_] = (errors * np.exp(-counts)[:, None] < error).all(axis=0)
        return found

    def _moved(self, at: float, counts: Floats, sign: float) -> Floats:
        """Return the errors where the ends are at a value moved by c M/n, shape (c, m)."""
        room = np.multiply.outer(counts, np.broadcast_to(self.unseen, self.mean.shape)) / self.n
        return self._errors(at + sign * room, sign)

    def _p_beyond(self, at: float, sign: float) -> float:
        """Return the error of the first sample's end that meets a value: what `_is_beyond` compares."""
        errors = self._some(np.array([0]))._moved(at, COUNTS, sign)
        return float((errors[:, 0] * np.exp(-COUNTS)).max())

    def _end(self, error: float, sign: float) -> float:
        if self.n < 2:
            return -sign * math.inf
        counts, far = self._distances(error, sign)
        return sign * float((far - counts * float(np.broadcast_to(self.unseen, self.mean.shape)[0]) / self.n).min())

    def _distances(self, error: float, sign: float) -> tuple[Floats, Floats]:
        """Return c, and of the first sample the ends with the errors e·e^c, by `sign` turned to lower ones."""
        counts = counts_below(error)
        spread, k, degrees = (float(part[0]) for part in self._shape)
        q = _quantiles(degrees, error)
        far = np.maximum(q, untransformed(np.full(len(q), sign * k), q))
        return counts, sign * float(self.mean[0]) - self._slack(sign) - spread * far

    def _slack(self, sign: float) -> float:
        return self.slack[0] if sign > 0 else self.slack[1]

    def _errors(self, at: Floats | float, sign: float) -> Floats:
        """Return the larger of the two intervals' errors where their ends are at some values, without room.

        Parameters
        ----------
        at : ndarray of float64, broadcast with (m,)
        sign : float
            1 for lower ends, -1 for upper ones.
        """
        if self.n < 2:
            # One row says nothing of how rows differ.
            return np.ones(np.broadcast_shapes(np.shape(at), self.mean.shape))
        spread, k, degrees = self._shape
        off = sign * (self.mean - at) - self._slack(sign)
        with np.errstate(over="ignore"):
            far = np.where(spread > 0, off / np.where(spread > 0, spread, 1.0), np.sign(off) * _FAR)
        far = np.clip(np.where(off == 0, 0.0, far), -_FAR, _FAR)
        # Hall's error is the larger where it takes the distance for the smaller.
        return np.asarray(scipy.special.stdtr(degrees, -np.minimum(far, transformed(sign * k, far))))

    @cached_property
    def _shape(self) -> tuple[Floats, Floats, Floats]:
        """Return standard error, Hall's skewness and degrees of freedom, shape (m,) each."""
        batches = self._batches()
        k = skewness(batches)
        return np.sqrt(batches.error_variance), k / np.sqrt(1 + k * k / 4), self._degrees()

    def _some(self, samples: np.ndarray[tuple[int], np.dtype[np.intp]]) -> MeanGain:
        if len(self.mean) == len(samples):
            return self
        moments = (part[samples] for part in (self.mean, self.second, self.third, self.fourth))
        unseen = np.broadcast_to(self.unseen, self.mean.shape)[samples]
        return MeanGain(self.n, *moments, is_grouped=self.is_grouped, unseen=unseen, slack=self.slack)

    def _batches(self) -> Batches:
        variance = self.second / (self.n - 1)
        return Batches(
            n=int(self.n),
            mean=self.mean,
            error_variance=variance,
            error_third=self.third / self.n**2,
            unit_variance=variance * self.n,
            unit_third=self.third,
            degrees=np.full(len(self.mean), self.n - 1.0),
            effective=np.full(len(self.mean), float(self.n)),
        )

    def _degrees(self) -> Floats:
        squared = np.square(self.second)
        kurtosis = self.fourth / np.where(squared > 0, squared, np.inf)
        found: Floats = 2 / (2 / (self.n - 1) + np.maximum(kurtosis - 3, 0) / self.n)
        return found


@lru_cache(maxsize=64)
def _quantiles(degrees: float, error: float) -> Floats:
    """Return t's quantiles at the errors e·e^c; below 0 where these are above a half."""
    return np.asarray(-scipy.special.stdtrit(degrees, np.minimum(error * np.exp(counts_below(error)), 1.0)))
