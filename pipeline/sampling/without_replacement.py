"""Simple random sampling without replacement: each set of b rows has the same chance to be the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batch
from ..records.stored import MOST_IN_MEMORY, StoredColumn
from .base import Plan, Sampling, refuse_more_than_all
from .frame import Frame

# For more than a twentieth of the rows, numpy.random.Generator.choice allocates an array of all rows.
_LARGE_SHARE = 20


@dataclass
class WithoutReplacement(Sampling):
    """Draw each row at most once; a batch of all N rows is the population itself."""

    name: str = "without_replacement"

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Return the plan.

        Raises
        ------
        BadInput
            If the batch is larger than the population.
        """
        refuse_more_than_all(frame.size, batch_size)
        return SimplePlan(frame.size, batch_size)


class SimplePlan(Plan):
    """Each set of b units has the same chance to be the batch."""

    is_finite: ClassVar[bool] = True

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch; the order of its units has no meaning, but is not random either.

        Raises
        ------
        BadInput
            If drawing it would allocate an array of more than `MOST_IN_MEMORY` rows.
        """
        if self.size > MOST_IN_MEMORY and self.batch_size > self.size // _LARGE_SHARE:
            raise BadInput(
                f"batch_size must be at most {self.size // _LARGE_SHARE:,}, a twentieth of the {self.size:,} rows, to "
                f"be drawn without replacement from more than {MOST_IN_MEMORY:,}; found {self.batch_size:,}: choose a "
                "smaller one or sampling=with_replacement"
            )
        if self.batch_size == self.size:
            return Batch(np.arange(self.size))
        return Batch(rng.choice(self.size, self.batch_size, replace=False, shuffle=False))

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return (1 - b/N) S²/b, S² = σ² N/(N - 1)  [Cochran 1977, Sampling Techniques, eq. 2.8]."""
        return self._error_variance(float(values.var()))

    def stored_error_variance(self, values: StoredColumn) -> float:
        """Return the same for values on disk."""
        return self._error_variance(values.var())

    def _error_variance(self, variance: float) -> float:
        if self.batch_size == self.size:
            return 0.0
        return variance * (self.size - self.batch_size) / (self.size - 1) / self.batch_size
