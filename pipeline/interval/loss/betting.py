"""The guaranteed interval for losses that are known to be at most a cap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pipeline.interval.base import Interval
from pipeline.interval.bounded import bounded_estimate, known_cap, refuse_cap, refuse_unbounded
from pipeline.interval.capital import fixed_interval
from pipeline.records import Batches, Estimate
from pipeline.sampling.base import Plan


@dataclass
class Betting(Interval):
    """The means that a fair game does not refute  [Waudby-Smith & Ramdas 2023; see `pipeline.interval.capital`].

    Holds at every n, whatever the losses' shape, as long as none of the population is above the cap. What that costs
    is width: on a published network's losses, with the largest of them as the cap, it is 3.2 times as wide at n = 30 as
    knowing σ would make it, 2.2 times at 100 and 1.3 times at 1,000. One row, or equal losses, give an interval that
    has a width; the whole population has none.

    Attributes
    ----------
    cap : float or None
        What no loss is above, nats; None takes ``study.loss_cap``.
    """

    name: str = "betting"
    cap: float | None = None

    needs_values: ClassVar[bool] = True
    is_guaranteed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        refuse_cap(self.cap)

    def check(self, plan: Plan, target: str) -> None:
        """Refuse to go without a cap, and a design or target that the game is not fair under."""
        known_cap(self.cap, self.name)
        refuse_unbounded(plan, target, metric="loss", interval=self.name)

    def with_cap(self, cap: float | None) -> Interval:
        """Return the interval with this cap where it has none of its own."""
        return replace(self, cap=cap) if self.cap is None else self

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the guaranteed interval around the estimate of each batch."""
        cap = known_cap(self.cap, self.name)
        return bounded_estimate(
            batches,
            confidence,
            fixed_interval,
            cap=cap,
            key=f"interval/loss={self.name}",
            words=f"betting, losses up to {cap:.4g} nats",
        )
