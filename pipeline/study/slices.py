"""What a study finds in every slice of the rows: values, paired differences, verdicts; with Holm's rule over all."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..estimation.apart import apart_p
from ..estimation.evidence import Gain
from ..estimation.gain import gain_of, sign_of
from ..estimation.multiple_tests import holm
from ..estimation.paired import NO_DIFFERENCE, PairedDifference
from ..estimation.unseen import reach_of
from ..estimation.verdict import decide
from ..experiment import Stages
from ..records.rows import IntArray
from ..records.scores import Scores
from ..records.slices import Slices
from ..report import slices as told
from ..report.result import Result, Table
from ..sampling.units import Units, units_of
from .paired.pair import Pair

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# The name of the column, in memory and in the files.
SLICE = "slice"


def valued(stages: Stages, scores: Scores, of_rows: Callable[[IntArray], Mapping[str, float]]) -> pd.DataFrame | None:
    """Return each slice's values, and whether they differ from those of all other rows.

    Parameters
    ----------
    stages : Stages
    scores : Scores
        Of all rows.
    of_rows : callable
        Returns ``rows, M, M_low, M_high`` of some rows.

    Returns
    -------
    DataFrame or None
        ``slice, rows, M, M_low, M_high, M_p, M_p_holm``; None without ``data.by``.
    """
    slices = stages.slices
    if slices is None:
        return None
    known = {name: metric for name, metric in stages.metrics.items() if name in scores.metrics}
    columns = {name: scores.values(name) for name in known}
    found = []
    for code, (name, rows) in enumerate(_each(slices)):
        inside = slices.codes == code
        p = {
            f"{column}_p": apart_p(columns[column], inside, stages.units, is_share=metric.is_share)
            for column, metric in known.items()
        }
        found.append({SLICE: name, **of_rows(rows), **p})
    return _adjusted(found, list(known))


def compared(
    stages: Stages, pair: Pair, difference: Callable[[Pair, str, Units], PairedDifference]
) -> pd.DataFrame | None:
    """Return each slice's paired differences, with their intervals and Holm's p values over all slices and metrics.

    Parameters
    ----------
    stages : Stages
    pair : Pair
        Both models' values of all rows.
    difference : callable
        Compares some rows by a metric.

    Returns
    -------
    DataFrame or None
        ``slice, rows, M, M_low, M_high, M_p, M_p_holm, M_n_for_power``, nan where a slice has no value of a metric;
        None without ``data.by``.
    """
    if stages.slices is None:
        return None
    found = []
    for name, rows in _each(stages.slices):
        units, row = units_of(stages.rows, rows), {SLICE: name, "rows": float(len(rows))}
        part = pair.take(rows, units)
        for column in pair.metrics:
            own = difference(part, column, units) if column in part.metrics else NO_DIFFERENCE
            row |= {column: own.value, f"{column}_low": own.low, f"{column}_high": own.high, f"{column}_p": own.p}
            row |= {f"{column}_n_for_power": own.n_for_power}
        found.append(row)
    return _adjusted(found, list(pair.metrics))


def judged(
    stages: Stages, pair: Pair, margins: Mapping[str, float], *, loss_range: float | None = None
) -> pd.DataFrame | None:
    """Return each slice's verdicts, by the rule of `estimation.verdict.decide` over all slices and metrics.

    The slices have the error 1 - ``confidence`` for themselves: a wrong verdict on any of them has at most that chance.
    ``loss_range`` is that of the gate.

    Parameters
    ----------
    stages : Stages
    pair : Pair
        Both models' values of all rows.
    margins : mapping of str to float
        By the metrics that are judged.

    Returns
    -------
    DataFrame or None
        ``slice, rows, M, M_low, M_high, M_p, M_p_holm, M_verdict``, nan where a slice has no value of a metric; None
        without ``data.by``.
    """
    if stages.slices is None:
        return None
    rows: dict[str, dict[str, Any]] = {}
    gains: dict[tuple[str, str], Gain] = {}
    for called, own in _each(stages.slices):
        units = units_of(stages.rows, own)
        part = pair.take(own, units)
        rows[called] = {SLICE: called, "rows": float(len(own)), **_unjudged(margins)}
        there = [name for name in margins if name in part.metrics]
        gains |= {
            (called, name): gain_of(
                part.metrics[name],
                *part.columns(name),
                units,
                reach=reach_of(part.metrics[name]),
                bound=loss_range,
                slack=part.slack(name),
            )
            for name in there
        }
    if gains:
        verdicts = decide(list(gains.values()), [margins[name] for _, name in gains], stages.experiment.confidence)
        for place, ((called, name), gain) in enumerate(gains.items()):
            errors = float(verdicts.error_low[place, 0]), float(verdicts.error_high[place, 0])
            code = float(verdicts.codes[place, 0])
            rows[called] |= _of_gain(name, gain, sign_of(pair.metrics[name]), errors) | {f"{name}_verdict": code}
    return _adjusted(list(rows.values()), list(margins))


def _unjudged(names: Iterable[str]) -> dict[str, float]:
    return {f"{name}{end}": math.nan for name in names for end in ("", "_low", "_high", "_p", "_verdict")}


def _of_gain(name: str, gain: Gain, sign: float, errors: tuple[float, float]) -> dict[str, float]:
    low, high = sorted(sign * end + 0.0 for end in gain.ends(*errors))
    return {
        name: sign * float(gain.value[0]) + 0.0,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_p": gain.p(0.0),
    }


def with_slices(
    result: Result,
    frame: pd.DataFrame | None,
    stages: Stages,
    whole: Mapping[str, float],
    *,
    significance: float,
    is_difference: bool = True,
    who: str = "",
    margins: Mapping[str, float] | None = None,
) -> Result:
    """Return a result with its slices: a table after the first, a sentence before the summary, a picture, a file.

    Parameters
    ----------
    result : Result
    frame : DataFrame or None
        As `valued`, `compared` or `judged` has it; with None the result is returned as it is.
    stages : Stages
    whole : mapping of str to float
        Of all rows, by metric.
    significance : float
        A p value after Holm below it is marked.
    is_difference, who, margins
        As `plots.by_slice.draw` has them.
    """
    slices = stages.slices
    if frame is None or slices is None:
        return result
    by = slices.column
    if not is_difference:
        sentence = told.standing_apart(frame, by, significance)
    else:
        sentence = told.first_moved(frame, by, significance) if margins is None else told.verdicts(frame, by)
    tables, figure = shown(
        frame,
        by,
        whole,
        about=stages.about,
        confidence=stages.experiment.confidence,
        significance=significance,
        is_difference=is_difference,
        who=who,
        margins=margins,
    )
    marks = f"by {by}: {told.marks(frame, significance)}"
    return replace(
        result,
        metrics={**result.metrics, **told.counts_without(frame)},
        tables={**result.tables, "by_slice.csv": frame},
        figures={**result.figures, "by_slice": figure},
        further=[*tables, *result.further],
        summary=f"{sentence} {result.summary}".strip(),
        notes=[*result.notes, marks, *told.without(frame), *told.pooled(slices.pooled, slices.names[-1])],
    )


def shown(
    frame: pd.DataFrame,
    by: str,
    whole: Mapping[str, float],
    *,
    about: str,
    confidence: float,
    significance: float,
    is_difference: bool = True,
    who: str = "",
    margins: Mapping[str, float] | None = None,
) -> tuple[list[Table], Figure]:
    """Return the tables and the picture of slices; the arguments are those of `with_slices` and `by_slice.draw`."""
    from ..plots import by_slice

    tables = told.tables(
        frame, by, about=f"{who or about}, by {by}", significance=significance, is_difference=is_difference
    )
    figure = by_slice.draw(
        frame, whole, about, confidence, by=by, is_difference=is_difference, who=who, margins=margins
    )
    return tables, figure


def _each(slices: Slices) -> Iterator[tuple[str, IntArray]]:
    return zip(slices.names, slices.rows(), strict=True)


def _adjusted(rows: list[dict[str, Any]], metrics: list[str]) -> pd.DataFrame:
    import pandas as pd

    adjusted = holm([[row[f"{name}_p"] for name in metrics] for row in rows])
    for row, own in zip(rows, adjusted.tolist(), strict=True):
        row |= {f"{name}_p_holm": p for name, p in zip(metrics, own, strict=True)}
    return pd.DataFrame(rows)
