"""The metrics that are logged of a gate."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ...records.verdict import Finding, Judgement

if TYPE_CHECKING:
    import pandas as pd


def metrics_of(judgement: Judgement) -> dict[str, float]:
    """Return what MLflow is given as metrics; what does not exist is left out."""
    found: dict[str, float] = {"verdict": float(judgement.decisive.code)}
    for own in judgement.findings:
        found |= {f"{own.metric}/{name}": value for name, value in _figures_of(own).items()}
    stop = judgement.stop
    if stop is not None:
        found |= {
            "rows/evaluated": float(stop.n),
            "rows/saved": float(stop.of - stop.n),
            "rows/share": stop.n / stop.of,
        }
        found |= {f"{metric}/cut": float(rows) for metric, rows in stop.cut.items()}
    if judgement.check is not None:
        found |= {"check/worse": judgement.check.worse, "check/worse_at_0": judgement.check.worse_at_0}
    if judgement.audit is not None:
        audit = judgement.audit
        found |= {"rule/false_alarm": audit.fails[0], "rule/miss": 1 - audit.fails[2]}
        found |= {"rule/gate_false_alarm": audit.worse[0], "rule/gate_miss": 1 - audit.worse[2]}
    return found


def _figures_of(own: Finding) -> dict[str, float]:
    found = {
        "baseline": own.baseline,
        "candidate": own.candidate,
        "difference": own.difference,
        "difference_low": own.low,
        "difference_high": own.high,
        "margin": own.margin,
        "verdict": float(own.code),
    }
    if own.p is None or own.p_holm is None:
        return found
    found |= {"p": own.p, "p_holm": own.p_holm, "more": own.more}
    if own.p_flips is not None:
        found["p_flips"] = own.p_flips
    if math.isnan(own.effect):
        # Of a sequence, which plans for no number of rows.
        return found
    return found | {
        "smallest_effect": own.effect,
        "n_for_margin": own.needed,
        "resolution": own.resolution,
    }


def series_of(looks: pd.DataFrame, metrics: Iterable[str]) -> list[tuple[str, float, int]]:
    """Return the looks for MLflow's charts: each metric's difference and its interval, by rows evaluated.

    Parameters
    ----------
    looks : DataFrame
        As ``looks.csv`` has it.
    metrics : iterable of str
    """
    return [
        (f"{metric}/seen{end}", float(row[f"{metric}{end}"]), int(row["n"]))
        for row in looks.to_dict("records")
        for metric in metrics
        for end in ("", "_low", "_high")
    ]
