"""The Brier score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .base import Metric, squared_distance


@dataclass
class Brier(Metric):
    """``Σ_j (p_j - t_j)²``, 0 … 2, over all classes; 0 is best  [Brier 1950, Monthly Weather Review 78, eq. 2].

    With two classes it is twice what is often given for the probability of class 1 alone.
    """

    name: str = "brier"

    most: ClassVar[float] = 2.0

    @property
    def words(self) -> str:
        """The name in sentences."""
        return "Brier score"

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Return the Brier score of each row."""
        return squared_distance(outputs, labels, gives=gives)
