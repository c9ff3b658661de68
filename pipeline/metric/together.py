"""The metrics of all rows together, which are no mean over rows: how they are written, and what they are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .base import Metric


@dataclass
class Together(Metric):
    """A metric that has one value for all rows, and none for a row; `estimation.whole_metrics` evaluates it.

    It is written, compared and judged like any other metric; no batch is evaluated by it, so it is no member of
    ``metric=``.

    Attributes
    ----------
    called : str
        The name in sentences.
    needs : str
        What it is made from besides the labels: ``predicted``, ``confidence`` (and ``predicted``), or ``odds``.
    reach : float or None
        How far one row of the rarest class can move n times the value, n/(k rows of the class); of given rows alone, as
        `study.paired.pair` sets it. None assumes nothing of rows that are not seen.
    """

    called: str = ""
    needs: str = "predicted"
    reach: float | None = None

    is_together: ClassVar[bool] = True
    most: ClassVar[float] = 1.0
    is_better_low: ClassVar[bool | None] = False

    @property
    def words(self) -> str:
        """The name in sentences: ``macro F1``."""
        return self.called

    @property
    def short(self) -> str:
        """The name in a narrow heading."""
        return self.called

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Refuse, for a row has no value.

        Raises
        ------
        BadInput
            Always.
        """
        raise BadInput(f"metric must be one of a row; found {self.name}: name it in study.on of compare or gate")


class _InPercent(Together):
    """Written in per cent, and its differences in points."""

    unit: ClassVar[str] = "%"
    error_unit: ClassVar[str] = "percentage points"
    short_unit: ClassVar[str] = "points"
    factor: ClassVar[float] = 100.0
    digits: ClassVar[int] = 2


class _CalibrationError(_InPercent):
    """Smaller is better."""

    is_better_low: ClassVar[bool | None] = True
    unit: ClassVar[str] = "points"


# By the name of their figures.
TOGETHER: dict[str, Together] = {
    own.name: own
    for own in (
        _InPercent("balanced_accuracy", "balanced accuracy"),
        Together("macro_f1", "macro F1"),
        Together("auc", "AUC", "odds"),
        _CalibrationError("ece", "calibration error", "confidence"),
    )
}
