"""What to mind of the metrics of all rows together where two models are compared by them."""

from __future__ import annotations

import numpy as np

from ..report.whole_batch import difference_notes
from .paired.pair import Pair


def pair_notes(pair: Pair, *, has_room: bool = False) -> list[str]:
    """Say how their differences were made, and where few rows stand behind them.

    Parameters
    ----------
    pair : Pair
        Both models' values.
    has_room : bool
        As `difference_notes` has it.
    """
    names = [name for name, metric in pair.metrics.items() if metric.is_together]
    if not names or pair.truths is None:
        return []
    truth = pair.truths[0]
    assert truth.labels is not None
    fewest = int(np.bincount(truth.labels, minlength=truth.n_classes).min())
    return difference_notes(
        names, n_classes=truth.n_classes, fewest=fewest, is_sample=pair.is_sample, has_room=has_room
    )
