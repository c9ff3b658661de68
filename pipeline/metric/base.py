"""What every metric is: one value a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass
class Metric(ABC):
    """A metric, as configured; its mean over a batch is the estimate."""

    name: str

    @abstractmethod
    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.floating[Any]]:
        """Return one value a row.

        Parameters
        ----------
        outputs : ndarray of float, shape (n, k)
            What the model gives.
        labels : ndarray, shape (n,) of int or (n, k) of float
            The true classes, or a row of label probabilities each.
        gives : str
            What `outputs` are: ``logits`` or ``probabilities``.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
