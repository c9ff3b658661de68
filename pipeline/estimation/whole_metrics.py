"""Metrics of a whole batch, which are no mean over its rows: their values, and what each row does to them.

Each is a smooth function of means over the rows. To first order its error is the mean of the rows' influence values, so
its variance is ``Σ ψ² / n²`` for independent rows, and the same of the groups' sums where rows belong together
[Hampel 1974, JASA 69, 383-393; van der Vaart 1998, Asymptotic Statistics, ch. 20].
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..sampling.units import Units

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 15

# What the metrics are made from that need more than predicted classes.
_NEEDED = {"auc": "the logits or probabilities of all classes", "ece": "logits or probabilities"}


class NoValue(Exception):
    """A metric has no value on these rows; the message says why."""


@dataclass(frozen=True, eq=False)
class WholeValue:
    """A metric of all rows together.

    Attributes
    ----------
    value : float
        In [0, 1].
    influence : ndarray of float64, shape (n,)
        ψ of each row, scaled for the degrees of freedom that its class (or the whole) has lost.
    bias : float
        By how much `value` is too large on average, as estimated; 0 where that is of order 1/n.
    slack : float
        By how much the debiased value may still be too large on average, whatever the truth.
    least_error : float
        The standard error that the interval has at least, for few rows may show less spread than there is.
    """

    value: float
    influence: Floats
    bias: float = 0.0
    slack: float = 0.0
    least_error: float = 0.0

    @property
    def debiased(self) -> float:
        """The value less its bias, at least 0."""
        return max(0.0, self.value - self.bias)

    def error(self, units: Units | None = None) -> float:
        """Return the standard error, of rows or of groups of them."""
        own, n = self.influence, len(self.influence)
        if units is None or units.is_simple:
            return float(np.sqrt(np.sum(own**2))) / n
        totals = units.totals(own)
        return float(np.sqrt(len(totals) / (len(totals) - 1) * np.sum(totals**2))) / n

    def column(self, units: Units | None = None, *, is_debiased: bool = True) -> Floats:
        """Return a number for each row whose mean is the value, and whose spread is that of the value's error.

        Such columns take the place of a row's values wherever means are compared: the paired difference of two models'
        columns has the variance of the difference of the two values to first order, which of two AUCs is DeLong's with
        his covariance, for the rows' influences are subtracted row by row.

        Parameters
        ----------
        units : Units or None
            Rows, or groups of them; None is rows.
        is_debiased : bool
            Whether the bias is taken off the value.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        n = len(self.influence)
        # A mean of n rows has its variance with n - 1, which the influences have of their classes already.
        own = math.sqrt((n - 1) / n) if units is None or units.is_simple else 1.0
        return (self.debiased if is_debiased else self.value) + own * self.influence

    def interval(self, confidence: float, units: Units | None = None) -> tuple[float, float]:
        """Return the interval, by Student's t on the log-odds, so that it stays within 0 … 1.

        Where the value is biased, it is around the debiased one, on its own scale, reaches further down by what bias
        may be left, and is cut at 0 and 1. Of a value of exactly 0 or 1, and of one row, there is none: ``nan``.
        """
        n = len(self.influence) if units is None else units.size
        if n < 2:
            return math.nan, math.nan
        error = max(self.error(units), self.least_error)
        reach = float(scipy.special.stdtrit(n - 1, (1 + confidence) / 2)) * error
        if self.bias or self.slack:
            return max(0.0, self.debiased - self.slack - reach), min(1.0, self.debiased + reach)
        if not 0 < self.value < 1:
            return math.nan, math.nan
        centre, half = scipy.special.logit(self.value), reach / (self.value * (1 - self.value))
        return float(scipy.special.expit(centre - half)), float(scipy.special.expit(centre + half))


def balanced_accuracy(labels: Ints, predicted: Ints, n_classes: int) -> WholeValue:
    """Return the mean of the classes' recalls.

    Parameters
    ----------
    labels, predicted : ndarray of int64, shape (n,)
        0 … k - 1.
    n_classes : int
        k.

    Raises
    ------
    NoValue
        If a class has no row.
    """
    counts = _counts(labels, n_classes)
    right = (labels == predicted).astype(np.float64)
    recall = np.bincount(labels, weights=right, minlength=n_classes) / counts
    weight = len(labels) / (n_classes * counts) * _free(counts)
    return WholeValue(float(recall.mean()), weight[labels] * (right - recall[labels]))


