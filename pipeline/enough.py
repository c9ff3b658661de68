"""How many rows are enough: the fewest with which a design's estimate is within a tolerance."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import ndtri

from pipeline.errors import BadInput
from pipeline.records import Frame
from pipeline.sampling.base import Plan, Sampling


def smallest_batch(
    sampling: Sampling, frame: Frame, variance_of: Callable[[Plan], float], *, tolerance: float, confidence: float
) -> float:
    """Return the fewest units with ``z · SE(b) ≤ tolerance``: the normal formula, with the design's own standard error.

    Parameters
    ----------
    sampling, frame
        The design, and what it may know of the population.
    variance_of : callable
        From a plan to the variance of one batch's estimate, which falls as the batch grows.
    tolerance : float
        In the metric's unit, above 0.
    confidence : float
        In (0, 1).

    Returns
    -------
    float
        A whole number, or infinity: where no batch that the design can draw is enough, or a loss is infinite.
    """
    z = float(ndtri(0.5 + confidence / 2))

    def is_enough(batch_size: int) -> bool | None:
        try:
            plan = sampling.plan(frame, batch_size)
        except BadInput:
            return None
        return z * math.sqrt(variance_of(plan)) <= tolerance

    high = 1
    while not (found := is_enough(high)):
        if math.isinf(high) or high > 1 << 50:
            return math.inf
        # Without replacement all units are the most there are.
        if found is None and high >= frame.size:
            return math.inf
        high = frame.size if high < frame.size < 2 * high else 2 * high
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return float(high)
