"""What every interval is: the moments of batches to estimates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Estimate, Moments


@dataclass
class Interval(ABC):
    """A two-sided interval for the population's mean, as configured."""

    name: str

    @abstractmethod
    def estimate(self, moments: Moments, confidence: float) -> Estimate:
        """Put an interval around the mean of each batch.

        Parameters
        ----------
        moments : Moments
            Of m batches of n rows.
        confidence : float
            The share of intervals that should hold the population's mean, in (0, 1).

        Returns
        -------
        Estimate
            Arrays of shape (m,).
        """


def uncounted_share(moments: Moments) -> float:
    """Return 1 - n/N, the finite-population correction; 1 with replacement  [Cochran 1977, eq. 2.8]."""
    return 1.0 if moments.population_size is None else 1 - moments.n / moments.population_size


def standard_error(moments: Moments) -> NDArray[np.float64]:
    """Return √((1 - n/N) s²/n) of each batch; ``nan`` for one row, 0 for the whole population."""
    uncounted = uncounted_share(moments)
    if uncounted == 0:
        return np.zeros_like(moments.mean)
    return np.sqrt(uncounted * moments.variance / moments.n)
