"""The interface of an interval: from the statistics of batches to estimates with intervals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..records.batches import Batches, Estimate
from ..sampling.base import Plan


@dataclass
class Interval(ABC):
    """A two-sided interval for a mean, as configured.

    Attributes
    ----------
    needs_values : bool
        Whether it is made from the units' values (``Batches.values``), not from moments alone.
    is_guaranteed : bool
        Whether its coverage is at least the confidence at every n, for values within bounds known beforehand.
    from_zero : bool
        Whether it takes values to be at least 0, and needs to know how large one may be.
    """

    name: str

    needs_values: ClassVar[bool] = False
    is_guaranteed: ClassVar[bool] = False
    from_zero: ClassVar[bool] = False

    def check(self, plan: Plan, target: str) -> None:
        """Check that the interval is valid for a design and a target.

        Parameters
        ----------
        plan : Plan
            The design, fitted to the population.
        target : str
            ``population`` or ``superpopulation``.

        Raises
        ------
        BadInput
            If it is not.
        """

    def with_cap(self, cap: float | None) -> Interval:
        """Return the interval for losses of at most `cap`, if it needs a cap and has none yet."""
        return self

    def suited(self, metric: Metric) -> Interval:
        """Return the interval as it is made for a metric, of which it may need to know the bounds."""
        return self

    @abstractmethod
    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put an interval around the estimate of each batch.

        Parameters
        ----------
        batches : Batches
            m batches of n units.
        confidence : float
            The share of intervals that should cover the target, in (0, 1).

        Returns
        -------
        Estimate
            Arrays of shape (m,).
        """


def standard_error(batches: Batches) -> NDArray[np.float64]:
    """Return the estimated standard error of each estimate, shape (m,); ``nan`` for one unit, 0 for all of them."""
    return np.sqrt(batches.error_variance)


def around(
    batches: Batches, below: NDArray[np.float64], above: NDArray[np.float64], method: str, *, confidence: float
) -> Estimate:
    """Return the estimates with intervals from ``mean - below`` to ``mean + above``, arrays of shape (m,).

    If `below`, `above` or the mean is not finite (one unit, or an infinite loss), the interval is (-inf, inf).
    """
    is_known = np.isfinite(below) & np.isfinite(above) & np.isfinite(batches.mean)
    with np.errstate(invalid="ignore"):
        low = np.where(is_known, batches.mean - below, -np.inf)
        high = np.where(is_known, batches.mean + above, np.inf)
    return Estimate(batches.mean, standard_error(batches), low, high, batches.n, described(method, batches, confidence))


def described(method: str, batches: Batches, confidence: float) -> str:
    """Describe how an interval was made: the method, the confidence, and the design if it shapes the error."""
    return ", ".join(filter(None, [method, f"{confidence:.4g}", batches.design]))
