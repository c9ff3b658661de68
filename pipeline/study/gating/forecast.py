"""What a gate could see on these rows, told before there is a candidate: from the baseline's scores alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...estimation.paired import Question, n_for_power
from ...estimation.verdict import smallest_effect
from ...metric.base import Metric
from ...records.stored import SMALL, StoredColumn
from ...records.verdict import CORRELATIONS, Prospect
from ...report.gate_forecast import forecast_sentence, forecast_table
from ...report.result import Result

# Of the names of the figures, by correlation.
_ENDS = ("", "_alike")


def forecast(
    columns: Mapping[str, NDArray[Any]],
    metrics: Mapping[str, Metric],
    margins: Mapping[str, float],
    *,
    confidence: float,
    power: float,
    about: str,
) -> Result:
    """Return the answer.

    The variance of a row's paired difference is 2 (1 - ρ) σ², with σ² the variance of the baseline's values and ρ the
    correlation of the two models' values, whose variances are taken as equal.

    Parameters
    ----------
    columns : mapping of str to ndarray of shape (n,)
        The baseline's values by metric, finite.
    metrics, margins
        By metric.
    confidence, power : float
    about : str
        The rows.
    """
    significance = (1 - confidence) / len(columns)
    question = Question(power=power, significance=significance)
    found = []
    for name, column in columns.items():
        own = StoredColumn(column).var() if len(column) > SMALL else float(np.var(column, dtype=np.float64))
        # One row does not tell how others vary.
        own = own if len(column) > 1 else math.inf
        variances = [2 * (1 - correlation) * own for correlation in CORRELATIONS]
        effects = (
            smallest_effect(variance, len(column), power=power, error=significance / 2) for variance in variances
        )
        needed = (n_for_power(margins[name], variance, question) for variance in variances)
        found.append(Prospect(name, len(column), margins[name], tuple(effects), tuple(needed)))
    return Result(
        metrics={
            f"{own.metric}/{figure}{end}": value
            for own in found
            for figure, values in (("smallest_effect", own.effects), ("n_for_margin", own.needed))
            for end, value in zip(_ENDS, values, strict=True)
        },
        answer=forecast_sentence(found, metrics, confidence=confidence, power=power),
        shown=forecast_table(found, metrics, about=about, power=power),
        notes=[
            "No candidate was given, so nothing was judged: add study.against=FILE",
            "A candidate's values are taken to vary as the baseline's do; with one, the report has the pair's figures",
        ],
    )
