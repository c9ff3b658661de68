"""Simple random sampling with replacement: every draw is any of the rows with equal chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.batches import Batch
from ..records.stored import StoredColumn
from .base import Plan, Sampling
from .frame import Frame


@dataclass
class WithReplacement(Sampling):
    """Draw as ``numpy.random.Generator.choice`` does by default; a row may come up more than once."""

    name: str = "with_replacement"

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Return the plan; any batch size can be drawn."""
        return IndependentPlan(frame.size, batch_size)


class IndependentPlan(Plan):
    """Each of the b draws is any of the N units, with equal chance."""

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch."""
        return Batch(rng.choice(self.size, self.batch_size))

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return σ²/b  [Cochran 1977, Sampling Techniques, §2.4, with the divisor N]."""
        return float(values.var()) / self.batch_size

    def stored_error_variance(self, values: StoredColumn) -> float:
        """Return the same for values on disk."""
        return values.var() / self.batch_size
