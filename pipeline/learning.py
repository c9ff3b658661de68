"""The learning curve of a network that was trained here, as the metrics of a run and back."""

from __future__ import annotations

import numpy as np

from pipeline.records import LearningCurve

LEARNING = ("batch_loss", "loss", "accuracy")


def learning_series(curve: LearningCurve | None) -> list[tuple[str, float, int]]:
    """The learning curve as metrics with step = epoch, counted from 1."""
    if curve is None:
        return []
    return [
        (f"learning/{name}", float(value), epoch)
        for name in LEARNING
        for epoch, value in enumerate(getattr(curve, name), start=1)
    ]


def learning_curve_of(series: dict[str, list[tuple[int, float]]]) -> LearningCurve | None:
    """Read a learning curve back from a run's metrics, (epoch, value) pairs by name; None where there is none."""
    if not all(series.get(f"learning/{name}") for name in LEARNING):
        return None
    return LearningCurve(*(np.array([value for _, value in series[f"learning/{name}"]]) for name in LEARNING))
