"""One interval for means (the loss) and one for shares (the accuracy)."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from ..errors import BadInput
from ..metric.base import Metric
from .base import Interval
from .bounded import Capped

TARGETS = ("population", "superpopulation")
AUTO = "auto"


@dataclass
class ByMetric:
    """The intervals of the loss and the accuracy, chosen by ``interval/loss=NAME`` and ``interval/accuracy=NAME``.

    Attributes
    ----------
    target : str
        What the intervals are to cover: the value of the ``population``, the N rows that batches are drawn from (a
        batch of all of them has no uncertainty), or of the ``superpopulation`` that these N are a random sample of.
        ``auto`` is the study's own (`Study.target`): the superpopulation for ``study=gate``, else the population.
    """

    loss: Interval
    accuracy: Interval
    name: str = "by_metric"
    target: str = AUTO

    def __post_init__(self) -> None:
        if self.target not in (AUTO, *TARGETS):
            raise BadInput(f"interval.target must be one of {', '.join(TARGETS)}, or auto; found {self.target!r}")

    def of(self, metric: Metric, *, loss_cap: float | None = None) -> Interval:
        """Return a metric's interval: the accuracy's for a share, else the loss's with the metric's own bound as cap.

        Parameters
        ----------
        metric : Metric
            Of which the mean is estimated.
        loss_cap : float or None
            What no loss is above, nats, where the interval needs to know it and has no cap yet.

        Raises
        ------
        BadInput
            If the interval needs a bound and the metric has none.
        """
        if metric.is_share:
            return self.accuracy
        if metric.takes_loss_cap:
            return self.loss.with_cap(loss_cap)
        if not isinstance(self.loss, Capped):
            return self.loss.suited(metric)
        if math.isinf(metric.most) or metric.least != 0:
            remedy = "" if metric.is_alone else f", or leave the metric {metric.name} out"
            raise BadInput(
                f"interval/loss={self.loss.name} must have a metric whose values have a bound; found {metric.name}, "
                f"which has none: choose interval/loss=t{remedy}"
            )
        return replace(self.loss, cap=metric.most)


def method_words(metric: Metric, method: str) -> str:
    """Return how an interval was made; a guaranteed one is told of the metric's bound as if it were a loss's cap."""
    return method if metric.takes_loss_cap else re.sub(r"losses up to (\S+) nats", r"values up to \1", method)
