"""The intervals that are chosen by name."""

from __future__ import annotations

from ..errors import BadInput
from ..interval import accuracy as of_shares
from ..interval import loss as of_means
from ..interval.by_metric import ByMetric

# Those of conf/interval/by_metric.yaml, so that a function answers as its command does.
LOSS = "hall_score"
ACCURACY = "blaker"


def intervals_named(loss: str, accuracy: str, *, target: str = "superpopulation") -> ByMetric:
    """Return the intervals of means and of shares.

    Raises
    ------
    BadInput
        If there is none of that name.

    Examples
    --------
    >>> intervals_named("t", "wilson").loss.name
    't'
    """
    for key, name, members in (("loss", loss, of_means.MEMBERS), ("accuracy", accuracy, of_shares.MEMBERS)):
        if name not in members:
            raise BadInput(f"{key} must be an interval of {', '.join(members)}; found {name!r}: name another")
    return ByMetric(of_means.MEMBERS[loss](), of_shares.MEMBERS[accuracy](), target=target)
