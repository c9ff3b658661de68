"""What a model's own probabilities expect of its loss and its errors, calibrated by the labels so far."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The prior: log T ~ N(0, 0.7²), which holds temperatures of 0.25 to 4; a share of random labels of about 1 %, with the
# weight of 50 labels.
_LOG_T_SPREAD = 0.7
_NOISE, _NOISE_WEIGHT = 0.01, 50.0
_MOST_LOG_T, _NOISE_RANGE = 4.0, (1e-4, 0.5)
# Nats that a class counts at most in what is expected: a class of probability 0 would make every chance infinite.
_MOST_LOSS = 50.0


@dataclass(frozen=True)
class Calibration:
    """The chances of the true class: p = (1 - noise) softmax(log p_model / temperature) + noise/k.

    Attributes
    ----------
    temperature : float
        Above 0; above 1 where the model is over-confident  [Guo et al. 2017, On Calibration of Modern Neural Networks].
    noise : float
        The share of labels that say nothing of the row, in (0, ½].
    """

    temperature: float = 1.0
    noise: float = _NOISE

    def expected(self, outputs: NDArray[np.floating]) -> Expected:
        """Return what is expected of rows.

        Parameters
        ----------
        outputs : ndarray of float, shape (n, k)
            The model's logits or log-probabilities; -inf for a class of probability 0.
        """
        losses = class_losses(outputs)
        # Along the long axis, which is several times faster: shape (k, n).
        chances = np.exp(losses * (-1 / self.temperature))
        chances *= (1 - self.noise) / chances.sum(axis=0)
        chances += self.noise / len(losses)
        error = 1 - chances.max(axis=0)
        chances *= losses
        loss = chances.sum(axis=0)
        chances *= losses
        variance = np.maximum(chances.sum(axis=0) - loss * loss, 0.0)
        return Expected(loss, variance, error, error * (1 - error))


@dataclass(frozen=True, eq=False)
class Expected:
    """The mean and the variance that a calibrated model expects of a row's loss and of its error.

    Attributes
    ----------
    loss, loss_variance : ndarray of float64, shape (n,)
        Nats, and squared nats.
    error, error_variance : ndarray of float64, shape (n,)
        Of 1 where the row is classified wrongly, and 0 where it is right.
    """

    loss: Floats
    loss_variance: Floats
    error: Floats
    error_variance: Floats


def class_losses(outputs: NDArray[np.floating]) -> Floats:
    """Return the loss that a row would have under each label, nats, shape (k, n); at most 50."""
    by_class = np.ascontiguousarray(outputs.T, dtype=np.float64)
    shifted = by_class - by_class.max(axis=0)
    return np.asarray(np.minimum(np.log(np.exp(shifted).sum(axis=0)) - shifted, _MOST_LOSS))


def calibrated(outputs: NDArray[np.floating], labels: NDArray[np.int64], weights: Floats | None = None) -> Calibration:
    """Return the temperature and the label noise that the labels so far make most probable.

    Parameters
    ----------
    outputs : ndarray of float, shape (n, k)
        As `Calibration.expected` has them, of the labelled rows.
    labels : ndarray of int64, shape (n,)
        The true classes.
    weights : ndarray of float64, shape (n,), or None
        What each label counts. Rows may be chosen by their outputs without weights: given these, the chances of the
        labels are the same. Those chosen by what knows more of the labels need weights, 1 over their chances.
    """
    if not len(labels):
        return Calibration()
    from scipy.optimize import minimize

    losses = class_losses(outputs)
    counts = np.ones(len(labels)) if weights is None else weights * (weights.sum() / (weights**2).sum())
    columns, n_classes = np.arange(len(labels)), len(losses)

    def objective(at: Floats) -> tuple[float, Floats]:
        """The negative log-posterior and its gradient, by log T and the noise."""
        log_t, noise = at
        scaled = losses * -math.exp(-log_t)
        softmax = np.exp(scaled)
        softmax /= softmax.sum(axis=0)
        own = softmax[labels, columns]
        chance = (1 - noise) * own + noise / n_classes
        by_log_t = counts * (1 - noise) * own * ((softmax * scaled).sum(axis=0) - scaled[labels, columns]) / chance
        by_noise = counts * (1 / n_classes - own) / chance
        prior = log_t**2 / (2 * _LOG_T_SPREAD**2)
        prior -= _NOISE_WEIGHT * (_NOISE * math.log(noise) + (1 - _NOISE) * math.log1p(-noise))
        prior_by_noise = -_NOISE_WEIGHT * (_NOISE / noise - (1 - _NOISE) / (1 - noise))
        gradient = np.array([log_t / _LOG_T_SPREAD**2 - by_log_t.sum(), prior_by_noise - by_noise.sum()])
        return float(prior - counts @ np.log(chance)), gradient

    bounds = [(-_MOST_LOG_T, _MOST_LOG_T), _NOISE_RANGE]
    found = minimize(objective, np.array([0.0, _NOISE]), jac=True, method="L-BFGS-B", bounds=bounds)
    return Calibration(float(math.exp(found.x[0])), float(found.x[1]))
