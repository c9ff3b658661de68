"""The interval for losses up to a cap that may be looked at again and again."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.interval.bounded import Capped, bounded_estimate
from pipeline.interval.capital import sequence_interval
from pipeline.records import Batches, Estimate


@dataclass
class Sequence(Capped):
    """Where the intervals at 1, 2, … n rows meet; with the confidence all of them hold, whenever one stops to look.

    The capital of `pipeline.interval.capital` with stakes that suit every n  [Waudby-Smith & Ramdas 2023, eq. 26], for
    losses of which none in the population is above the cap. At one n it is some 1.2 times as wide as ``betting``. One
    row, or equal losses, give an interval that has a width; the whole population has none.
    """

    name: str = "sequence"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the anytime-valid interval around the estimate of each batch."""
        cap = self.known_cap()
        return bounded_estimate(
            batches,
            confidence,
            sequence_interval,
            cap=cap,
            key=f"interval/loss={self.name}",
            words=f"anytime-valid betting, losses up to {cap:.4g} nats",
        )
