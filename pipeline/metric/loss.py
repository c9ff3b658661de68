"""Cross-entropy, the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.loss import cross_entropy, cross_entropy_of_probabilities
from pipeline.metric.base import Metric


@dataclass
class Loss(Metric):
    """Cross-entropy in nats, 0 … inf; see `pipeline.loss`."""

    name: str = "loss"

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Return the loss of each row."""
        return (cross_entropy if gives == "logits" else cross_entropy_of_probabilities)(outputs, labels)