def macro_f1(labels: Ints, predicted: Ints, n_classes: int) -> WholeValue:
    """Return the mean of the classes' F1 scores, ``2 TP / (rows of the class + rows that are said to be)``.

    The parameters are those of `balanced_accuracy`.

    Raises
    ------
    NoValue
        If a class has no row.
    """
    n = len(labels)
    size = _counts(labels, n_classes) + np.bincount(predicted, minlength=n_classes)
    right = labels == predicted
    score = 2 * np.bincount(labels[right], minlength=n_classes) / size
    # Row i adds 2 to the numerator of its class where it is right, and 1 to the size of its class and of the one said.
    weight = n / (n_classes * size)
    influence = 2 * weight[labels] * right - (weight * score)[labels] - (weight * score)[predicted]
    return WholeValue(float(score.mean()), influence * float(_free(n)))


def auc(labels: Ints, probabilities: Floats) -> WholeValue:
    """Return the area under the ROC curve: of two classes that of class 1, of more the mean of one against the rest.

    The influence of a row is its placement among the rows of the other side, so that of two classes the variance is
    that of DeLong, DeLong & Clarke-Pearson (1988, Biometrics 44, 837-845); with groups it is Obuchowski's (1997,
    Biometrics 53, 567-578). Ties count half.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        0 … k - 1.
    probabilities : ndarray of float64, shape (n, k)
        Or any scores that rise with them.

    Raises
    ------
    NoValue
        If a class has no row, or there is only one.
    """
    n_classes = probabilities.shape[1]
    _counts(labels, n_classes)
    if n_classes < 2:
        raise NoValue("there is only one class")
    sides = [1] if n_classes == 2 else list(range(n_classes))
    found = [_auc_of(labels == k, probabilities[:, k]) for k in sides]
    return WholeValue(float(np.mean([own.value for own in found])), np.mean([own.influence for own in found], axis=0))


def calibration_error(correct: NDArray[np.bool_], confidence: Floats, bins: int = BINS) -> WholeValue:
    """Return the expected calibration error of the predicted class, in bins of equal width  [Guo et al. 2017, ICML].

    ``Σ_b |Σ_{i in b} (correct_i - confidence_i)| / n``. A bin's absolute gap is too large on average, for chance has no
    sign: of a gap Δ with standard error σ by ``E|N(Δ, σ²)| - |Δ|``, which is taken off with the gap at hand for the
    true one  [the closed form of the debiasing of Kumar, Liang & Ma 2019, NeurIPS, for absolute gaps]. Of a gap near 0
    that leaves up to ``(2 - √2) √(2/π) σ``, and no estimate of |Δ| is without bias; so what may be left, by the gaps
    within two standard errors of those found, is the `slack` of the interval  [a bias-aware interval: Armstrong &
    Kolesár 2018, Econometrica 86, 655-683].

    Parameters
    ----------
    correct : ndarray of bool, shape (n,)
        Whether the predicted class is the label.
    confidence : ndarray of float64, shape (n,)
        Its probability.
    bins : int
        How many bins of equal width.
    """
    n = len(correct)
    gap = correct - confidence
    at = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts, sums, squares = (np.bincount(at, weights=own, minlength=bins) for own in (np.ones(n), gap, gap**2))
    there = counts > 0
    counts, sums, squares = counts[there], sums[there], squares[there]
    delta = sums / counts
    sigma = np.sqrt(np.maximum(squares / counts - delta**2, 0.0) / np.maximum(counts - 1, 1))
    z = np.abs(delta) / np.where(sigma > 0, sigma, np.inf)
    folded = sigma * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) - 2 * np.abs(delta) * scipy.special.ndtr(-z)
    folded = np.where(sigma > 0, folded, 0.0)
    sign = np.zeros(bins)
    sign[there] = np.sign(delta)
    value = float(np.abs(sums).sum() / n)
    # Of few rows the spread may be missed, which a calibrated model would have by its own probabilities.
    expected = np.bincount(at, weights=confidence * (1 - confidence), minlength=bins)[there] / counts**2
    left = _left_of_bias(np.abs(delta), sigma, np.maximum(sigma, np.sqrt(expected)))
    influence = (sign[at] * gap - value) * float(_free(n))
    least_error = math.sqrt(float(np.sum(confidence * (1 - confidence)))) / n
    return WholeValue(value, influence, float(folded @ counts / n), float(left @ counts / n), least_error)


