"""What a gate's verdict assumes of rows that are not among those seen, in words."""

from __future__ import annotations

from collections.abc import Mapping

from ..metric.base import Metric
from ..records.verdict import UNDECIDED, Finding, Judgement
from .words import count, counted, percent, significant


def assumptions(judgement: Judgement, metrics: Mapping[str, Metric]) -> list[str]:
    """Return a sentence for each metric whose verdict rests on rows not seen, or fails for them.

    Parameters
    ----------
    judgement : Judgement
    metrics : mapping of str to Metric
        Those of its findings.
    """
    said = []
    for each in judgement.findings:
        if each.unseen is None or each.room is None or each.rarest is None:
            continue
        words = metrics[each.metric].words
        if metrics[each.metric].is_together:
            if each.code == UNDECIDED and each.room > 0:
                said.append(
                    f"The {words} is undecided because the rarest class has few {each.unit}s: one of them moves it by "
                    f"up to {_far(each, each.unseen / each.n, metrics)}, and others like it may not be among these."
                )
            continue
        assumed, room = _far(each, each.unseen, metrics), _far(each, each.room, metrics)
        holds = f"up to {room}" if each.room < metrics[each.metric].span else "whatever they differ by"
        rare = f"kinds rarer than 1 in {count(each.rarest)}"
        if each.code != UNDECIDED:
            said.append(
                f"The verdict on the {words} assumes that {each.unit}s of {rare}, of which none may be among these, "
                f"differ by {assumed} at most; it holds {holds}."
            )
        elif each.room > 0:
            said.append(
                f"The {words} is undecided because none of the {rare} may be among these {each.unit}s, and they are "
                f"taken to differ by up to {assumed}; with up to {room} there would be a verdict."
            )
    return said


def cuts(judgement: Judgement, metrics: Mapping[str, Metric]) -> list[str]:
    """Return a note for each metric whose differences are cut to a declared range."""
    return [
        f"{metrics[each.metric].words}: differences are cut to ±{_far(each, each.bound, metrics)} (study.loss_range); "
        f"{each.cut:,} of {counted(each.n, each.unit)} ({percent(each.cut / each.n)} %) were, and the verdict is about "
        "differences as cut"
        for each in judgement.findings
        if each.bound is not None
    ]


def _far(finding: Finding, value: float, metrics: Mapping[str, Metric]) -> str:
    metric = metrics[finding.metric]
    return f"{significant(metric.factor * value).removesuffix('.0')} {metric.short_unit}".rstrip()
