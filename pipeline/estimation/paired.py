"""Two models on the same rows: the paired difference of a metric, its interval, its test, and the rows it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from ..records.stored import SMALL, StoredColumn, moments_of
from ..sampling.units import Units
from .clustered import clustered_mean
from .mcnemar import discordant, mcnemar
from .mcnemar_power import rows_for_mcnemar
from .t_power import rows_for_t
from .tango import score_interval

_FEWEST_ROWS = 2


@dataclass(frozen=True)
class Question:
    """What is asked of a difference.

    Attributes
    ----------
    confidence : float
        Of the interval, in (0, 1).
    power : float
        The share of samples in which the test is to see the difference, in (0, 1).
    significance : float
        The level of the two-sided test, in (0, 1).
    """

    confidence: float = 0.95
    power: float = 0.8
    significance: float = 0.05


@dataclass(frozen=True)
class PairedDifference:
    """What n rows say of one metric's difference, second model minus first.

    Attributes
    ----------
    value, low, high : float
        The mean difference over the rows, and its interval; `value` is ``nan`` where it is ∞ - ∞.
    p : float
        Of the two-sided paired test of no difference; ``nan`` where there is no test.
    n_for_power, n_for_power_unpaired : float
        Rows at which a paired test sees the difference with the power asked for; and rows in each of two separate
        samples, one a model, at which an unpaired test does. A whole number, or ``inf``: no number of rows does.
    """

    value: float
    low: float
    high: float
    p: float
    n_for_power: float
    n_for_power_unpaired: float

    @property
    def n_ratio(self) -> float:
        """Return how many times as many rows an arm the unpaired test takes; ``nan`` where neither sees it."""
        if math.isinf(self.n_for_power):
            return math.nan
        return self.n_for_power_unpaired / self.n_for_power


# Of rows on which a metric has no value.
NO_DIFFERENCE = PairedDifference(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)


def mean_difference(first: NDArray[np.float64], second: NDArray[np.float64], question: Question) -> PairedDifference:
    """Compare the values of the same rows (losses, say) under two models by Student's t on the differences.

    Where a value is infinite, so is its model's mean; there is no test then, and the interval is all numbers.

    Parameters
    ----------
    first, second : ndarray of float64 (float32 on disk), shape (n,)
        Finite or inf; at least one row. More than a million are worked on in blocks.
    question : Question
        What is asked.

    Returns
    -------
    PairedDifference
        In the values' unit.
    """
    _check_paired(first, second)
    if len(first) > SMALL:
        return _mean_difference_of_many(StoredColumn(first), StoredColumn(second), question)
    # On disk they are float32, in which a difference would lose digits.
    first, second = first.astype(np.float64, copy=False), second.astype(np.float64, copy=False)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        with np.errstate(invalid="ignore"):
            value = float(np.subtract(second.mean(), first.mean()))
        return PairedDifference(value, -math.inf, math.inf, math.nan, math.inf, math.inf)
    differences = second - first
    value = _beyond_rounding(float(differences.mean()), float(first.mean()), float(second.mean()))
    low, high = t_interval(differences, question.confidence)
    return PairedDifference(
        value,
        low,
        high,
        t_test(differences if value else np.zeros(len(first))),
        rows_for_mean(value, float(differences.var()), question),
        rows_for_mean(value, float(first.var() + second.var()), question, samples=2),
    )


def share_difference(first: NDArray[np.bool_], second: NDArray[np.bool_], question: Question) -> PairedDifference:
    """Compare which of the same rows two models get right by Tango's score interval and McNemar's exact test.

    Parameters
    ----------
    first, second : ndarray of bool, shape (n,)
        Whether a row is classified right; at least one row.
    question : Question
        What is asked.

    Returns
    -------
    PairedDifference
        A fraction, -1 … 1.
    """
    _check_paired(first, second)
    gained, lost = discordant(first, second)
    n = len(first)
    value = (gained - lost) / n
    low, high = score_interval(gained, lost, n, question.confidence)
    variances = (
        StoredColumn(first).var() + StoredColumn(second).var() if n > SMALL else float(first.var() + second.var())
    )
    return PairedDifference(
        value,
        low,
        high,
        mcnemar(gained, lost),
        _rows_for_shares(gained / n, lost / n, question),
        n_for_power(value, variances, question),
    )


def _rows_for_shares(gained: float, lost: float, question: Question) -> float:
    """Rows at which McNemar's exact test, whose p value is shown, has the power."""
    value = gained - lost
    about = n_for_power(value, gained + lost - value**2, question)
    return rows_for_mcnemar(gained, lost, power=question.power, significance=question.significance, about=about)


def group_difference(
    first: NDArray[np.generic], second: NDArray[np.generic], units: Units, question: Question
) -> PairedDifference:
    """Compare the values of the same rows, which belong together in groups, by Student's t on the groups.

    The variance is cluster-robust (`clustered.ClusteredMean`), the degrees of freedom are the groups' number less 1.
    Of a share that is the same in every row there is no spread to be seen; its interval is Tango's of so many rows as
    there are groups, for a group changes by 1 at most.

    Parameters
    ----------
    first, second : ndarray, shape (n,)
        Numbers, or booleans of a share.
    units : Units
        The groups.
    question : Question
        What is asked; its numbers of examples are of groups.

    Returns
    -------
    PairedDifference
        In the values' unit.
    """
    _check_paired(first, second)
    before, after = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return mean_difference(before, after, question)
    found = clustered_mean(after - before, units)
    separate = sum(float(np.mean(clustered_mean(own, units).influence ** 2)) for own in (before, after))
    is_unmoved = first.dtype == np.bool_ and not np.any(found.influence)
    ends = score_interval(0, 0, units.size, question.confidence) if is_unmoved else found.interval(question.confidence)
    return PairedDifference(
        found.value,
        *ends,
        found.p,
        rows_for_mean(found.value, float(np.mean(found.influence**2)), question),
        rows_for_mean(found.value, separate, question, samples=2),
    )


