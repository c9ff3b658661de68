"""Means from rows that were chosen one by one with unequal chances, none twice: the LURE estimator and its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .mean_gain import MeanGain

Floats = NDArray[np.float64]


def lure_weights(chances: Floats, size: int) -> Floats:
    """Return the weights v_m with which the mean of v_m f_m over the rows drawn is unbiased.

    v_m = 1 + (N - M)/(N - m) · (1/((N - m + 1) q_m) - 1), whatever decided the chances q_m before row m was drawn: the
    labels of the rows before it may  [Farquhar, Gal & Rainforth 2021, On Statistical Bias in Active Learning, R_LURE;
    Kossen et al. 2021, Active Testing, eq. 6].

    Parameters
    ----------
    chances : ndarray of float64, shape (M,)
        The chance q_m that the m-th row had when it was drawn, among those left, in (0, 1].
    size : int
        N, the rows of the population, at least M.

    Returns
    -------
    ndarray of float64, shape (M,)
        1 each where M = N.

    Examples
    --------
    >>> lure_weights(np.array([0.4, 0.5]), 4).round(4)
    array([0.75  , 0.6667])
    """
    drawn = len(chances)
    if drawn == size:
        return np.ones(drawn)
    place = np.arange(1, drawn + 1)
    return 1 + (size - drawn) / (size - place) * (1 / ((size - place + 1) * chances) - 1)


def step_weights(drawn: int, size: int) -> Floats:
    """Return c_m = N (N - M)/(M (N - m)(N - m + 1)), what each of M steps counts in LURE; their sum is 1.

    At M = N the last step alone counts, which knows every value.
    """
    if drawn == size:
        return np.append(np.zeros(drawn - 1), 1.0)
    left = size - np.arange(1, drawn + 1)
    return np.asarray(size * (size - drawn) / (drawn * left * (left + 1.0)))


def step_estimates(values: Floats, chances: Floats, size: int) -> Floats:
    """Return D_m = (Σ of the values before step m + f_m/q_m)/N, each an unbiased estimate given all before it.

    Parameters
    ----------
    values : ndarray of float64, shape (M,) or (M, k)
        f, in the order drawn.
    chances : ndarray of float64, shape (M,)
        As `lure_weights` has them.
    size : int
        N.
    """
    chances = chances.reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray((np.cumsum(values, axis=0) - values + values / chances) / size)


@dataclass(frozen=True, eq=False)
class Guess:
    """What was expected of each row's value, from a step on and before it was taken: a control variate.

    Attributes
    ----------
    first : int
        Rows drawn before that step.
    values : ndarray of float64, shape (M,)
        Of the rows drawn, in their order.
    mean : float
        Of all N rows.
    """

    first: int
    values: Floats
    mean: float


@dataclass(frozen=True)
class ActiveEstimate:
    """A mean from rows chosen with unequal chances.

    Attributes
    ----------
    value, standard_error : float
        In the metric's unit.
    low, high : float
        The ends of its interval.
    """

    value: float
    standard_error: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval."""
        return (self.high - self.low) / 2


def active_mean(
    values: Floats, chances: Floats, guesses: Sequence[Guess], *, size: int, confidence: float, unseen: float = 0.0
) -> ActiveEstimate:
    """Return the LURE estimate of the mean of all N values, with what was expected of them as a control variate.

    Step m estimates the mean as G + D_m(f - g), with the guesses g that were there before it and their mean G over all
    N rows. Given all before it, that is right on average, however good the guess: so the weighted mean of the steps,
    Σ c_m D_m, is unbiased, its error is a martingale, and Σ c_m² (D_m - R)² estimates its variance honestly, with what
    the early guesses cost. The interval takes e_m = M c_m (D_m - R) for a sample's deviations: at each end the wider
    of Student's t and Hall's, with degrees of freedom by the kurtosis (`mean_gain.MeanGain`). It is asymptotic, by the
    martingale central limit theorem  [Hall & Heyde 1980, Martingale Limit Theory, §3.2].

    Parameters
    ----------
    values, chances : ndarray of float64, shape (M,)
        f and q, in the order drawn; M is at least 1.
    guesses : sequence of Guess
        By `first`, which is 0 in the first of them; with values of 0 the estimate is LURE itself.
    size : int
        N.
    confidence : float
        In (0, 1).
    unseen : float
        A floor of the variance, for rows so rare that none may have been drawn: the variance is at least that of
        values whose squares have this sum over the rows drawn. 3 are three errors, as many as zero of n may hide.
    """
    drawn = len(values)
    steps = np.empty(drawn)
    starts = [guess.first for guess in guesses if guess.first < drawn]
    for guess, (first, last) in zip(guesses, pairwise([*starts, drawn]), strict=False):
        rest = step_estimates(values[:last] - guess.values[:last], chances[:last], size)
        steps[first:last] = guess.mean + rest[first:]
    weights = step_weights(drawn, size)
    value = float(weights @ steps)
    if drawn == size:
        return ActiveEstimate(value, 0.0, value, value)
    errors = drawn * weights * (steps - value)
    second, third, fourth = (np.array([float(np.mean(errors**power))]) for power in (2, 3, 4))
    second = np.maximum(second, unseen / drawn * np.mean(np.square(drawn * weights / (size * chances))))
    error = (1 - confidence) / 2
    low, high = MeanGain(drawn, np.array([value]), second, third, fourth).ends(error, error)
    return ActiveEstimate(value, float(np.sqrt(second[0] / drawn)), low, high)
