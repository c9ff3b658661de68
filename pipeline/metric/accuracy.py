"""The share of rows whose largest logit is the label's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import accuracy
from .base import Share


@dataclass
class Accuracy(Share):
    """Whether each row is classified right; see `pipeline.accuracy`."""

    name: str = "accuracy"

    dtype: ClassVar[type[np.generic]] = np.bool_

    @property
    def short(self) -> str:
        """The name in a narrow heading."""
        return "acc."

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.bool_]:
        """Return whether each row is right."""
        return accuracy.of_block(outputs, labels, gives=gives)
