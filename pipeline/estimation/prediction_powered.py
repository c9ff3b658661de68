"""The mean of values that few rows have, helped by a proxy that all rows have: prediction-powered inference (PPI++).

Of n labelled rows the value y and the proxy F are known, of N further ones F alone. With any slope λ,

    θ = ȳ + λ (F̄_N - F̄_n)

is right on average, however wrong the proxy is; F̄_n and F̄_N are its means over the two kinds of rows. For rows that
are a random sample of a world its variance is S²(y - λF)/n + λ² S²(F)/N, which is least at

    λ = S_yF / ((1 + n/N) S²_F)

[Angelopoulos, Duchi & Zrnic 2023, arXiv:2311.01453, §6, example 6.1]. λ comes from the same rows and is cut to [0, 1],
so that a worthless proxy is left alone. S²_F is that of all n + N rows.

Where the n + N rows are all that is asked about, and the n were drawn from them without replacement, the same θ is the
regression estimator ȳ + Λ (F̄_{n+N} - F̄_n) with Λ = (1 + n/N) λ, for F̄_N - F̄_n = (1 + n/N)(F̄_{n+N} - F̄_n). Its
variance is (1 - n/(n + N)) S²(y - ΛF)/n  [Cochran 1977, Sampling Techniques, eq. 7.29].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .mean_gain import MeanGain
from .paired import PairedDifference, Question, mean_difference, n_for_power, rows_for_mean, share_difference

Floats = NDArray[np.float64]

# Parts of the labelled rows in a comparison. With one λ of all rows, 3.7 % of the verdicts on the accuracies of two
# networks were wrong at the margin where 2.5 % are promised (1,000 rows with labels, a judge right in 70 %); with parts
# 3.0 %, and 2.7 % without a proxy.
_FOLDS = 5


@dataclass(frozen=True, eq=False)
class PoweredMean:
    """What m samples of n labelled rows say of a mean, with the proxies of N unlabelled ones.

    Attributes
    ----------
    n, others : int
        n and N.
    value : ndarray of float64, shape (m,)
        θ, in the values' unit.
    slope : ndarray of float64, shape (m,)
        λ, 0 … 1.
    second, third, fourth : ndarray of float64, shape (m,)
        Central moments that n rows of a plain mean would have if its error, and the error of its variance, were those
        of θ: ``second / (n - 1)`` is θ's variance. The divisor is n.
    plain : ndarray of float64, shape (m,)
        The second central moment of the labelled values themselves.
    """

    n: int
    others: int
    value: Floats
    slope: Floats
    second: Floats
    third: Floats
    fourth: Floats
    plain: Floats

    @property
    def error(self) -> Floats:
        """The standard error of θ, shape (m,); nan of one row."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.sqrt(self.second / np.float64(self.n - 1)))

    @property
    def worth(self) -> Floats:
        """How many labelled rows of a plain mean one labelled row is worth, shape (m,); 1 where λ is 0."""
        with np.errstate(invalid="ignore", divide="ignore"):
            found = self.plain / self.second
        return np.where(self.slope > 0, found, 1.0)

    def gain(self, *, unseen: Floats | float = 0.0) -> MeanGain:
        """Return the evidence on the mean: at each end the wider of Student's t and Hall's interval.

        The paper takes the normal quantile, which is too small: of losses of a model that is right in 94 of 100 rows
        and hardly unsure of the others, a 95 % interval holds 74 % at n = 50 and 88 % at 200 by Student's t, and 88 %
        and 97 % by these (`MeanGain`).

        Parameters
        ----------
        unseen : ndarray of float64, shape (m,), or float
            As `MeanGain` has it.
        """
        return MeanGain(self.n, self.value, self.second, self.third, self.fourth, unseen=unseen, others=self.others)


@dataclass(frozen=True, eq=False)
class ProxyDifference:
    """What a proxy says of the difference of two models' values, second minus first.

    Attributes
    ----------
    labelled : ndarray of float64, shape (n,)
        Of the rows whose values are known.
    others : ndarray of float64, shape (N,)
        Of further rows of the same kind; at least one.
    """

    labelled: Floats
    others: Floats

    def mean(self, first: NDArray[Any], second: NDArray[Any], sign: float = 1.0) -> PoweredMean:
        """Return the mean difference of two models, times `sign`.

        Parameters
        ----------
        first, second : ndarray, shape (n,)
            Their values of the labelled rows; booleans of a share.
        sign : float
            1 or -1.
        """
        apart = np.asarray(second, np.float64) - np.asarray(first, np.float64)
        return powered_mean(sign * apart, sign * self.labelled, sign * self.others, folds=_FOLDS)


def powered_difference(
    first: NDArray[Any], second: NDArray[Any], proxies: ProxyDifference, question: Question
) -> PairedDifference:
    """Compare the values of the same rows under two models, with the help of rows without a label.

    The interval and the p value are those of `PoweredMean.gain`, for a share with room for rows that change unseen:
    where few labelled rows change, their spread is next to nothing. A proxy that explains nothing is left out. The
    labelled rows that a test takes are those with as many unlabelled ones for each as here.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Of the labelled rows, finite; booleans of a share.
    proxies : ProxyDifference
    question : Question
        What is asked.
    """
    found, is_share = proxies.mean(first, second), first.dtype == np.bool_
    if not found.slope[0] > 0:
        return (share_difference if is_share else mean_difference)(first, second, question)
    gain, value = found.gain(unseen=1.0 if is_share else 0.0), float(found.value[0])
    error = (1 - question.confidence) / 2
    separate = float(np.var(first, dtype=np.float64) + np.var(second, dtype=np.float64))
    ends = np.clip(gain.ends(error, error), -1.0, 1.0) if is_share else gain.ends(error, error)
    return PairedDifference(
        value,
        float(ends[0]),
        float(ends[1]),
        gain.p(0.0),
        (n_for_power if is_share else rows_for_mean)(value, float(found.second[0]), question),
        n_for_power(value, separate, question) if is_share else rows_for_mean(value, separate, question, samples=2),
    )


