"""What a configured proxy says of each metric, where a study takes it as a control variate."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..experiment import Stages
from ..records.stored import refuse_too_many
from ..report.words import counted, in_words, percent

Floats = NDArray[np.float64]


def controls_of(stages: Stages, *, loss_cap: float | None = None) -> dict[str, Floats]:
    """Return the proxy's value of every unit by metric, shape (units,) each; none where the proxy is the default.

    Parameters
    ----------
    stages : Stages
    loss_cap : float or None
        Guesses of losses above it count as it, nats, where rows are drawn one by one.

    Raises
    ------
    BadInput
        If the proxy cannot be computed, or the population is too large to hold it.
    """
    proxy = stages.experiment.proxy
    if not proxy.is_control:
        return {}
    refuse_too_many(len(stages.rows), f"study={stages.experiment.study.name} with proxy={proxy.name}")
    guess = stages.frame.guess()
    loss = np.asarray(guess.loss, dtype=np.float64)
    if loss_cap is not None and proxy.has_units and stages.units.is_simple:
        loss = np.minimum(loss, loss_cap)
    right = np.asarray(guess.accuracy, dtype=np.float64)
    return {name: right if metric.is_share else loss for name, metric in stages.metrics.items()}


def notes_of(stages: Stages, left: Mapping[str, float]) -> list[str]:
    """Say that the intervals bet on what a proxy leaves, what it leaves, and of how many rows it knows something.

    Parameters
    ----------
    stages : Stages
    left : mapping of str to float
        The share of the variance that it leaves, by metric.
    """
    asked, n = stages.experiment, len(stages.rows)
    proxy = asked.proxy
    if not proxy.is_control:
        return []
    said = in_words([f"{percent(own)} % of that of the {stages.metrics[name].words}" for name, own in left.items()])
    found = f"; of the variance among the rows evaluated it leaves {said}" if left else ""
    notes = [f"The intervals bet on each row less what proxy={proxy.name} says of it, and hold with any proxy{found}"]
    if (known := proxy.known(stages.rows, data=asked.data)) < n:
        notes.append(
            f"Of {counted(n, 'row')} proxy={proxy.name} has scores of {known:,}; for the others stands what the model "
            "itself expects, or the mean"
        )
    return notes
