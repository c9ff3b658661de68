"""The table of batch sizes: how far one batch is off, how often its interval holds, what it costs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.columns import in_order
from .by_metric import split
from .result import Table
from .words import NONE, counted, duration, in_words, level, percent, significant, with_interval

# Of more groups, the tables say the rest.
_MOST_TOLD = 6
# The value of all rows, and its interval.
_ALL = ("all", "all_low", "all_high")
# A column's heading, the function that writes its cell of a row, and its cell in the footer.
Column = tuple[str, Callable[[Mapping[Any, Any]], str], str]


def tables(rows: Sequence[Mapping[Any, Any]], title: str) -> list[Table]:
    """Return a row per batch size, and the population's own values below; metrics that do not fit make further tables.

    Parameters
    ----------
    rows : sequence of mapping
        ``batch_size`` and the metrics of a cell each; of one population.
    title : str
        What the rows are about.

    Returns
    -------
    list of Table
        At least one. Where the population was scored in no cell, what a batch is off by is left out.
    """
    return split(metrics_of(rows), lambda metrics, is_first: _table(rows, metrics, title, is_first=is_first))


def metrics_of(rows: Sequence[Mapping[Any, Any]]) -> list[Metric]:
    """Return the metrics that some row has a mean of: loss and accuracy first."""
    there = [
        str(key).removesuffix("/mean")
        for row in rows
        for key, value in row.items()
        if str(key).endswith("/mean") and not math.isnan(value)
    ]
    return in_order(there)


def answer(rows: Sequence[Mapping[Any, Any]], size: int) -> str:
    """Say what all rows together give, with the interval for the world that they are a sample of.

    Parameters
    ----------
    rows : sequence of mapping
        ``confidence`` and the metrics of a cell each, with ``loss/capped`` where losses were cut.
    size : int
        N, in rows.

    Returns
    -------
    str
        One sentence; empty where the cells have no such interval, or differ in any metric, as those of two models do.
    """
    keys = [(metric, [f"{metric.column}/{name}" for name in _ALL]) for metric in metrics_of(rows)]
    # As text, because NaN, which stands for what a cell lacks, equals nothing.
    found = {str([row.get(key, math.nan) for _, own in keys for key in own]) for row in rows}
    if len(found) != 1:
        return ""
    parts = []
    for metric, own in keys:
        value, low, high = (metric.factor * rows[0].get(key, math.nan) for key in own)
        if not any(map(math.isnan, (value, low, high))):
            parts.append(f"{metric.words} {with_interval(value, low, high, metric.unit)}{_cut(metric, rows[0], size)}")
    if not parts:
        return ""
    said = ", ".join(parts)
    confidence = level(rows[0]["confidence"])
    return f"{said[:1].upper()}{said[1:]} ({counted(size, 'row')}, as a sample of the world; {confidence} %)."


def _cut(metric: Metric, row: Mapping[Any, Any], size: int) -> str:
    """Say of how many rows the value was cut, which the interval then is of; empty if of none."""
    capped = row.get(f"{metric.column}/capped", 0.0)
    return f" ({percent(capped / size)} % of the rows cut to study.loss_cap)" if capped > 0 else ""


def answers(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say what all rows give: in one sentence if all cells have that answer, else in a line for each group.

    Parameters
    ----------
    rows : sequence of mapping
        ``group``, ``population``, ``population_size``, ``confidence`` and the metrics of a cell each.
    """
    if len({row["population"] for row in rows}) == 1 and (one := answer(rows, int(rows[0]["population_size"]))):
        return one
    groups = {str(row["group"]): [own for own in rows if own["group"] == row["group"]] for row in rows}
    said = {name: answer(own, int(own[0]["population_size"])) for name, own in groups.items()}
    lines = [f"{name}: {sentence[:1].lower()}{sentence[1:]}" for name, sentence in said.items() if sentence]
    more = [f"{len(lines) - _MOST_TOLD} more: see the tables"] if len(lines) > _MOST_TOLD else []
    return "\n".join([*lines[:_MOST_TOLD], *more])


