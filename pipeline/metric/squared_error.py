"""Half the squared error of the probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .base import Metric, squared_distance


@dataclass
class SquaredError(Metric):
    """``½ Σ_j (p_j - t_j)²``, 0 … 1  [Bishop 2006, PRML, eq. 5.14, of one row]; half the Brier score."""

    name: str = "squared_error"

    most: ClassVar[float] = 1.0

    @property
    def short(self) -> str:
        """The name in a narrow heading."""
        return "sq. e."

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Return half the squared error of each row."""
        return 0.5 * squared_distance(outputs, labels, gives=gives)
