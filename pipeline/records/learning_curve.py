"""The learning curve of a network that was trained here, and its conversion to metrics of a run and back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEARNING = ("batch_loss", "loss", "accuracy")


def learning_series(curve: LearningCurve | None) -> list[tuple[str, float, int]]:
    """Return the learning curve as metrics (name, value, step), with step = epoch from 1; empty for None."""
    if curve is None:
        return []
    return [
        (f"learning/{name}", float(value), epoch)
        for name in LEARNING
        for epoch, value in enumerate(getattr(curve, name), start=1)
    ]


def learning_curve_of(series: dict[str, list[tuple[int, float]]]) -> LearningCurve | None:
    """Return the learning curve from a run's metrics, (epoch, value) pairs by name; None if a part is missing."""
    if not all(series.get(f"learning/{name}") for name in LEARNING):
        return None
    return LearningCurve(*(np.array([value for _, value in series[f"learning/{name}"]]) for name in LEARNING))


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Loss and accuracy in the course of training, one entry for each epoch.

    Attributes
    ----------
    batch_loss : ndarray of float64, shape (epochs,)
        Mean over the epoch of the training batches' losses, nats.
    loss, accuracy : ndarray of float64, shape (epochs,)
        Mean loss (nats) and accuracy (a fraction) over the whole training split, after the epoch.
    """

    batch_loss: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    loss: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    accuracy: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
