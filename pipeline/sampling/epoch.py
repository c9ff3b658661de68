"""Epoch sampling: shuffled passes over the data are cut into batches, as in training."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import ClassVar

from ..records.batches import Batch
from ..records.stored import refuse_too_many
from .base import Plan, Sampling, refuse_more_than_all
from .frame import Frame
from .streams import EPOCH, generator
from .without_replacement import SimplePlan


@dataclass
class Epoch(Sampling):
    """Shuffle all N rows, cut them into ⌊N/b⌋ batches, and start again; the rows left over in a pass are dropped.

    Each batch by itself is a simple random sample without replacement, with the same error and intervals. The batches
    of one pass are not independent: no row comes twice, so their errors cancel in part (any two have the correlation
    -b/(N - b)), and the mean of a pass is nearer to the population's than the mean of as many independent batches.
    ``M/bias`` is therefore smaller than the number of draws suggests, while the error of each draw is unchanged.
    """

    name: str = "epoch"

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Return the plan.

        Raises
        ------
        BadInput
            If the batch is larger than the population, or the population is too large to be shuffled in memory.
        """
        refuse_more_than_all(frame.size, batch_size)
        refuse_too_many(frame.size, "sampling=epoch")
        return EpochPlan(frame.size, batch_size)


@dataclass(frozen=True, eq=False)
class EpochPlan(SimplePlan):
    """Draw i is slot i mod ⌊N/b⌋ of pass ⌊i/⌊N/b⌋⌋."""

    is_finite: ClassVar[bool] = True

    # The last pass that a thread asked for: draws are added up on all cores, each core's one after the other.
    _last: threading.local = field(default_factory=threading.local, init=False, repr=False)

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return "batches of shuffled passes, not independent within a pass"

    def batch(self, seed: int, draw: int) -> Batch:
        """Return the batch of one draw of a seed; each pass has a generator of its own."""
        number, slot = divmod(draw, self.size // self.batch_size)
        if getattr(self._last, "of", None) != (seed, number):
            rng = generator(EPOCH, seed, batch_size=self.batch_size, number=number)
            self._last.order, self._last.of = rng.permutation(self.size), (seed, number)
        start = slot * self.batch_size
        return Batch(self._last.order[start : start + self.batch_size])
