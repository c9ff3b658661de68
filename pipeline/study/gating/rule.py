"""A rule that people use in place of a test, such as ``accuracy<-0.01``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...errors import BadInput
from ...metric.base import Metric

_RULE = re.compile(r"\s*(\w+)\s*([<>])\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*")


@dataclass(frozen=True)
class Rule:
    """Fail if the difference that was found, candidate minus baseline, is beyond a threshold.

    Attributes
    ----------
    metric : Metric
        Of which.
    threshold : float
        How far on the bad side of 0, at least 0, in the metric's own unit.
    """

    metric: Metric
    threshold: float

    def __str__(self) -> str:
        """Write it as it is given."""
        if self.metric.is_better_low:
            return f"{self.metric.column}>{self.threshold:g}"
        return f"{self.metric.column}<{-self.threshold:g}" if self.threshold else f"{self.metric.column}<0"


def rule_of(text: str, metrics: dict[str, Metric]) -> Rule:
    """Read a rule: ``METRIC<NUMBER`` or ``METRIC>NUMBER`` is when it fails a candidate.

    Parameters
    ----------
    text : str
        Such as ``accuracy<-0.01`` (fail if the accuracy drops by more than 0.01) or ``loss>0.02``.
    metrics : dict of str to Metric
        Those that can be named.

    Raises
    ------
    BadInput
        If it is none, or fails candidates that are better.
    """
    found = _RULE.fullmatch(text)
    if found is None or found[1] not in metrics:
        raise BadInput(
            f"study.audit must be METRIC<NUMBER or METRIC>NUMBER, of {', '.join(metrics)}; found {text!r}: such as "
            "study.audit='accuracy<-0.01', which fails a candidate whose accuracy is more than 0.01 lower"
        )
    metric, side, number = metrics[found[1]], found[2], float(found[3])
    bad, threshold = (">", number) if metric.is_better_low else ("<", -number)
    if side != bad or threshold < 0:
        raise BadInput(
            f"study.audit must fail candidates that are worse, {metric.column}{bad}NUMBER with a number "
            f"{'of at least' if bad == '>' else 'of at most'} 0; found {text!r}"
        )
    return Rule(metric, threshold + 0.0)
