"""The answer about all rows: in words, by class, and the rows with the largest losses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..metric.base import Metric
from ..metric.columns import in_order
from . import evaluate
from .by_metric import split
from .result import Table
from .words import NONE, count, counted, level, percent, shortened, with_interval

if TYPE_CHECKING:
    import pandas as pd

# More classes than this are not all shown: a person reads the worst ones.
_MOST_CLASSES = 20
_LONGEST_NAME = 20


def answer(metrics: Mapping[str, float], confidence: float, size: int) -> str:
    """Say what all rows give, with the interval for the world; one sentence.

    Parameters
    ----------
    metrics : mapping of str to float
        ``M/all``, ``M/all_low`` and ``M/all_high`` of each metric.
    confidence : float
        Of the intervals.
    size : int
        N, in rows.
    """
    means = {f"{metric.column}/mean": metrics[f"{metric.column}/all"] for metric in _known(metrics)}
    return evaluate.answer([{**metrics, **means, "confidence": confidence}], size)


def tables(
    metrics: Mapping[str, float], classes: pd.DataFrame | None, worst: pd.DataFrame, *, about: str
) -> list[Table]:
    """Return the table by class, or of all rows where there are no classes, and that of the hardest rows.

    Parameters
    ----------
    metrics : mapping of str to float
        Of all rows.
    classes : DataFrame or None
        A class each: ``class, rows, M, M_low, M_high``.
    worst : DataFrame
        The hardest rows, as `row_results.row_frame` has them.
    about : str
        The rows.
    """
    return [*by_part(metrics, classes, about), *([_hardest(worst, about)] if len(worst) else [])]


def summary(metrics: Mapping[str, float], within: Mapping[str, float], *, unit: str) -> str:
    """Say how well the model knows how good it is, and how many more rows the tolerances take."""
    return " ".join(filter(None, [_calibration(metrics), _more(metrics, within, unit)]))


def side_by_side(cells: pd.DataFrame) -> Table:
    """Return the table of several models or data, a row each."""
    shown = [metric for metric in _known(cells) if cells[f"{metric.column}/all"].notna().any()]
    rows = []
    for cell in cells.to_dict("records"):
        values = [_value(metric, cell, "all", "all_low", "all_high") for metric in shown]
        rows.append((str(cell["group"] or cell["population"]), f"{round(cell['rows']):,}", *values))
    return Table("All rows", ("of", "rows", *map(_heading, shown)), rows)


def caption(confidence: float) -> str:
    """Say how to read the intervals."""
    return f"[ ]: {level(confidence)} % intervals; the rows are taken as a random sample of the world."


def _known(metrics: Iterable[Any]) -> list[Metric]:
    names = [str(name).removesuffix("/all") for name in metrics if str(name).endswith("/all")]
    return in_order(name for name in names if name not in ("confidence", "seconds"))


def by_part(
    metrics: Mapping[str, float],
    classes: pd.DataFrame | None,
    about: str,
    *,
    kind: str = "class",
    kinds: str = "classes",
) -> list[Table]:
    """Return the table by class, or by other parts of the rows; of all rows where there are none.

    Metrics that do not fit into 80 columns make further tables.

    Parameters
    ----------
    metrics, classes, about
        As `tables` has them.
    kind, kinds : str
        What the parts are, one and several of them.
    """
    known, size = _known(metrics), f"{round(metrics['rows']):,}"
    if classes is None:
        return split(
            known, lambda some, _: Table(about, ("rows", *map(_heading, some)), [(size, *_whole(some, metrics))])
        )
    shown, title = classes, f"{about}, by {kind}"
    if len(classes) > _MOST_CLASSES:
        first = next((metric for metric in known if metric.is_share), known[0])
        by = classes[first.column] if first.is_better_low else -classes[first.column]
        shown = classes.loc[by.sort_values(ascending=False, kind="stable").index[:_MOST_CLASSES]]
        title = f"{about}, the {_MOST_CLASSES} of {len(classes):,} {kinds} with the worst {first.words}"
    records = shown.to_dict("records")

    def made(some: Sequence[Metric], _: bool) -> Table:
        rows = [
            (shortened(str(row["class"]), _LONGEST_NAME), f"{round(row['rows']):,}", *_part(some, row))
            for row in records
        ]
        return Table(title, (kind, "rows", *map(_heading, some)), rows, [("all", size, *_whole(some, metrics))])

    return split(known, made)


def _whole(some: Sequence[Metric], metrics: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(_value(metric, metrics, "all", "all_low", "all_high") for metric in some)


def _part(some: Sequence[Metric], row: Mapping[Any, Any]) -> tuple[str, ...]:
    return tuple(_value(m, row, m.column, f"{m.column}_low", f"{m.column}_high", "") for m in some)


def _heading(metric: Metric) -> str:
    return f"{metric.words}, {metric.unit}" if metric.unit else metric.words


def _value(metric: Metric, row: Mapping[Any, Any], value: str, low: str, high: str, at: str | None = None) -> str:
    keys = [name if at is not None else f"{metric.column}/{name}" for name in (value, low, high)]
    found = [metric.factor * float(row.get(key, math.nan)) for key in keys]
    if math.isnan(found[0]):
        return NONE
    if math.isnan(found[1]) or math.isnan(found[2]):
        return f"{found[0]:.{metric.digits}f}"
    return with_interval(found[0], found[1], found[2])


def _hardest(worst: pd.DataFrame, about: str) -> Table:
    has_loss = "loss" in worst
    names = [name for name in ("id", "label", "predicted", "confidence", "loss") if name in worst]
    headings = {"confidence": "confidence, %", "loss": "loss, nats"}
    rows = []
    for row in worst.to_dict("records"):
        write = {
            "confidence": lambda value: percent(float(value)),
            "loss": lambda value: f"{value:,.0f}" if value >= 100 else f"{value:#.3g}",
        }
        rows.append(
            tuple(write.get(name, lambda value: shortened(str(value), _LONGEST_NAME))(row[name]) for name in names)
        )
    title = f"the {counted(len(worst), 'row')} with the largest loss" if has_loss else "the first rows that are wrong"
    return Table(f"{about.partition(',')[0]}, {title}", tuple(headings.get(name, name) for name in names), rows)


def _calibration(metrics: Mapping[str, float]) -> str:
    if "confidence/gap" not in metrics:
        return ""
    gap, low, high = (100 * metrics[f"confidence/{name}"] for name in ("gap", "gap_low", "gap_high"))
    said, right = percent(metrics["confidence/all"]), percent(metrics["accuracy/all"])
    if not math.isfinite(high - low):
        judged = "one row does not tell whether that is chance"
    elif low <= 0 <= high:
        judged = f"no difference beyond chance ({with_interval(gap, low, high, 'points')})"
    elif gap > 0:
        judged = f"too sure by {with_interval(gap, low, high, 'points')}"
    else:
        judged = f"not sure enough, by {with_interval(-gap, -high, -low, 'points')}"
    return f"Calibration: the model is {said} % sure on average and {right} % right: {judged}."


def _more(metrics: Mapping[str, float], within: Mapping[str, float], unit: str) -> str:
    if metrics.get("rows") == 1:
        return "One row does not tell how many more are needed."
    parts = []
    for metric in reversed(_known(metrics)):
        more = metrics.get(f"{metric.column}/more", math.nan)
        if metric.column not in within or math.isnan(more):
            continue
        tolerance = f"for {metric.named_tolerance(within[metric.column])}"
        if more == 0:
            parts.append(f"{tolerance} there are enough {unit}s")
        elif math.isinf(more):
            parts.append(f"{tolerance} no number of {unit}s is enough, for a loss is infinite")
        else:
            parts.append(f"{tolerance} label about {count(float(f'{more:.1e}'))} more {unit}s")
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}." if said else ""
