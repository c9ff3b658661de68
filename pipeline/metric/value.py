"""Any number that the data hold of each row: an absolute error, a latency, a cost, a judge's score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief
from .base import Metric

_LONGEST_NAME, _LONGEST_SHORT = 40, 12


@dataclass
class Value(Metric):
    """The numbers of the column ``data.value``, −∞ … ∞, in the unit ``data.unit``; all that such data are asked for.

    Attributes
    ----------
    quantity : str
        The name of the column; set by ``data.value``.
    measured_in : str
        The unit; set by ``data.unit``. Empty where the numbers have none.
    better : str
        The side of the better numbers, ``low`` or ``high``; set by ``data.better``. Empty where it was not said.
    """

    name: str = "value"
    quantity: str = ""
    measured_in: str = ""
    better: str = ""

    least: ClassVar[float] = -math.inf
    is_alone: ClassVar[bool] = True
    is_double: ClassVar[bool] = True

    @property
    def is_better_low(self) -> bool | None:  # type: ignore[override]
        """Whether a smaller mean is the better one; None where it was not said."""
        return self.better == "low" if self.better else None

    @property
    def words(self) -> str:
        """The name in sentences: ``mean latency``."""
        return f"mean {self.row_words}"

    @property
    def row_words(self) -> str:
        """The name of one row's value: that of the column."""
        return brief(self.quantity, most=_LONGEST_NAME) or self.name

    @property
    def short(self) -> str:
        """The name in a narrow heading."""
        return brief(self.row_words, most=_LONGEST_SHORT)

    @property
    def unit(self) -> str:  # type: ignore[override]
        """The unit of a mean, as configured."""
        return self.measured_in

    @property
    def error_unit(self) -> str:  # type: ignore[override]
        """The unit of a difference, as configured."""
        return self.measured_in

    @property
    def short_unit(self) -> str:  # type: ignore[override]
        """The unit in running text, as configured."""
        return self.measured_in

    def decimals(self, error: float) -> int:
        """Return as many decimals as two digits of an error need: numbers of any size may come."""
        if not (error > 0 and math.isfinite(error)):
            return super().decimals(error)
        return max(0, 1 - math.floor(math.log10(float(f"{error:.1e}"))))

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Raise: the values are read, never computed.

        Raises
        ------
        BadInput
            Always.
        """
        raise BadInput("the metric value must be a column of the data; found none: name it with data.value=COLUMN")