def without(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Say which of loss and accuracy no row has."""
    metrics = metrics_of(rows)
    there = [metric.column for metric in metrics]
    gone = [] if any(metric.is_alone for metric in metrics) else [name for name in MAIN if name not in there]
    return [f"There is no {name}: it was left out, or the model does not tell it." for name in gone]


def off_by(row: Mapping[Any, Any]) -> str:
    """Say what one batch is off by, in the first two metrics."""
    return in_words([m.amount(significant(m.factor * row[f"{m.column}/rmse"])) for m in metrics_of([row])[:2]])


def _table(rows: Sequence[Mapping[Any, Any]], metrics: Sequence[Metric], title: str, *, is_first: bool) -> Table:
    known = [row for row in rows if is_known(row)]
    columns: list[Column] = [("batch", _batch, "all")]
    columns += [_estimates(metric, rows, known) for metric in metrics]
    if known:
        columns += [_held(metric) for metric in metrics]
    if is_first and is_timed(rows):
        columns.append(_times(known))
    if is_first and any(map(_part, known)):
        columns.append(("% of\nall", _part, ""))
    headings = tuple(heading for heading, _, _ in columns)
    footer = [tuple(below for _, _, below in columns)] if known else []
    return Table(title, headings, [tuple(write(row) for _, write, _ in columns) for row in rows], footer)


def _estimates(metric: Metric, rows: Sequence[Mapping[Any, Any]], known: Sequence[Mapping[Any, Any]]) -> Column:
    """Means, and what a batch is off by, or half the width of its interval where that is not known."""
    name = metric.column
    digits = metric.decimals(metric.factor * _least_error(name, rows))

    def write(row: Mapping[Any, Any]) -> str:
        if math.isnan(row.get(f"{name}/mean", math.nan)):
            return ""
        off = row[f"{name}/rmse" if is_known(row) else f"{name}/half_width"]
        mean = f"{metric.factor * row[f'{name}/mean']:,.{digits}f}"
        return mean if math.isnan(off) else f"{mean} ± {metric.factor * off:,.{digits}f}"

    whole = next((row[f"{name}/all"] for row in known if not math.isnan(row.get(f"{name}/all", math.nan))), None)
    words, comma, unit = (f"{metric.words}, {metric.unit}" if metric.unit else metric.words).partition(",")
    heading = words.replace(" ", "\n", 1) + comma + unit
    return heading, write, "" if whole is None else f"{metric.factor * whole:,.{digits}f}"


def _least_error(metric: str, rows: Sequence[Mapping[Any, Any]]) -> float:
    """Return the smallest error of a batch that is more than rounding; ``nan`` where there is none."""
    errors = [
        (row[key], 1e-12 * abs(row.get(f"{metric}/mean", 0.0)))
        for row in rows
        for key in (f"{metric}/rmse", f"{metric}/half_width")
        if key in row
    ]
    return min((error for error, rounding in errors if rounding < error < math.inf), default=math.nan)


def _held(metric: Metric) -> Column:
    def write(row: Mapping[Any, Any]) -> str:
        if not is_known(row) or math.isnan(row.get(f"{metric.column}/mean", math.nan)):
            return ""
        return percent(row[f"{metric.column}/coverage"]) if math.isfinite(row[f"{metric.column}/half_width"]) else NONE

    return f"{metric.short} %\nheld", write, ""


def _batch(row: Mapping[Any, Any]) -> str:
    return f"{int(row['batch_size']):,}"


def _times(known: Sequence[Mapping[Any, Any]]) -> Column:
    """Return the times of a batch, and of all rows: of the median cell, for each cell has measured that.

    Where a cell tells a batch's share of all rows, its time is that share of this one: the share was measured in turn,
    and the cells' own times of all rows differ as the machine is busy.
    """
    everything = statistics.median(row["seconds/all"] for row in known) if known else math.nan

    def write(row: Mapping[Any, Any]) -> str:
        share = row.get("seconds/batch_share", math.nan) * everything
        seconds = row.get("seconds/batch", math.nan) if math.isnan(share) else share
        return "" if math.isnan(seconds) else _about(seconds)

    return "time", write, _about(everything) if known else ""


def _about(seconds: float) -> str:
    """Write a measured time: it differs from call to call, so two digits are all that can be said."""
    return f"≈ {duration(float(f'{seconds:.1e}'))}"


def _part(row: Mapping[Any, Any]) -> str:
    share = row.get("seconds/batch_share", math.nan)
    return "" if math.isnan(share) else significant(100 * share)


def is_timed(rows: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether it is known of some row what evaluating a batch takes: not where the data are predictions already."""
    return any(math.isfinite(row.get("seconds/batch", math.nan)) for row in rows)


def is_known(row: Mapping[Any, Any]) -> bool:
    """Whether the population was scored, so that a cell's errors are known (be they infinite)."""
    return "seconds/all" in row and math.isfinite(row["seconds/all"])


def caption(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say how to read the table; each row has the intervals' ``confidence`` beside its metrics."""
    levels = " or ".join(f"{level(asked)} %" for asked in dict.fromkeys(row["confidence"] for row in rows))
    drawn = f"± is half the mean width of the {levels} intervals"
    if not any(is_known(row) for row in rows):
        return f"{drawn}; all rows were not scored, so what a batch is off by is not known."
    mixed = "" if all(is_known(row) for row in rows) else f" Where all rows were not scored, {drawn}."
    time = " Time: to evaluate one batch" if is_timed(rows) else ""
    if time:
        time += ", and as a share of all rows where the two can be told apart." if any(map(_part, rows)) else "."
    return (
        "± is what one batch is off by (root mean square over the draws). Held: the share of the draws whose "
        f"{levels} interval holds the value of all rows (—: one row gives no interval).{time}{mixed}"
    )
