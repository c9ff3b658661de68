"""Wald's interval, for comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from pipeline.interval.base import Interval, around, standard_error
from pipeline.records import Batches, Estimate


@dataclass
class Wald(Interval):
    """Share ± z · SE, cut off at 0 and 1: what most tools print; for comparison, not for use.

    It holds far less than it promises where the share is near to 0 or 1 or n is small  [Brown, Cai & DasGupta 2001].
    SE is the design's, with the divisor n - 1 in a simple sample. A batch of which all, or none, is right has an
    interval of no width, which is its best known fault; so has the whole population. One row says nothing of the
    spread: the interval is 0 … 1. To cut it off costs no coverage, for no share lies outside.
    """

    name: str = "wald"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Wald's interval around the share of each batch."""
        reach = standard_error(batches) * special.ndtri((1 + confidence) / 2)
        found = around(batches, reach, reach, "Wald", confidence=confidence)
        return replace(found, low=np.clip(found.low, 0.0, 1.0), high=np.clip(found.high, 0.0, 1.0))
