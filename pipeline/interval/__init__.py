"""Intervals: from the values of a batch to an estimate with an interval, for each metric."""

from ..runtime.members import Members

MEMBERS = Members(
    __name__,
    {
        "by_metric": "ByMetric",
    },
)
