"""Successive sampling: units drawn one by one, none twice, each in proportion to its weight among those left."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.rows import IntArray

Floats = NDArray[np.float64]


def successive(weights: Floats, count: int, rng: np.random.Generator) -> tuple[IntArray, Floats]:
    """Draw units one by one without replacement, and return the chance that each had when it was drawn.

    The smallest of independent exponential times with the units' weights as rates is unit i's with chance w_i/Σw, and
    so is the next one among the rest: sorting the times draws all at once  [Efraimidis & Spirakis 2006, Information
    Processing Letters 97, 181-185].

    Parameters
    ----------
    weights : ndarray of float64, shape (N,)
        At least 0 and finite; a unit with the weight 0 is never drawn.
    count : int
        How many, at least 0 and at most the number of units with a weight above 0.
    rng : Generator
        Random numbers; N are taken.

    Returns
    -------
    units : ndarray of int, shape (count,)
        In the order drawn.
    chances : ndarray of float64, shape (count,)
        w_i over the sum of the weights that were left, in (0, 1].

    Raises
    ------
    BadInput
        If so many cannot be drawn.

    Examples
    --------
    >>> units, chances = successive(np.array([1.0, 0.0, 3.0]), 2, np.random.default_rng(0))
    >>> units, chances
    (array([2, 0]), array([0.75, 1.  ]))
    """
    possible = int(np.count_nonzero(weights))
    if not 0 <= count <= possible:
        raise BadInput(f"at most {possible:,} units can be drawn, none twice; found {count:,}: ask for fewer")
    with np.errstate(divide="ignore"):
        times = rng.standard_exponential(len(weights)) / weights
    first = np.argpartition(times, count - 1)[:count] if 0 < count < len(times) else np.arange(len(times))
    units = first[np.argsort(times[first], kind="stable")][:count]
    drawn = weights[units]
    never = np.ones(len(weights), dtype=bool)
    never[units] = False
    # Summed from the end, because a difference of large sums would leave no digit of the last chances.
    left = weights[never].sum() + drawn[::-1].cumsum()[::-1]
    return units, drawn / left
