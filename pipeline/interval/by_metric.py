"""One interval for the loss and one for the accuracy."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.interval.base import Interval


@dataclass
class ByMetric:
    """The pair of intervals; ``interval/loss=NAME`` and ``interval/accuracy=NAME`` choose them."""

    loss: Interval
    accuracy: Interval
    name: str = "by_metric"
