"""The interval for losses up to a cap that may be looked at again and again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from pipeline.interval.base import Interval
from pipeline.interval.bounded import bounded_estimate, known_cap, refuse_cap, refuse_unbounded
from pipeline.interval.capital import sequence_interval
from pipeline.records import Batches, Estimate
from pipeline.sampling.base import Plan


@dataclass
class Sequence(Interval):
    """Where the intervals at 1, 2, … n rows meet; with the confidence all of them hold, whenever one stops to look.

    The capital of `pipeline.interval.capital` with stakes that suit every n  [Waudby-Smith & Ramdas 2023, eq. 26], for
    losses of which none in the population is above the cap. At one n it is some 1.2 times as wide as ``betting``. One
    row, or equal losses, give an interval that has a width; the whole population has none.

    Attributes
    ----------
    cap : float or None
        What no loss is above, nats; None takes ``study.loss_cap``.
    """

    name: str = "sequence"
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
        """Put the anytime-valid interval around the estimate of each batch."""
        cap = known_cap(self.cap, self.name)
        return bounded_estimate(
            batches,
            confidence,
            sequence_interval,
            cap=cap,
            key=f"interval/loss={self.name}",
            words=f"anytime-valid betting, losses up to {cap:.4g} nats",
        )
