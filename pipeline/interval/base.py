"""What every interval is: what batches say to estimates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Batches, Estimate
from pipeline.sampling.base import Plan


@dataclass
class Interval(ABC):
    """A two-sided interval for the population's mean, as configured.

    Attributes
    ----------
    needs_values : bool
        Whether it is made from the units' values (``Batches.values``), not from moments alone.
    is_guaranteed : bool
        Whether it holds its confidence at every n, for values within bounds that are known beforehand.
    """

    name: str

    needs_values: ClassVar[bool] = False
    is_guaranteed: ClassVar[bool] = False

    def check(self, plan: Plan, target: str) -> None:
        """Refuse a design or a target that the interval cannot be made for.

        Raises
        ------
        BadInput
            If it cannot.
        """

    def with_cap(self, cap: float | None) -> Interval:
        """Return the interval for losses that are known to be at most `cap`, where it needs that and has no cap yet."""
        return self

    @abstractmethod
    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put an interval around the estimate of each batch.

        Parameters
        ----------
        batches : Batches
            m batches of n units.
        confidence : float
            The share of intervals that should hold the value of the whole, in (0, 1).

        Returns
        -------
        Estimate
            Arrays of shape (m,).
        """


def standard_error(batches: Batches) -> NDArray[np.float64]:
    """Return the estimated standard error of each estimate; ``nan`` for one unit, 0 where nothing is left to chance."""
    return np.sqrt(batches.error_variance)


def around(
    batches: Batches, below: NDArray[np.float64], above: NDArray[np.float64], method: str, *, confidence: float
) -> Estimate:
    """Return the estimates with intervals from ``mean - below`` to ``mean + above``.

    Where an end is not known (one unit, or an infinite loss), the interval is all numbers.
    """
    is_known = np.isfinite(below) & np.isfinite(above) & np.isfinite(batches.mean)
    with np.errstate(invalid="ignore"):
        low = np.where(is_known, batches.mean - below, -np.inf)
        high = np.where(is_known, batches.mean + above, np.inf)
    return Estimate(batches.mean, standard_error(batches), low, high, batches.n, in_words(method, batches, confidence))


def in_words(method: str, batches: Batches, confidence: float) -> str:
    """Say how an interval was made: the method, the confidence, and the design where it shapes the error."""
    return ", ".join(filter(None, [method, f"{confidence:.4g}", batches.design]))
