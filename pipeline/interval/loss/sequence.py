"""The anytime-valid interval for losses that are at most a cap: a confidence sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from ...errors import BadInput
from ...records.batches import Batches, Estimate
from ..bounded import Capped, bounded_estimate
from ..capital import sequence_interval


@dataclass
class Sequence(Capped):
    """The intersection of the intervals at 1, 2, … n rows, which with the confidence hold at every n together.

    So it stays valid under optional stopping. It is made by `pipeline.interval.capital` with stakes that suit every n
    [Waudby-Smith & Ramdas 2023, eq. 26], for a population without a loss above the cap. At a fixed n it is about 1.2
    times as wide as ``betting``. It has a width for one row and for equal losses; for the whole population it has none.

    Attributes
    ----------
    within : float or None
        The half-width that is to be reached with few rows, nats, above 0; None suits every n alike.
    """

    name: str = "sequence"
    within: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.within is not None and not 0 < self.within < math.inf:
            raise BadInput(f"interval.loss.within must be above 0 nats and finite, or null; found {self.within}")

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the anytime-valid interval around the estimate of each batch."""
        cap = self.known_cap()
        # Of the values as `bounded_estimate` scales them.
        within = None if self.within is None else self.within / cap
        return bounded_estimate(
            batches,
            confidence,
            partial(sequence_interval, within=within),
            cap=cap,
            key=f"interval/loss={self.name}",
            words=f"anytime-valid betting, losses up to {cap:.4g} nats",
        )
