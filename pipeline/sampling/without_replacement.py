"""Simple random sampling without replacement: each set of b rows has the same chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.errors import BadInput
from pipeline.records import Batch
from pipeline.sampling.base import Sampling


@dataclass
class WithoutReplacement(Sampling):
    """Draw each row at most once; a batch of all N rows is the population itself."""

    name: str = "without_replacement"

    def check(self, size: int, batch_size: int) -> None:
        """Refuse a batch larger than the population."""
        if batch_size > size:
            raise BadInput(
                f"batch_size must be at most the population's {size:,} rows without replacement; found {batch_size:,}: "
                "choose a smaller one or sampling=with_replacement"
            )

    def draw(self, size: int, batch_size: int, rng: np.random.Generator) -> Batch:
        """Draw one batch; the order of its rows carries no meaning."""
        if batch_size == size:
            return Batch(np.arange(size))
        return Batch(rng.choice(size, batch_size, replace=False, shuffle=False))

    def standard_error(self, variance: float, size: int, batch_size: int) -> float:
        """Return √((1 - b/N) S²/b), S² = σ² N/(N - 1)  [Cochran 1977, Sampling Techniques, eq. 2.8]."""
        if batch_size == size:
            return 0.0
        return math.sqrt((size - batch_size) / (size - 1) * variance / batch_size)

    def correction(self, size: int) -> int | None:
        """N: what was drawn cannot be drawn again."""
        return size