def powered_mean(
    values: Floats,
    proxies: Floats,
    others: Floats,
    *,
    target: str = "superpopulation",
    slope: float | None = None,
    folds: int = 1,
) -> PoweredMean:
    """Estimate the mean of values that n rows have, with a proxy that N further rows have as well.

    Parameters
    ----------
    values, proxies : ndarray of float64, shape (n,) or (m, n)
        y and F of the labelled rows, finite; at least one row. m samples at once have one each.
    others : ndarray of float64, shape (N,) or (m, N)
        F of the unlabelled rows; at least one.
    target : str
        ``superpopulation``: all rows are a sample of a world. ``population``: they are all that is asked about, and
        the labelled ones were drawn from them without replacement.
    slope : float or None
        λ; None is the best one by the formula above, cut to [0, 1].
    folds : int
        1: λ is of all labelled rows, as published. More: each of so many parts of them has the λ of the others, if
        there are twice as many rows.

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Examples
    --------
    >>> found = powered_mean(np.array([5.0, 6.0]), np.array([4.9, 6.1]), np.array([5.2, 6.1]))
    >>> round(float(found.value[0]), 3), round(float(found.slope[0]), 3), round(float(found.error[0]), 3)
    (5.618, 0.784, 0.354)
    """
    values, proxies, others = (np.atleast_2d(np.asarray(each, np.float64)) for each in (values, proxies, others))
    if values.shape != proxies.shape or len(others) not in (1, len(values)) or not values.size or not others.size:
        raise ValueError(
            f"values and proxies must be of the same labelled rows, others of unlabelled ones; found {values.shape}, "
            f"{proxies.shape} and {others.shape}"
        )
    n, more = values.shape[1], others.shape[1]
    # Slopes of several parts would else add the proxy's own mean, times their spread, to the error.
    middle = (proxies.sum(axis=1, keepdims=True) + others.sum(axis=1, keepdims=True)) / (n + more)
    proxies, others = proxies - middle, np.broadcast_to(others, (len(values), more)) - middle
    own = _tuned(values, proxies, others, folds) if slope is None else np.full(values.shape, float(slope))
    # So that a single slope stays what it is.
    mean = own[:, 0] if folds == 1 else own.mean(axis=1)
    value = (values - own * proxies).mean(axis=1) + mean * others.mean(axis=1)
    moments = (_of_population if target == "population" else _of_world)(values, proxies, others, own)
    return PoweredMean(n, more, value, mean, *moments, values.var(axis=1))


def _of_world(values: Floats, proxies: Floats, others: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
    n, more = values.shape[1], others.shape[1]
    (second, third, fourth), away = (
        _moments(values - slope * proxies),
        _moments(slope.mean(axis=1, keepdims=True) * others),
    )
    # A mean's variance is its second moment over its own number of rows less one.
    ratio = (n - 1) / (more - 1) if more > 1 else 0.0
    # Whose variance is the sum of those of the two variances.
    excess = fourth - second**2 + ratio**2 * (n / more) * (away[2] - away[0] ** 2)
    both = second + ratio * away[0]
    return both, third + (n / more) ** 2 * away[1], both**2 + excess


def _of_population(values: Floats, proxies: Floats, others: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
    n, more = values.shape[1], others.shape[1]
    second, third, fourth = _moments(values - slope * (1 + n / more) * proxies)
    left = more / (n + more)
    return left * second, left * (2 * left - 1) * third, left**2 * fourth


def _tuned(values: Floats, proxies: Floats, others: Floats, folds: int) -> Floats:
    """Return λ of the formula for each labelled row, shape (m, n), cut to [0, 1]; 0 where the proxy does not vary."""
    n, more = values.shape[1], others.shape[1]
    spread = np.concatenate([proxies, others], axis=1).var(axis=1, ddof=1)
    divisor = np.where(spread > 0, (1 + n / more) * spread, np.inf)
    folds = folds if n >= 2 * folds else 1
    found = np.zeros(values.shape)
    for fold in range(folds):
        own = np.arange(n) % folds == fold
        rows = np.flatnonzero(~own if folds > 1 else own)
        found[:, own] = np.clip(_covariance(values[:, rows], proxies[:, rows]) / divisor, 0.0, 1.0)[:, None]
    return found


def _covariance(values: Floats, proxies: Floats) -> Floats:
    n = values.shape[1]
    apart = proxies - proxies.mean(axis=1, keepdims=True)
    together = (apart * (values - values.mean(axis=1, keepdims=True))).sum(axis=1)
    return np.asarray(together / max(n - 1, 1))


def _moments(values: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the second, third and fourth central moments of each row, with the divisor n."""
    apart = values - values.mean(axis=1, keepdims=True)
    squares = apart * apart
    return squares.mean(axis=1), (squares * apart).mean(axis=1), (squares * squares).mean(axis=1)
