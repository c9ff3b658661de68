"""The guaranteed interval for losses that are known to be at most a cap."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.interval.bounded import Capped, bounded_estimate
from pipeline.interval.capital import fixed_interval
from pipeline.records import Batches, Estimate


@dataclass
class Betting(Capped):
    """The means that a fair game does not refute  [Waudby-Smith & Ramdas 2023; see `pipeline.interval.capital`].

    Holds at every n, whatever the losses' shape, as long as none of the population is above the cap. What that costs
    is width: on a published network's losses, with the largest of them as the cap, it is 3.2 times as wide at n = 30 as
    knowing σ would make it, 2.2 times at 100 and 1.3 times at 1,000. One row, or equal losses, give an interval that
    has a width; the whole population has none.
    """

    name: str = "betting"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the guaranteed interval around the estimate of each batch."""
        cap = self.known_cap()
        return bounded_estimate(
            batches,
            confidence,
            fixed_interval,
            cap=cap,
            key=f"interval/loss={self.name}",
            words=f"betting, losses up to {cap:.4g} nats",
        )
