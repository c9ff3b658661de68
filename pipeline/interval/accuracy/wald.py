"""Wald's interval, for comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy

from ...records.batches import Batches, Estimate
from ..base import Interval, around, standard_error


@dataclass
class Wald(Interval):
    """Share ± z · SE, clipped to [0, 1]: the interval that most tools print; for comparison, not for use.

    Its coverage is far below the confidence if the share is near 0 or 1, or n is small  [Brown, Cai & DasGupta 2001,
    Statistical Science 16, 101-133]. SE is the design's, with the divisor n - 1 in a simple sample. A batch without
    errors, or without a correct row, has an interval of no width, which is its best known fault; so has the whole
    population. For one row the standard error is not known and the interval is [0, 1]. Clipping costs no coverage,
    because every share lies in [0, 1].
    """

    name: str = "wald"

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put Wald's interval around the share of each batch."""
        reach = standard_error(batches) * scipy.special.ndtri((1 + confidence) / 2)
        found = around(batches, reach, reach, "Wald", confidence=confidence)
        return replace(found, low=np.clip(found.low, 0.0, 1.0), high=np.clip(found.high, 0.0, 1.0))
