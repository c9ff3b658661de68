"""The order in which a proxy puts the units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Frame, IntArray
from pipeline.stored import refuse_too_many


def by_difficulty(frame: Frame) -> IntArray:
    """Return the units from easy to hard, shape (N,); equally hard ones stay in stored order.

    Raises
    ------
    BadInput
        If the proxy's difficulty is not a finite number for each unit, or there are too many of them for memory.
    """
    refuse_too_many(frame.size, "an order by a proxy")
    difficulty = frame.guess().difficulty
    require_finite(difficulty)
    return np.argsort(difficulty, kind="stable")


def require_finite(values: NDArray[np.float64]) -> None:
    """Refuse a proxy that does not say something finite of each unit.

    Raises
    ------
    BadInput
        If a value is NaN or infinite.
    """
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"the proxy must give a finite number for each row; found {values[row]} in row {row:,}: "
            "choose another proxy, or mend the row"
        )
