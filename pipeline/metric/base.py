"""What every metric is: one value a row."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import special


@dataclass
class Metric(ABC):
    """A metric, as configured; its mean over a batch is the estimate.

    Attributes
    ----------
    is_share : bool
        Whether a row's value is 0 or 1, so that the mean is a share, with the accuracy's interval; else it has the
        loss's.
    most : float
        What no row's value is above; inf where there is no such bound. None is below 0.
    """

    name: str

    is_share: ClassVar[bool] = False
    most: ClassVar[float] = math.inf

    @property
    def column(self) -> str:
        """What its figures are called: ``brier``, ``top_5``."""
        return self.name

    def check(self, n_classes: int) -> None:
        """Refuse classes that the metric says nothing of.

        Raises
        ------
        BadInput
            If there are too few.
        """

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


def squared_distance(outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
    """Return ``Σ_j (p_j - t_j)²`` of each row; logits are turned into probabilities, probabilities taken as they are.

    Parameters
    ----------
    outputs, labels, gives
        As `Metric.values` has them.

    Returns
    -------
    ndarray of float64, shape (n,)
        0 … 2.
    """
    rows = np.asarray(outputs, dtype=np.float64)
    # A row of nothing but -inf is refused by its loss.
    with np.errstate(invalid="ignore"):
        apart = special.softmax(rows, axis=1) if gives == "logits" else rows.copy()
    if np.ndim(labels) == 2:
        apart -= labels
    else:
        apart[np.arange(len(apart)), labels] -= 1.0
    return np.einsum("ij,ij->i", apart, apart)
