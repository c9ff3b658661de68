"""The guaranteed interval for losses that are at most a cap, by bets that aim at their target anew at each loss."""

from __future__ import annotations

from dataclasses import dataclass

from ...records.batches import Batches, Estimate
from ..bounded import Capped, bounded_estimate
from ..star import star_interval


@dataclass
class StarBets(Capped):
    """The means that STaR-Bets do not reject  [Voráček & Orabona 2025, arXiv:2505.22422; see `pipeline.interval.star`].

    Its coverage is at least the confidence at every n and for every distribution of the losses, if none in the
    population is above the cap. It is narrower than ``betting`` on losses that spread widely below their cap, which is
    nearly all: on a calibrated model's, with a cap of 10 nats, 2.7 times as wide at n = 30 as with a known σ, 1.9 times
    at 100 and 1.2 times at 1,000; and a little wider on losses that are all nearly equal. It has a width for one row
    and for equal losses; for the whole population it has none.
    """

    name: str = "star_bets"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the guaranteed interval around the estimate of each batch."""
        cap = self.known_cap()
        return bounded_estimate(
            batches,
            confidence,
            star_interval,
            cap=cap,
            key=f"interval/loss={self.name}",
            words=f"STaR-Bets, losses up to {cap:.4g} nats",
        )