def widened(found: PairedDifference, slack: tuple[float, float], degrees: int, question: Question) -> PairedDifference:
    """Return a difference that may be biased: its interval reaches further, and its test allows for the bias.

    Parameters
    ----------
    found : PairedDifference
        By Student's t.
    slack : (float, float)
        By how much it may be too large, and too small.
    degrees : int
        Of freedom.
    question : Question
        As it was asked.
    """
    if not any(slack) or degrees < 1:
        return found
    down, up = slack
    error = (found.high - found.low) / 2 / float(scipy.special.stdtrit(degrees, (1 + question.confidence) / 2))
    beyond = max(found.value - down, -found.value - up, 0.0)
    p = float(2 * scipy.special.stdtr(degrees, -beyond / error)) if error and beyond else 1.0 if not beyond else found.p
    return replace(found, low=found.low - down, high=found.high + up, p=p)


def _mean_difference_of_many(first: StoredColumn, second: StoredColumn, question: Question) -> PairedDifference:
    n = len(first)
    if first.n_infinite or second.n_infinite:
        value = math.nan if first.n_infinite and second.n_infinite else second.mean() - first.mean()
        return PairedDifference(value, -math.inf, math.inf, math.nan, math.inf, math.inf)
    blocks = zip(second.blocks(), first.blocks(), strict=True)
    value, variance, _, _ = moments_of(after - before for after, before in blocks)
    value = _beyond_rounding(value, first.mean(), second.mean())
    spread = math.sqrt(variance * n / (n - 1))
    return PairedDifference(
        value,
        *_t_ends(value, spread, n, question.confidence),
        _t_p(value, spread, n),
        rows_for_mean(value, variance, question),
        rows_for_mean(value, first.var() + second.var(), question, samples=2),
    )


def _beyond_rounding(value: float, first: float, second: float) -> float:
    """A mean difference, or 0 where it is no larger than the last bit of the two means."""
    return value if abs(value) > np.finfo(np.float64).eps * max(abs(first), abs(second)) else 0.0


def n_for_power(effect: float, variance: float, question: Question) -> float:
    """Return how many rows a two-sided test takes to see a mean of `effect` with the power asked for, if it is normal.

    ``n = (z_{1-α/2} + z_{1-β})² σ² / δ²``, rounded up  [Lachin 1981, Controlled Clinical Trials 2, 93-113], with σ²
    the variance of a paired difference, or the sum of two separate samples' variances. It takes the mean as normal,
    so few examples or a long tail put it off: of real differences of losses with a skewness of 5 to 6, a test asked for
    a power of 0.80 had 0.76 at 1,200 examples, and 0.94 at 170.

    Parameters
    ----------
    effect : float
        The mean difference δ.
    variance : float
        σ² of one value, at least 0.
    question : Question
        Power 1 - β and significance α.

    Returns
    -------
    float
        A whole number of at least 2; ``inf`` where the effect is 0, for then no number of rows shows it.

    Examples
    --------
    >>> n_for_power(0.5, 1.0, Question()), n_for_power(0.0, 1.0, Question())
    (32.0, inf)
    """
    if effect == 0:
        return math.inf
    z = scipy.special.ndtri(1 - question.significance / 2) + scipy.special.ndtri(question.power)
    # Divided first: the square of a small effect may be too small for a float.
    with np.errstate(over="ignore"):
        n = np.float64(z * (math.sqrt(variance) / abs(effect))) ** 2
    return float(max(_FEWEST_ROWS, math.ceil(n))) if math.isfinite(n) else math.inf


def rows_for_mean(effect: float, variance: float, question: Question, *, samples: int = 1) -> float:
    """Return how many rows Student's t test takes to see a mean: below 100 by its own power, else by `n_for_power`.

    Parameters
    ----------
    effect, variance, question
        As `n_for_power` has them.
    samples : int
        1: paired differences; 2: separate samples of so many rows each.

    Examples
    --------
    >>> rows_for_mean(1.7, 1.0, Question()), n_for_power(1.7, 1.0, Question())
    (5.0, 3.0)
    """
    about = n_for_power(effect, variance, question)
    spreads = abs(effect) / math.sqrt(variance) if variance > 0 else math.inf
    return rows_for_t(spreads, about=about, power=question.power, significance=question.significance, samples=samples)


def t_interval(differences: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return ``d̄ ± t s/√n`` with n - 1 degrees of freedom; all numbers for one row  [Student 1908]."""
    n = len(differences)
    if n == 1:
        return -math.inf, math.inf
    return _t_ends(float(differences.mean()), float(differences.std(ddof=1)), n, confidence)


def _t_ends(value: float, spread: float, n: int, confidence: float) -> tuple[float, float]:
    reach = float(scipy.special.stdtrit(n - 1, (1 + confidence) / 2)) * spread / math.sqrt(n)
    return value - reach, value + reach


def t_test(differences: NDArray[np.float64]) -> float:
    """Return the two-sided p value of a mean of 0 by Student's t; ``nan`` for one row, 1 where nothing differs."""
    n = len(differences)
    if n == 1:
        return math.nan
    return _t_p(float(differences.mean()), float(differences.std(ddof=1)), n)


def _t_p(value: float, spread: float, n: int) -> float:
    error = spread / math.sqrt(n)
    if error == 0:
        return 1.0 if value == 0 else 0.0
    return float(2 * scipy.special.stdtr(n - 1, -abs(value) / error))


def _check_paired(first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"both models' values must be of the same rows (n,); found {first.shape} and {second.shape}")
