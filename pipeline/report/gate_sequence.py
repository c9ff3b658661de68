"""What a gate says that evaluates as few rows as needed: where it stopped, and what holds at any look."""

from __future__ import annotations

from collections.abc import Mapping

from ..metric.base import Metric
from ..records.verdict import UNDECIDED, Judgement, Stop
from .words import counted, level, percent


def after(stop: Stop) -> str:
    """Say after how many rows it stopped: ``after 1,200 of 10,000 rows``."""
    return f"after {'all ' if stop.n == stop.of else f'{stop.n:,} of '}{counted(stop.of, 'row')}"


def sequence_notes(judgement: Judgement, metrics: Mapping[str, Metric]) -> list[str]:
    """Say how the rows were taken, what the verdict is about, and which differences were cut.

    Parameters
    ----------
    judgement : Judgement
        With a stop.
    metrics : mapping of str to Metric
        Those of its findings.
    """
    stop = judgement.stop
    assert stop is not None
    looks = "once" if stop.looks == 1 else f"{stop.looks:,} times"
    error = level(round(1 - judgement.confidence, 12))
    if stop.is_world:
        whose = "The verdict is about the world that these rows are a random sample of"
    else:
        whose = f"The verdict is about these {counted(stop.of, 'row')} (interval.target=population)"
    if judgement.is_exact:
        said = [f"{whose}; all are evaluated, so nothing is left to chance"]
    else:
        said = [
            f"Rows in random order; the verdict was asked {looks}, and the chance that it was wrong at any look is at "
            f"most {error} %",
            whose,
        ]
    for name, reach in stop.ranges.items():
        metric = metrics[name]
        share = f"{stop.cut[name]:,} of {counted(stop.n, 'row')} ({percent(stop.cut[name] / stop.n)} %)"
        if judgement.is_exact:
            continue
        said.append(
            f"{metric.words}: differences are cut to ±{metric.factor * reach:g} {metric.short_unit} "
            f"(study.loss_range); {share} were, and the verdict is about differences as cut"
        )
    if judgement.decisive.code == UNDECIDED:
        said.append(_unended(stop))
    return said


def _unended(stop: Stop) -> str:
    if stop.n < stop.of:
        return f"study.max_rows={stop.most:,} ended it before there was a verdict: raise it"
    return (
        "All rows are evaluated and cannot tell of the world: another test on the same rows, such as study.rows=all, "
        "would be a second chance to err"
    )
