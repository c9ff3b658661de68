"""Populations of losses made by a random generator, on which the intervals are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..loss import cross_entropy

Floats = NDArray[np.float64]
# Rows that are made at once, so that a thousand logits a row fit into memory.
_BLOCK = 5_000
# Spread of a row's logits, and of how sure the model is of it.
_LOGITS, _SURENESS = 2.0, 3.0


@dataclass(frozen=True)
class SoftmaxModel:
    """A classifier whose labels are drawn from what it would say if it were calibrated.

    Attributes
    ----------
    accuracy : float
        How often the labels, before any is replaced, are the class with the largest logit, about.
    classes : int
        How many there are.
    scale : float
        What its logits are multiplied by after the labels were drawn: above 1 it is over-confident, below 1
        under-confident.
    noise : float
        Share of the labels that are replaced by random ones.
    """

    accuracy: float = 0.95
    classes: int = 10
    scale: float = 1.0
    noise: float = 0.0

    def __call__(self, rng: np.random.Generator, size: int) -> Floats:
        """Return the losses of a population, shape (size,), nats."""
        margin = self._margin()
        blocks = [min(_BLOCK, size - start) for start in range(0, size, _BLOCK)]
        return np.concatenate([self._losses(rng, rows, margin) for rows in blocks])

    def _losses(self, rng: np.random.Generator, rows: int, margin: float) -> Floats:
        logits = _logits(rng, rows, self.classes, margin)
        chances = _softmax(logits).cumsum(axis=1)
        labels = np.minimum((chances < rng.random((rows, 1))).sum(axis=1), self.classes - 1)
        is_random = rng.random(rows) < self.noise
        labels = np.where(is_random, rng.integers(0, self.classes, rows), labels)
        return cross_entropy(self.scale * logits, labels)

    def _margin(self) -> float:
        """The mean lead of one class that makes the model right as often as it should be, by bisection."""
        low, high = 0.0, 40.0
        for _ in range(20):
            middle = (low + high) / 2
            largest = _softmax(_logits(np.random.default_rng(0), 2_000, self.classes, middle)).max(axis=1)
            low, high = (middle, high) if largest.mean() < self.accuracy else (low, middle)
        return low


def _logits(rng: np.random.Generator, rows: int, classes: int, margin: float) -> Floats:
    logits = _LOGITS * rng.standard_normal((rows, classes))
    logits[np.arange(rows), rng.integers(0, classes, rows)] += margin + _SURENESS * rng.standard_normal(rows)
    return logits


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def tokens(rng: np.random.Generator, size: int) -> Floats:
    """Return losses like those of a language model's tokens: half are certain, a fifth cost some six nats."""
    kind = rng.random(size)
    losses = np.where(kind < 0.45, rng.exponential(0.05, size), rng.exponential(1.5, size))
    return np.where(kind < 0.8, losses, rng.gamma(4, 1.6, size))


def documents(rng: np.random.Generator, size: int) -> Floats:
    """Return losses like those of a language model's documents, each a mean over its tokens: 2.3 ± 0.4 nats."""
    return np.maximum(rng.normal(2.3, 0.4, size), 0.1)


def lognormal(rng: np.random.Generator, size: int) -> Floats:
    """Return lognormal losses with σ = 1.8, whose few largest rows make up most of the mean."""
    return rng.lognormal(-2.5, 1.8, size)


POPULATIONS: dict[str, Callable[[np.random.Generator, int], Floats]] = {
    "calibrated": SoftmaxModel(),
    "over-confident × 3": SoftmaxModel(scale=3.0),
    "under-confident × 0.4": SoftmaxModel(scale=0.4),
    "2 % random labels": SoftmaxModel(noise=0.02),
    "5 % random labels": SoftmaxModel(noise=0.05),
    "52 % right": SoftmaxModel(accuracy=0.52),
    "99.9 % right": SoftmaxModel(accuracy=0.999),
    "1,000 classes": SoftmaxModel(accuracy=0.75, classes=1_000),
    "tokens": tokens,
    "documents": documents,
    "lognormal, σ 1.8": lognormal,
}
