"""The share of rows whose largest logit is the label's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.accuracy import is_correct
from pipeline.metric.base import Metric


@dataclass
class Accuracy(Metric):
    """Whether each row is classified right; see `pipeline.accuracy`."""

    name: str = "accuracy"

    is_share: ClassVar[bool] = True
    most: ClassVar[float] = 1.0

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Return 1 where the row is right, else 0."""
        return is_correct(outputs, labels).astype(np.float64)
