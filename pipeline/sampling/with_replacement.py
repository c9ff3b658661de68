"""Simple random sampling with replacement: each row of the batch is any row, with equal chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Batch, Frame
from pipeline.sampling.base import Plan, Sampling
from pipeline.stored import Stored


@dataclass
class WithReplacement(Sampling):
    """Draw as ``numpy.random.Generator.choice`` does by default; a row may come up more than once."""

    name: str = "with_replacement"

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Any batch size can be drawn."""
        return IndependentPlan(frame.size, batch_size)


class IndependentPlan(Plan):
    """Each of the b draws is any of the N units, with equal chance."""

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch."""
        return Batch(rng.choice(self.size, self.batch_size))

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return σ²/b  [Cochran 1977, Sampling Techniques, §2.4, with the divisor N]."""
        return float(values.var()) / self.batch_size

    def stored_error_variance(self, values: Stored) -> float:
        """Return the same of values on disk."""
        return values.var() / self.batch_size
