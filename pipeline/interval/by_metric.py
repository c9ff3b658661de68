"""One interval for the loss and one for the accuracy."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.errors import BadInput
from pipeline.interval.base import Interval
from pipeline.interval.bounded import Capped
from pipeline.metric.base import Metric

TARGETS = ("population", "superpopulation")


@dataclass
class ByMetric:
    """The pair of intervals; ``interval/loss=NAME`` and ``interval/accuracy=NAME`` choose them.

    Attributes
    ----------
    target : str
        What the intervals are to hold the value of: ``population``, the N rows that batches are drawn from (a batch of
        all of them leaves nothing open), or ``superpopulation``, the world that these N came from as a random sample.
    """

    loss: Interval
    accuracy: Interval
    name: str = "by_metric"
    target: str = "population"

    def __post_init__(self) -> None:
        if self.target not in TARGETS:
            raise BadInput(f"interval.target must be one of {', '.join(TARGETS)}; found {self.target!r}")

    def of(self, metric: str) -> Interval:
        """Return the interval of ``loss`` or ``accuracy``."""
        return self.loss if metric == "loss" else self.accuracy

    def of_further(self, metric: Metric) -> Interval:
        """Return a further metric's: of a share the accuracy's, else the loss's, with the metric's own bound as cap."""
        if metric.is_share:
            return self.accuracy
        return replace(self.loss, cap=metric.most) if isinstance(self.loss, Capped) else self.loss
