"""The values of a batch to an estimate: one interval for each of the two metrics."""

from pipeline.interval.by_metric import ByMetric

MEMBERS: dict[str, type] = {"by_metric": ByMetric}
