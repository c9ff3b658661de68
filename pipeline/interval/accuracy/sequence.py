"""The interval for the accuracy that may be looked at again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pipeline.interval.base import Interval
from pipeline.interval.bounded import bounded_estimate, refuse_unbounded
from pipeline.interval.capital import sequence_interval
from pipeline.records import Batches, Estimate
from pipeline.sampling.base import Plan


@dataclass
class Sequence(Interval):
    """Where the intervals at 1, 2, … n rows meet; with the confidence all of them hold, whenever one stops to look.

    The capital of `pipeline.interval.capital` with stakes that suit every n  [Waudby-Smith & Ramdas 2023, eq. 26]. It
    holds at every n, small ones included. One row, or all right, give an interval that has a width; the whole
    population has none.
    """

    name: str = "sequence"

    needs_values: ClassVar[bool] = True
    is_guaranteed: ClassVar[bool] = True

    def check(self, plan: Plan, target: str) -> None:
        """Refuse a design or target that the game is not fair under."""
        refuse_unbounded(plan, target, metric="accuracy", interval=self.name)

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the anytime-valid interval around the estimate of each batch."""
        return bounded_estimate(
            batches,
            confidence,
            sequence_interval,
            cap=1.0,
            key=f"interval/accuracy={self.name}",
            words="anytime-valid betting",
        )