def _left_of_bias(found: Floats, seen: Floats, sigma: Floats) -> Floats:
    """How much too large a debiased gap may be on average: at the smallest |Δ| within two errors of the one found.

    ``2 E|N(Δ, σ²)| - E|N(Δ, 2σ²)| - |Δ|``, the first less the mean of what was taken off; where no spread was seen,
    nothing was.
    """
    least = np.maximum(found - 2 * sigma, 0.0)
    once, twice = _folded_mean(least, sigma), _folded_mean(least, math.sqrt(2) * sigma)
    return np.maximum(np.where(seen > 0, 2 * once - twice, once) - least, 0.0)


def _folded_mean(delta: Floats, sigma: Floats) -> Floats:
    """``E|N(Δ, σ²)|`` of Δ of at least 0."""
    z = delta / np.where(sigma > 0, sigma, np.inf)
    spread = sigma * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2)
    return np.where(sigma > 0, spread + delta * (1 - 2 * scipy.special.ndtr(-z)), delta)


@dataclass(frozen=True, eq=False)
class Said:
    """The labels of n rows, and what a model says of them, from which the metrics of all rows together are made.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
        0 … k - 1.
    n_classes : int
        k.
    predicted : ndarray of int64, shape (n,), or None
        The predicted class.
    confidence : ndarray of float64, shape (n,), or None
        Its probability.
    odds : ndarray of float64, shape (n, k), or None
        What ranks the rows by class: probabilities, or what rises with them.
    """

    labels: Ints
    n_classes: int
    predicted: Ints | None = None
    confidence: Floats | None = None
    odds: Floats | None = None

    def has(self, name: str) -> bool:
        """Tell whether there is what a metric is made from, so that it is the rows that give it a value or none."""
        if name == "auc":
            return self.odds is not None
        return self.predicted is not None and (name != "ece" or self.confidence is not None)

    def value(self, name: str) -> WholeValue:
        """Return a metric: ``balanced_accuracy``, ``macro_f1``, ``auc`` or ``ece``.

        Raises
        ------
        NoValue
            If it has none on these rows.
        """
        if name == "auc" and self.n_classes < 2:
            raise NoValue("there is only one class")
        if not self.has(name):
            raise NoValue(f"it needs {_NEEDED.get(name, 'predicted classes')}, which are not there")
        if name == "auc":
            assert self.odds is not None
            return auc(self.labels, self.odds)
        assert self.predicted is not None
        if name == "ece":
            assert self.confidence is not None
            return calibration_error(self.predicted == self.labels, self.confidence)
        made = {"balanced_accuracy": balanced_accuracy, "macro_f1": macro_f1}[name]
        return made(self.labels, self.predicted, self.n_classes)


def _auc_of(is_in: NDArray[np.bool_], scores: Floats) -> WholeValue:
    n, inside = len(is_in), int(is_in.sum())
    order = np.argsort(scores)
    ranked, own = scores[order], is_in[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    lengths = np.diff(np.append(starts, n))
    within = np.add.reduceat(own.astype(np.int64), starts)
    influence = np.empty(n)
    value = math.nan
    for side, counts in ((True, lengths - within), (False, within)):
        # Of the rows of the other side: the share that scores lower, and half of those that score the same.
        size, others = (inside, n - inside) if side else (n - inside, inside)
        lower = np.repeat((np.cumsum(counts) - counts / 2) / others, lengths)[own == side]
        placed = lower if side else 1 - lower
        value = float(placed.mean()) if side else value
        influence[order[own == side]] = n / size * float(_free(size)) * (placed - value)
    return WholeValue(value, influence)


def _counts(labels: Ints, n_classes: int) -> Ints:
    counts = np.bincount(labels, minlength=n_classes)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise NoValue(f"{len(empty):,} of {n_classes:,} classes {'has' if len(empty) == 1 else 'have'} no row")
    return counts


def _free(counts: Ints | int) -> Floats:
    """By what influence is scaled for the mean that was estimated; that of a single row is left as it is."""
    size = np.asarray(counts, dtype=np.float64)
    return np.sqrt(size / np.maximum(size - 1, 1))
