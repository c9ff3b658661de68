"""The order of the units by a proxy's difficulty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.rows import IntArray
from ..records.stored import refuse_too_many
from .frame import Frame


def by_difficulty(frame: Frame) -> IntArray:
    """Return the units from easy to hard, shape (N,); units of equal difficulty stay in stored order.

    Raises
    ------
    BadInput
        If a difficulty is not finite, or there are too many units to hold in memory.
    """
    refuse_too_many(frame.size, "an order by a proxy")
    difficulty = frame.guess().difficulty
    require_finite(difficulty)
    return np.argsort(difficulty, kind="stable")


def require_finite(values: NDArray[np.float64]) -> None:
    """Refuse proxy values of which some are not finite.

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
