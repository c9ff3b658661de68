"""The anytime-valid interval for the accuracy: a confidence sequence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from ...errors import BadInput
from ...records.batches import Batches, Estimate
from ...sampling.base import Plan
from ..base import Interval
from ..bounded import bounded_estimate, refuse_unbounded
from ..capital import sequence_interval
from ..share_sequence import share_sequence_interval


@dataclass
class Sequence(Interval):
    """The intersection of the intervals at 1, 2, … n rows, which with the confidence hold at every n together.

    So it stays valid under optional stopping, and is guaranteed for small n too. In a simple random sample it is made
    from likelihood ratios of the counts of right and wrong rows (`pipeline.interval.share_sequence`); under strata,
    unequal chances, groups or weights, where a unit is more than right or wrong, by betting
    (`pipeline.interval.capital`). It has a width for one row and for a batch without errors; for the whole population
    it has none.

    Attributes
    ----------
    within : float or None
        The half-width that is to be reached with few rows, a fraction above 0; None suits every n alike.
    """

    name: str = "sequence"
    within: float | None = None

    needs_values: ClassVar[bool] = True
    is_guaranteed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.within is not None and not 0 < self.within < math.inf:
            raise BadInput(
                "interval.accuracy.within must be above 0 (a fraction such as 0.02) and finite, or null; "
                f"found {self.within}"
            )

    def check(self, plan: Plan, target: str) -> None:
        """Check that the guarantee holds under the design and the target."""
        refuse_unbounded(plan, target, metric="accuracy", interval=self.name)

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the anytime-valid interval around the estimate of each batch."""
        made = share_sequence_interval if batches.is_simple else sequence_interval
        return bounded_estimate(
            batches,
            confidence,
            partial(made, within=self.within),
            cap=1.0,
            key=f"interval/accuracy={self.name}",
            words=f"anytime-valid {'likelihood ratios' if batches.is_simple else 'betting'}",
        )
