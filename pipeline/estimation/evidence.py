"""What n paired rows say of a gain: is it above a value, is it below one, each with an error that is promised.

A gain is a difference of two models' means with the sign by which above 0 is better: the second's accuracy minus the
first's, the first's loss minus the second's. Everything here is about one metric and m samples of n rows at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# No p value is given as less: a confidence of 1 - 2e-15 is as near to 1 as an interval can be asked for.
LEAST_P = 1e-15


class Gain(ABC):
    """The evidence of m samples of n rows on the gain of one metric.

    Attributes
    ----------
    n : float
        Rows of a sample.
    """

    n: float

    @property
    @abstractmethod
    def method(self) -> str:
        """How the interval is made."""

    @property
    @abstractmethod
    def value(self) -> Floats:
        """The gain of each sample, shape (m,)."""

    @property
    @abstractmethod
    def variance(self) -> Floats:
        """The variance of one row's gain, with the divisor n, shape (m,)."""

    @abstractmethod
    def is_above(self, at: float, error: float) -> Bools:
        """Tell of each sample whether its gain is above `at`: the lower end of the interval is.

        Parameters
        ----------
        at : float
            In the metric's own unit.
        error : float
            The chance that the lower end is above the true gain, in (0, ½).

        Returns
        -------
        ndarray of bool, shape (m,)
        """

    @abstractmethod
    def is_below(self, at: float, error: float) -> Bools:
        """Tell of each sample whether the upper end, with the same chance to be below the true gain, is below `at`."""

    @abstractmethod
    def ends(self, error_low: float, error_high: float) -> tuple[float, float]:
        """Return the interval of the first sample, whose ends have these chances to be on the wrong side."""

    @abstractmethod
    def of_size(self, n: float) -> Gain:
        """Return what n rows would say in which everything is as frequent as in these."""

    @abstractmethod
    def p(self, at: float) -> float:
        """Return the two-sided p value of a gain of `at`, for the first sample: where the interval's end meets it."""
