"""The one rule for rows of probabilities: no value below 0, and a sum of 1 within a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What rounding to four digits may do to the sum of ten values.
TOLERANCE = 1e-3
# Labels are seldom rounded so far, and an error of their sum is the same relative error of the loss.
LABEL_TOLERANCE = 1e-4


def row_sums(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Return the sum of each row, added up in float64.

    Parameters
    ----------
    probabilities : ndarray of real numbers, shape (n, k)

    Returns
    -------
    ndarray of float64, shape (n,)
        Infinite or nan where values are, or where they are too large for float64.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return probabilities.sum(axis=1, dtype=np.float64)


def is_off(sums: NDArray[np.float64], tolerance: float = TOLERANCE) -> NDArray[np.bool_]:
    """Return which sums are further from 1 than the tolerance; infinity and nan are.

    Examples
    --------
    >>> is_off(np.array([1.0, 1.001, 1.002, np.nan]), 1.5e-3)
    array([False, False,  True,  True])
    """
    return ~(np.abs(sums - 1) <= tolerance)


def are_distributions(probabilities: NDArray[Any], tolerance: float = TOLERANCE) -> bool:
    """Return whether every row is a distribution: no value below 0 or nan, and a sum of 1 within the tolerance.

    Parameters
    ----------
    probabilities : ndarray of real numbers, shape (n, k)
    tolerance : float
        How far a sum may be off.

    Examples
    --------
    >>> are_distributions(np.array([[0.25, 0.75], [1.0, 0.0]]))
    True
    >>> are_distributions(np.array([[1.5, -0.5]]))
    False
    """
    return not is_off(row_sums(probabilities), tolerance).any() and bool(probabilities.min(initial=0) >= 0)
