"""Two models on the same rows: the paired difference of a metric, its interval, its test, and the rows it takes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pipeline.stored import BLOCK, SMALL, Stored, let_go, moments_of

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
class Difference:
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


def loss_difference(first: NDArray[np.float64], second: NDArray[np.float64], question: Question) -> Difference:
    """Compare the losses of the same rows under two models by Student's t on the differences.

    Where a loss is infinite, so is its model's mean; there is no test then, and the interval is all numbers.

    Parameters
    ----------
    first, second : ndarray of float64 (float32 on disk), shape (n,)
        Nats, 0 … inf; at least one row. More than a million are worked on in blocks.
    question : Question
        What is asked.

    Returns
    -------
    Difference
        In nats.
    """
    _check_paired(first, second)
    if len(first) > SMALL:
        return _loss_difference_of_many(Stored(first), Stored(second), question)
    # On disk they are float32, in which a difference would lose digits.
    first, second = first.astype(np.float64, copy=False), second.astype(np.float64, copy=False)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        with np.errstate(invalid="ignore"):
            value = float(np.subtract(second.mean(), first.mean()))
        return Difference(value, -math.inf, math.inf, math.nan, math.inf, math.inf)
    differences = second - first
    value = _beyond_rounding(float(differences.mean()), float(first.mean()), float(second.mean()))
    low, high = t_interval(differences, question.confidence)
    return Difference(
        value,
        low,
        high,
        t_test(differences if value else np.zeros(len(first))),
        n_for_power(value, float(differences.var()), question),
        n_for_power(value, float(first.var() + second.var()), question),
    )


def accuracy_difference(first: NDArray[np.bool_], second: NDArray[np.bool_], question: Question) -> Difference:
    """Compare what two models get right of the same rows by Tango's score interval and McNemar's exact test.

    Parameters
    ----------
    first, second : ndarray of bool, shape (n,)
        Whether a row is classified right; at least one row.
    question : Question
        What is asked.

    Returns
    -------
    Difference
        A fraction, -1 … 1.
    """
    _check_paired(first, second)
    gained, lost = discordant(first, second)
    n = len(first)
    value = (gained - lost) / n
    low, high = score_interval(gained, lost, n, question.confidence)
    variances = Stored(first).var() + Stored(second).var() if n > SMALL else float(first.var() + second.var())
    return Difference(
        value,
        low,
        high,
        mcnemar(gained, lost),
        n_for_power(value, (gained + lost) / n - value**2, question),
        n_for_power(value, variances, question),
    )


def _loss_difference_of_many(first: Stored, second: Stored, question: Question) -> Difference:
    n = len(first)
    if first.n_infinite or second.n_infinite:
        value = math.nan if first.n_infinite and second.n_infinite else second.mean() - first.mean()
        return Difference(value, -math.inf, math.inf, math.nan, math.inf, math.inf)
    blocks = zip(second.blocks(), first.blocks(), strict=True)
    value, variance, _, _ = moments_of(after - before for after, before in blocks)
    value = _beyond_rounding(value, first.mean(), second.mean())
    spread = math.sqrt(variance * n / (n - 1))
    return Difference(
        value,
        *_t_ends(value, spread, n, question.confidence),
        _t_p(value, spread, n),
        n_for_power(value, variance, question),
        n_for_power(value, first.var() + second.var(), question),
    )


def _beyond_rounding(value: float, first: float, second: float) -> float:
    """A mean difference, or 0 where it is no larger than the last bit of the two means."""
    return value if abs(value) > np.finfo(np.float64).eps * max(first, second) else 0.0


def discordant(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int]:
    """Count the rows that the second model alone gets right (gained), and those that the first alone does (lost)."""
    gained = lost = 0
    for start in range(0, len(first), BLOCK):
        before, after = first[start : start + BLOCK], second[start : start + BLOCK]
        gained += int(np.count_nonzero(after & ~before))
        lost += int(np.count_nonzero(before & ~after))
        let_go(first)
        let_go(second)
    return gained, lost


def n_for_power(effect: float, variance: float, question: Question) -> float:
    """Return how many rows a two-sided test takes to see a mean of `effect` with the power asked for.

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
    z = special.ndtri(1 - question.significance / 2) + special.ndtri(question.power)
    # Divided first: the square of a small effect may be too small for a float.
    with np.errstate(over="ignore"):
        n = np.float64(z * (math.sqrt(variance) / abs(effect))) ** 2
    return float(max(_FEWEST_ROWS, math.ceil(n))) if math.isfinite(n) else math.inf


def t_interval(differences: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Return ``d̄ ± t s/√n`` with n - 1 degrees of freedom; all numbers for one row  [Student 1908]."""
    n = len(differences)
    if n == 1:
        return -math.inf, math.inf
    return _t_ends(float(differences.mean()), float(differences.std(ddof=1)), n, confidence)


def _t_ends(value: float, spread: float, n: int, confidence: float) -> tuple[float, float]:
    reach = float(special.stdtrit(n - 1, (1 + confidence) / 2)) * spread / math.sqrt(n)
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
    return float(2 * special.stdtr(n - 1, -abs(value) / error))


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p value of gained and lost being equally likely; 1 if there are none of either.

    The flipped rows are `gained` heads of a fair coin  [McNemar 1947, Psychometrika 12, in its binomial form].

    Examples
    --------
    >>> mcnemar(5, 0)
    0.0625
    """
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def score_interval(gained: int, lost: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the differences of two paired shares that a score test does not reject.

    Solves ``(b - c - nΔ)² = z² n (2q + Δ(1 - Δ))`` for Δ, with q the share lost that is likeliest for a given Δ: the
    root of ``2n q² + (-b - c + (2n - b + c)Δ) q - cΔ(1 - Δ) = 0``  [Tango 1998, Statistics in Medicine 17,
    891-908]. At Δ = 0 it is McNemar's test; it stays within -1 … 1, and has a width where nothing flips: ± z²/(n + z²).

    Parameters
    ----------
    gained, lost : int
        Rows that the second model alone gets right, b, and that the first alone does, c.
    n : int
        All rows.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float
        Around (b - c)/n.
    """
    z = float(special.ndtri((1 + confidence) / 2))
    return -_score_limit(lost, gained, n, z), _score_limit(gained, lost, n, z)


def _score_limit(gained: int, lost: int, n: int, z: float) -> float:
    """The upper limit; where all rows or none are discordant one way, the equation has its root written out."""
    from scipy.optimize import brentq

    if gained == n:
        return 1.0
    if lost == n:
        return (z**2 - n) / (z**2 + n)
    if gained + lost == 0:
        return z**2 / (n + z**2)

    def beyond(delta: float) -> float:
        spread = 2 * _likeliest_lost(delta, gained, lost, n) + delta * (1 - delta)
        return float((gained - lost - n * delta) ** 2 - z**2 * n * spread)

    return float(brentq(beyond, (gained - lost) / n, 1.0))


def _likeliest_lost(delta: float, gained: int, lost: int, n: int) -> float:
    linear = -gained - lost + (2 * n - gained + lost) * delta
    constant = -lost * delta * (1 - delta)
    root = math.sqrt(max(linear**2 - 8 * n * constant, 0.0))
    # Of the two forms of the root, the one that adds numbers of one sign.
    return -2 * constant / (linear + root) if linear > 0 else (root - linear) / (4 * n)


def _check_paired(first: NDArray[np.generic], second: NDArray[np.generic]) -> None:
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ValueError(f"both models' values must be of the same rows (n,); found {first.shape} and {second.shape}")
