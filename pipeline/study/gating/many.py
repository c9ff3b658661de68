"""Several candidates at once: a verdict for each, with one error for all of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ...experiment import Stages
from ...metric.base import Metric
from ...records.verdict import Judgement
from ...report import gate as words
from ...report.gate_files import as_json
from ...report.result import Result
from ..paired.many import Field
from .findings import findings_of, plain_findings
from .logged import metrics_of

FILE = "verdicts.json"


def judged_all(
    field: Field,
    stages: Stages,
    margins: Mapping[str, float],
    digests: Sequence[tuple[str, str]],
    power: float,
    *,
    loss_range: float | None = None,
) -> list[Judgement]:
    """Return the judgement of each candidate, by Holm's rule over all candidates and metrics.

    A wrong verdict on any of them, for any metric, has a chance of at most 1 - ``confidence``.

    Parameters
    ----------
    field : Field
        The baseline first.
    stages : Stages
    margins : mapping of str to float
        By the metrics asked for.
    digests : sequence of (str, str)
        Of the baseline and of each candidate.
    power : float
    loss_range : float or None
        R, to which differences of losses are cut.
    """
    asked, candidates = stages.experiment, range(1, len(field.names))
    # One gate of as many metrics as there are candidates times metrics.
    keys = {(i, name): f"{i} {name}" for i in candidates for name in margins}
    columns = {key: (field.values[name][0], field.values[name][i]) for (i, name), key in keys.items()}
    metrics = {key: field.metrics[name] for (_, name), key in keys.items()}
    limits = {key: margins[name] for (_, name), key in keys.items()}
    slacks = {key: field.slacks[name][i - 1] for (i, name), key in keys.items() if name in field.slacks}
    is_exact = asked.interval.target == "population"
    findings = (
        plain_findings(columns, metrics, limits)
        if is_exact
        else findings_of(
            columns,
            metrics,
            limits,
            confidence=asked.confidence,
            power=power,
            units=stages.units,
            slacks={key: own for key, own in slacks.items() if any(own)},
            loss_range=loss_range,
        )
    )
    named = [replace(own, metric=name) for (_, name), own in zip(keys, findings, strict=True)]
    count = len(margins)
    return [
        Judgement(
            field.names[0],
            field.names[i],
            digests=digests[i - 1],
            findings=tuple(named[count * (i - 1) : count * i]),
            confidence=asked.confidence,
            power=power,
            seed=asked.seed,
            is_exact=is_exact,
        )
        for i in candidates
    ]


def many_result(judgements: Sequence[Judgement], field: Field, stages: Stages, names: Sequence[str]) -> Result:
    """Return the answer about all candidates; its status is that of the least good one.

    Parameters
    ----------
    judgements : sequence of Judgement
    field : Field
    stages : Stages
    names : sequence of str
        The metrics asked for.
    """
    from ...plots import verdict

    metrics = {name: field.metrics[name] for name in names}
    about = {"population": stages.rows.name, "population_size": len(stages.rows)}
    rows = pd.DataFrame([{"label": own.candidate, **about, **metrics_of(own)} for own in judgements])
    worst = max(judgements, key=lambda own: (own.decisive.code, _harms(own, metrics)))
    shown = words.tables_of_cells(rows, metrics)
    return Result(
        metrics={"verdict": float(worst.decisive.code), "models": float(len(field.names))},
        answer=f"{words.summary_of_cells(rows)} The least good: {words.sentence(worst, metrics)}",
        shown=shown[0],
        further=shown[1:],
        notes=[
            words.CAPTION,
            f"Holm over {len(judgements) * len(names)} tests: a wrong verdict on any candidate, for any metric, has at "
            "most the chance that is asked for",
            *_same_content(judgements),
            *field.lacking,
        ],
        figures={"verdict": verdict.draw(rows, metrics, stages.about)},
        texts={FILE: json.dumps([json.loads(as_json(own, metrics)) for own in judgements], indent=2) + "\n"},
        tables={"verdicts.csv": rows},
        tags={"verdict": worst.verdict},
        status=worst.status,
    )


def _same_content(judgements: Sequence[Judgement]) -> list[str]:
    """Name the models that are the baseline or one of the candidates before them: they add no model to the gate."""
    first = {judgements[0].digests[0]: judgements[0].baseline}
    said = []
    for own in judgements:
        other = first.setdefault(own.digests[1], own.candidate)
        if other != own.candidate:
            said.append(f"{own.candidate} has the same content as {other}: it is no other model; check the paths")
    return said


def _harms(judgement: Judgement, metrics: Mapping[str, Metric]) -> list[float]:
    """By how much each metric is on the bad side, in the order asked for; most where that is not known."""
    signs = [-1.0 if metrics[each.metric].is_better_low is False else 1.0 for each in judgement.findings]
    harms = [sign * each.difference for sign, each in zip(signs, judgement.findings, strict=True)]
    return [math.inf if math.isnan(harm) else harm for harm in harms]
