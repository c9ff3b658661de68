"""Cross-entropy, the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import loss
from .base import Metric


@dataclass
class Loss(Metric):
    """Cross-entropy in nats, 0 … inf; see `pipeline.loss`."""

    name: str = "loss"

    takes_loss_cap: ClassVar[bool] = True
    unit: ClassVar[str] = "nats"
    error_unit: ClassVar[str] = "nats"
    short_unit: ClassVar[str] = "nats"

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Return the loss of each row."""
        return loss.of_block(outputs, labels, gives=gives)
