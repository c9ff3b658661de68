"""Check inputs, and convert them to the type that models compute with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput


def row_number(row: int) -> str:
    """Name a row by its number, for an error message.

    Examples
    --------
    >>> row_number(1234)
    'row 1,234'
    """
    return f"row {row:,}"


def finite_float32(
    values: NDArray[Any], *, source: str, where: Callable[[int], str] = row_number
) -> NDArray[np.float32]:
    """Return inputs as float32, all of them finite.

    Parameters
    ----------
    values : ndarray of real numbers, shape (n,) or (n, d)
        At least one.
    source : str
        What they are, for messages: ``x of FILE``.
    where : callable
        Names a row by its index in `values`, for messages.

    Returns
    -------
    ndarray of float32, of the same shape
        `values` itself if it is float32.

    Raises
    ------
    BadInput
        Naming the first number that is NaN, infinite, or too large for float32.

    Examples
    --------
    >>> finite_float32(np.array([0.5, 2.0]), source="x")
    array([0.5, 2. ], dtype=float32)
    """
    # A value too large for float32 becomes infinite, and is refused below, as is a signalling NaN.
    with np.errstate(over="ignore", invalid="ignore"):
        numbers = values.astype(np.float32, copy=False)
    # A NaN or an infinity shows in the extremes, which take no memory.
    if not (np.isfinite(numbers.min()) and np.isfinite(numbers.max())):
        row, *column = map(int, np.argwhere(~np.isfinite(numbers))[0])
        at = f", column {column[0]:,}" if column else ""
        raise BadInput(
            f"{source} must hold finite numbers (in float32); found {values[row, *column]} in {where(row)}{at}: mend "
            "or remove that row"
        )
    return numbers
