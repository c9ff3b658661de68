"""Which rows to label next, and what the labels so far say: chances are learned, and estimates stay unbiased.

[Kossen et al. 2021, Active Testing: Sample-Efficient Model Evaluation.]
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..records.rows import IntArray
from ..sampling.successive import successive
from .active import ActiveEstimate, Guess, active_mean, step_estimates, step_weights
from .calibration import Calibration, Expected, calibrated
from .mean_gain import MeanGain

Floats = NDArray[np.float64]

# Before it is learned, several guesses of a value count alike; that first opinion has the weight of so many labels.
_PRIOR_LABELS = 20.0
# Squares of values that may be hidden in rows not seen yet: two rows of 2 nats, three errors.
_UNSEEN = {"loss": 8.0, "accuracy": 3.0}
# The least part of the mean variance that a row's guessed one counts as, where the scale of the variances is learned.
_LEAST = 1e-3


@dataclass(frozen=True, eq=False)
class Features:
    """What is known of a metric's values before they are: p guesses of each value and p of its variance.

    Attributes
    ----------
    means, variances : ndarray of float64, shape (n, p)
        In the metric's unit and its square; the variances at least 0. p may be 0: nothing is known.
    """

    means: Floats
    variances: Floats

    def take(self, rows: IntArray) -> Features:
        """Return those of some rows."""
        return Features(self.means[rows], self.variances[rows])


def features_of(expected: Expected | None, n: int, proxy: Mapping[str, Floats] | None) -> dict[str, Features]:
    """Return what is known of the losses and the errors of n rows, by metric.

    Parameters
    ----------
    expected : Expected or None
        What the model expects; None where it gives labels alone.
    n : int
        The rows.
    proxy : mapping of str to ndarray of float64, shape (n,), or None
        A guess of the loss and of the error from elsewhere, by metric, in the unit of the metric.
    """
    found = {}
    for metric in ("loss", "accuracy"):
        means, variances = [], []
        if expected is not None:
            own = metric == "loss"
            means.append(expected.loss if own else expected.error)
            variances.append(expected.loss_variance if own else expected.error_variance)
        if proxy is not None:
            means.append(proxy[metric])
            # A quarter: a guess of 1 where the value is 0 or 1 leaves at most that variance.
            variances.append(proxy[metric] ** 2 / 4)
        empty = np.empty((n, 0))
        found[metric] = Features(
            np.stack(means, axis=1) if means else empty, np.stack(variances, axis=1) if variances else empty
        )
    return found


@dataclass(frozen=True)
class Learned:
    """What the labels of earlier rounds taught, before a round's rows were chosen.

    Attributes
    ----------
    calibration : Calibration
        Of the model's probabilities.
    slopes : dict of str to tuple of float
        By metric that was asked for: the guess of a value is the sum of its means, each times its slope.
    guesses : dict of str to float
        By metric: the mean of that guess over all N rows.
    """

    calibration: Calibration
    slopes: dict[str, tuple[float, ...]]
    guesses: dict[str, float]


@dataclass(eq=False)
class Round:
    """Rows that were chosen together.

    Attributes
    ----------
    rows : ndarray of int64, shape (b,)
        In the order drawn.
    chances : ndarray of float64, shape (b,)
        Of each, when it was drawn, among those left.
    learned : Learned
        Before.
    labels : ndarray of int64, shape (b,), or None
        None until they are given.
    """

    rows: IntArray
    chances: Floats
    learned: Learned
    labels: NDArray[np.int64] | None = None


@dataclass(eq=False)
class ActiveTest:
    """A population without labels, of which some are asked for, round by round.

    Attributes
    ----------
    size : int
        N.
    metrics : sequence of str
        ``loss``, ``accuracy`` or both: what is estimated; the accuracy by its errors.
    uniform : float
        The share of the chances that every row left has alike, in (0, 1]: no value is divided by less than it times
        1/N, whatever the guesses say.
    features : callable
        From a calibration to the `Features` of all N rows, by metric.
    outputs : callable
        From rows, shape (n,), to the model's logits or log-probabilities, shape (n, k); k = 0 where it has none.
    values : callable
        From rows and their labels to the values of each metric, errors for the accuracy.
    proxy : mapping of str to ndarray, or None
        As `features_of` has it, of all rows.
    rounds : list of Round
        None at first; the last of them may wait for its labels.
    """

    size: int
    metrics: Sequence[str]
    uniform: float
    features: Callable[[Calibration], dict[str, Features]]
    outputs: Callable[[IntArray], NDArray[np.floating]]
    values: Callable[[IntArray, NDArray[np.int64]], dict[str, Floats]]
    proxy: Mapping[str, Floats] | None = None
    rounds: list[Round] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self._rows, self._chances = np.empty(0, dtype=np.int64), np.empty(0)
        self._labels = np.empty(0, dtype=np.int64)
        self._values = {metric: np.empty(0) for metric in self.metrics}
        self._outputs: NDArray[np.floating] | None = None

    @property
    def labelled(self) -> int:
        """M, the labels that are there."""
        return len(self._rows)

    @property
    def open_round(self) -> Round | None:
        """The round that waits for its labels."""
        return self.rounds[-1] if self.rounds and self.rounds[-1].labels is None else None

    @property
    def calibration(self) -> Calibration:
        """What the labels so far say of the model's probabilities."""
        if self._outputs is None:
            return Calibration()
        # A proxy may have seen the labels, and rows chosen by it are then no fair sample given the outputs.
        return calibrated(self._outputs, self._labels, None if self.proxy is None else 1 / self._chances)

    def drawn(self) -> tuple[IntArray, Floats, NDArray[np.int64]]:
        """Return the labelled rows in the order drawn, the chance of each, and its label, each of shape (M,)."""
        return self._rows, self._chances, self._labels

    def choose(self, count: int, rng: np.random.Generator, aims: Sequence[str] | None = None) -> Round:
        """Choose the rows to be labelled next, with chances from all that the labels so far have taught.

        Parameters
        ----------
        count : int
            How many, at most those left.
        rng : Generator
            Random numbers.
        aims : sequence of str or None
            The metrics that the chances are made for, in equal parts; None is all.
        """
        aims = self.metrics if aims is None else aims
        calibration = self.calibration
        known = self.features(calibration)
        slopes = {metric: self._slopes(metric, known[metric]) for metric in self.metrics}
        weights = np.full(self.size, self.uniform / (self.size - self.labelled))
        for metric in aims:
            spread = np.sqrt(known[metric].variances @ self._scales(metric, known[metric], slopes[metric]))
            spread[self._rows] = 0.0
            total = spread.sum()
            share = (1 - self.uniform) / len(aims)
            weights += share * spread / total if total > 0 else share / (self.size - self.labelled)
        weights[self._rows] = 0.0
        rows, chances = successive(weights, count, rng)
        guesses = {metric: float(known[metric].means.mean(axis=0) @ slopes[metric]) for metric in self.metrics}
        learned = Learned(calibration, {metric: tuple(map(float, own)) for metric, own in slopes.items()}, guesses)
        self.rounds.append(Round(rows.astype(np.int64), chances, learned))
        return self.rounds[-1]

    def take(self, each: Round) -> None:
        """Go on with a round of an earlier start; one without labels waits for them."""
        labels, each.labels = each.labels, None
        self.rounds.append(each)
        if labels is not None:
            self.fill(labels)

    def fill(self, labels: NDArray[np.int64]) -> None:
        """Take the labels of the round that waits for them, in its order."""
        waiting = self.open_round
        assert waiting is not None
        waiting.labels = labels
        self._rows = np.append(self._rows, waiting.rows)
        self._chances = np.append(self._chances, waiting.chances)
        self._labels = np.append(self._labels, labels)
        found = self.values(waiting.rows, labels)
        self._values = {metric: np.append(own, found[metric]) for metric, own in self._values.items()}
        outputs = self.outputs(waiting.rows)
        if outputs.shape[1]:
            self._outputs = outputs if self._outputs is None else np.concatenate([self._outputs, outputs])

    def estimates(self, confidence: float) -> dict[str, ActiveEstimate]:
        """Return the estimate of each metric from all labels, with its interval; the accuracy as the errors' share."""
        proxy = None if self.proxy is None else {metric: own[self._rows] for metric, own in self.proxy.items()}
        guesses: dict[str, list[Guess]] = {metric: [] for metric in self.metrics}
        first = 0
        for each in self.rounds:
            if each.labels is None:
                break
            expected = None if self._outputs is None else each.learned.calibration.expected(self._outputs)
            known = features_of(expected, self.labelled, proxy)
            for metric in self.metrics:
                # A metric that was not asked for then has no guess: its steps are plain ones, and as unbiased.
                slopes = each.learned.slopes.get(metric, np.zeros(known[metric].means.shape[1]))
                guesses[metric].append(
                    Guess(first, known[metric].means @ np.array(slopes), each.learned.guesses.get(metric, 0.0))
                )
            first += len(each.rows)
        return {
            metric: active_mean(
                values,
                self._chances,
                guesses[metric],
                size=self.size,
                confidence=confidence,
                unseen=_UNSEEN[metric],
            )
            for metric, values in self._values.items()
        }

    def simple(self, confidence: float) -> dict[str, float]:
        """Return half the width that the same interval would have after a simple sample of M rows, by metric.

        The moments of all N values are estimated from the rows at hand, by LURE.
        """
        weights, found = step_weights(self.labelled, self.size), {}
        error, left = (1 - confidence) / 2, math.sqrt(1 - self.labelled / self.size)
        for metric, values in self._values.items():
            mean = weights @ step_estimates(values, self._chances, self.size)
            powers = (values - mean)[:, None] ** np.arange(2, 5)
            moments = np.maximum(weights @ step_estimates(powers, self._chances, self.size), [0.0, -np.inf, 0.0])
            gain = MeanGain(self.labelled, *(np.array([each]) for each in (mean, *moments)))
            low, high = gain.ends(error, error)
            found[metric] = left * (high - low) / 2
        return found

    def _slopes(self, metric: str, known: Features) -> Floats:
        """The slopes with which the guesses leave the least variance, held to equal ones where labels are few."""
        n_guesses = known.means.shape[1]
        prior = np.full(n_guesses, 1 / max(n_guesses, 1))
        if not self.labelled or not n_guesses:
            return prior
        weights = step_weights(self.labelled, self.size)
        steps = step_estimates(known.means[self._rows], self._chances, self.size) - known.means.mean(axis=0)
        own = step_estimates(self._values[metric], self._chances, self.size)
        x, y = weights[:, None] * steps, weights * (own - weights @ own)
        squares = x.T @ x
        ridge = np.diag(_PRIOR_LABELS / self.labelled * np.diag(squares) + np.finfo(float).tiny)
        return np.asarray(np.linalg.lstsq(squares + ridge, x.T @ y + ridge @ prior, rcond=None)[0])

    def _scales(self, metric: str, known: Features, slopes: Floats) -> Floats:
        """What each guess of the variance counts for, so that together they are like the squared misses so far."""
        n_guesses = known.variances.shape[1]
        prior = np.full(n_guesses, 1 / max(n_guesses, 1))
        # The scale of one alone changes no chance.
        if not self.labelled or n_guesses < 2:
            return prior
        from scipy.optimize import nnls

        there = known.take(self._rows)
        missed = (self._values[metric] - there.means @ slopes) ** 2
        floor = _LEAST * known.variances.sum(axis=1).mean()
        relative = 1 / np.maximum(there.variances.sum(axis=1), max(floor, np.finfo(float).tiny))
        x, y = there.variances * relative[:, None], missed * relative
        strength = np.sqrt(_PRIOR_LABELS * (x**2).mean(axis=0))
        return np.asarray(nnls(np.vstack([x, np.diag(strength)]), np.append(y, strength * prior))[0])
