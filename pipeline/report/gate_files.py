"""A gate's verdict as files: JSON for scripts, Markdown for a comment on a pull request."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..records.verdict import WORDS, Finding, Judgement
from .gate import difference, in_p, margin, sentence, summary
from .slices import verdicts, worst_code
from .words import as_count, counted, level, percent

if TYPE_CHECKING:
    import pandas as pd

# Raised when a key changes its meaning or goes away.
SCHEMA = 1
# Of a metric; at the top these keys are of the whole.
_OF_ONE = ("verdict", "baseline", "candidate")


def as_json(judgement: Judgement, metrics: Mapping[str, Metric], slices: pd.DataFrame | None = None) -> str:
    """Return the verdict as JSON; docs/gate.md has the schema. What is infinite or does not exist is null.

    Parameters
    ----------
    judgement : Judgement
    metrics : mapping of str to Metric
        Those of its findings.
    slices : DataFrame or None
        The verdicts of the slices, as `study.slices.judged` has them.
    """
    first = judgement.decisive
    found = {
        "schema": SCHEMA,
        "verdict": judgement.verdict,
        "status": judgement.status,
        "sentence": sentence(judgement, metrics),
        # Of the metric that the verdict rests on.
        **{name: value for name, value in _of(first, metrics[first.metric]).items() if name not in _OF_ONE},
        "metrics": [_of(each, metrics[each.metric]) for each in judgement.findings],
        "confidence": judgement.confidence,
        "power": judgement.power,
        "target": _target(judgement),
        "seed": judgement.seed,
        "baseline": {"name": judgement.baseline, "digest": judgement.digests[0]},
        "candidate": {"name": judgement.candidate, "digest": judgement.digests[1]},
        "check": None if judgement.check is None else vars(judgement.check),
        "audit": None if judgement.audit is None else vars(judgement.audit),
        "stop": None if judgement.stop is None else vars(judgement.stop),
        "slices": None if slices is None else [_of_slice(row, metrics) for row in slices.to_dict("records")],
    }
    return json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def as_markdown(judgement: Judgement, metrics: Mapping[str, Metric], slices: pd.DataFrame | None = None) -> str:
    """Return the verdict as a comment on a pull request: the sentence, a table, how it was made.

    Parameters
    ----------
    judgement, metrics, slices
        As `as_json` has them.
    """
    lines = [
        f"### {judgement.verdict.capitalize()}",
        "",
        _escaped(sentence(judgement, metrics)),
        "",
        "| metric | baseline | candidate | difference | margin | verdict |",
        "| --- | ---: | ---: | --- | ---: | --- |",
        *(_line(each, metrics[each.metric]) for each in judgement.findings),
        "",
    ]
    further = summary(judgement, metrics)
    lines += [_escaped(further), ""] if further else []
    lines += [_escaped(verdicts(slices, "slice")), ""] if slices is not None else []
    how = [f"baseline `{_code(judgement.baseline)}` ({judgement.digests[0][:12]})"]
    how += [f"candidate `{_code(judgement.candidate)}` ({judgement.digests[1][:12]})"]
    names = len(how)
    if not judgement.is_exact:
        how.append(f"{level(judgement.confidence)} %, Holm over {len(judgement.findings)}")
        how += [f"{metrics[each.metric].words}: p {in_p(each.p)}" for each in judgement.findings if each.p is not None]
    if judgement.check is not None:
        how.append(f"A/A {percent(judgement.check.worse_at_0)} % false alarms at margin 0")
    # The names stand in code spans, in which nothing is markup.
    parts = [*how[:names], *(_escaped(part) for part in how[names:])]
    return "\n".join([*lines, f"<sub>{' · '.join(parts)}</sub>", ""])


def _of(finding: Finding, metric: Metric) -> dict[str, Any]:
    return {
        "metric": finding.metric,
        "verdict": finding.verdict,
        "baseline": finding.baseline,
        "candidate": finding.candidate,
        "difference": finding.difference,
        "low": _finite(finding.low),
        "high": _finite(finding.high),
        "level_low": finding.level_low,
        "level_high": finding.level_high,
        "p": finding.p,
        "p_holm": finding.p_holm,
        "p_margin": finding.p_margin,
        "p_flips": finding.p_flips,
        "margin": finding.margin,
        "better": "low" if metric.is_better_low else "high",
        "n": finding.n,
        "unit": finding.unit,
        "more_rows": _finite(as_count(finding.more)),
        "smallest_effect": _finite(finding.effect),
        "rows_for_margin": _finite(as_count(finding.needed)),
        "resolution": _finite(finding.resolution),
        "unseen": finding.unseen,
        "room": finding.room,
        "rarest": finding.rarest,
        "loss_range": finding.bound,
        "cut": finding.cut,
        "method": finding.method,
    }


def _target(judgement: Judgement) -> str:
    is_world = not judgement.is_exact if judgement.stop is None else judgement.stop.is_world
    return "superpopulation" if is_world else "population"


def _of_slice(row: Mapping[Any, Any], metrics: Mapping[str, Metric]) -> dict[str, Any]:
    return {
        "slice": row["slice"],
        "n": round(row["rows"]),
        "verdict": None if (code := worst_code(row, metrics)) is None else WORDS[code],
        "metrics": [
            {
                "metric": name,
                "verdict": None if (code := worst_code(row, [name])) is None else WORDS[code],
                "difference": _finite(row[name]),
                "low": _finite(row[f"{name}_low"]),
                "high": _finite(row[f"{name}_high"]),
                "p": _finite(row[f"{name}_p"]),
                "p_holm": _finite(row[f"{name}_p_holm"]),
            }
            for name in metrics
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _line(finding: Finding, metric: Metric) -> str:
    values = [f"{metric.factor * value:.{metric.digits}f}" for value in (finding.baseline, finding.candidate)]
    waits = (
        f" ({counted(finding.more, f'more {finding.unit}')})" if finding.more and math.isfinite(finding.more) else ""
    )
    label = f"{metric.words}, {metric.unit}" if metric.unit else metric.words
    cells = [label, *values, difference(finding, metric), margin(finding, metric), f"**{finding.verdict}**{waits}"]
    return f"| {' | '.join(_escaped(cell) if '**' not in cell else cell for cell in cells)} |"


def _escaped(text: str) -> str:
    """Escape what Markdown would take for a tag, a column or a reference; a file's name may hold any of them."""
    for mark in "\\<>|#*_":
        text = text.replace(mark, f"\\{mark}")
    # A backslash would not stop a mention.
    return text.replace("@", "@\u200b")


def _code(name: str) -> str:
    # In a code span nothing can be escaped, and a bar would still end a cell.
    return name.translate(str.maketrans("`|<>", "'¦‹›"))
