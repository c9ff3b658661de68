"""Simple random sampling with replacement: each row of the batch is any row, with equal chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.records import Batch
from pipeline.sampling.base import Sampling


@dataclass
class WithReplacement(Sampling):
    """Draw as ``numpy.random.Generator.choice`` does by default; a row may come up more than once."""

    name: str = "with_replacement"

    def check(self, size: int, batch_size: int) -> None:
        """Any batch size can be drawn."""

    def draw(self, size: int, batch_size: int, rng: np.random.Generator) -> Batch:
        """Draw one batch."""
        return Batch(rng.choice(size, batch_size))

    def standard_error(self, variance: float, size: int, batch_size: int) -> float:
        """Return √(σ²/b)  [Cochran 1977, Sampling Techniques, §2.4, with the divisor N]."""
        return math.sqrt(variance / batch_size)

    def correction(self, size: int) -> int | None:
        """None: the draws are independent."""
        return None
