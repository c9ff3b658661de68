"""Shuffled passes cut into batches, as training does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from pipeline.records import Batch, Frame, IntArray
from pipeline.sampling.base import Plan, Sampling, generator, refuse_more_than_all
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.stored import refuse_too_many


@dataclass
class Epoch(Sampling):
    """Shuffle all N rows, cut them into ⌊N/b⌋ batches, and start again; what is left over is dropped.

    Each batch alone is a simple random sample without replacement, with its error and its intervals. The batches of one
    pass are not independent: no row comes twice, so their errors cancel in part (correlation -b/(N - b) of any two),
    and the mean of a pass is nearer to the population's than that of as many independent batches. ``M/bias`` is
    therefore smaller than the draws' number tells, while each draw's error is as large as ever.
    """

    name: str = "epoch"

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Refuse a batch larger than the population, and a population too large to be shuffled."""
        refuse_more_than_all(frame.size, batch_size)
        refuse_too_many(frame.size, "sampling=epoch")
        return EpochPlan(frame.size, batch_size)


@dataclass(frozen=True, eq=False)
class EpochPlan(SimplePlan):
    """Draw i is slot i mod ⌊N/b⌋ of pass i div ⌊N/b⌋."""

    is_finite: ClassVar[bool] = True

    # The pass drawn last, by seed and number: the batches of one are asked for one after the other.
    _last: dict[tuple[int, int], IntArray] = field(default_factory=dict, init=False, repr=False)

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return "batches of shuffled passes, not independent within a pass"

    def batch(self, seed: int, draw: int) -> Batch:
        """Return the batch of one draw of a seed; pass i takes its generator from ``SeedSequence((seed, b, i))``."""
        number, slot = divmod(draw, self.size // self.batch_size)
        if (seed, number) not in self._last:
            self._last.clear()
            self._last[seed, number] = generator(seed, self.batch_size, number).permutation(self.size)
        start = slot * self.batch_size
        return Batch(self._last[seed, number][start : start + self.batch_size])
