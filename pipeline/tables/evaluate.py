"""The table of batch sizes: how far one batch is off, how often its interval holds, what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.plots.frames import Metric, in_words, metric_of
from pipeline.records import Table

# Heading, what is written of a row, what stands below.
Column = tuple[str, Callable[[Mapping[Any, Any]], str], str]

# Characters of a line, and those between two columns.
_WIDTH, _GAP = 80, 3
_SHORT = {"accuracy": "acc.", "brier": "Brier", "squared_error": "sq. e."}


def tables(rows: Sequence[Mapping[Any, Any]], title: str) -> list[Table]:
    """Return a row a batch size, and the population's own values below; metrics that do not fit make further tables.

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
    left = metrics_of(rows)
    found: list[Table] = []
    while left:
        whole = title if not found else f"further metrics; {title}"
        by_count = {n: _table(rows, left[:n], whole, is_first=not found) for n in range(len(left), 0, -1)}
        n = next((n for n, made in by_count.items() if _fits(made)), 1)
        found.append(by_count[n])
        left = left[n:]
    return found


def table(rows: Sequence[Mapping[Any, Any]], title: str) -> Table:
    """Return the first of the `tables`."""
    return tables(rows, title)[0]


def metrics_of(rows: Sequence[Mapping[Any, Any]]) -> list[Metric]:
    """Return the metrics that some row has a mean of: loss and accuracy first."""
    there = [
        str(key).removesuffix("/mean")
        for row in rows
        for key, value in row.items()
        if str(key).endswith("/mean") and not math.isnan(value)
    ]
    main = [name for name in ("loss", "accuracy") if name in there]
    return [metric_of(name) for name in dict.fromkeys([*main, *there])]


def without(rows: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Say which of loss and accuracy no row has."""
    there = [metric.name for metric in metrics_of(rows)]
    gone = [name for name in ("loss", "accuracy") if name not in there]
    return [f"There is no {name}: it was left out, or the model does not tell it." for name in gone]


def off_by(row: Mapping[Any, Any]) -> str:
    """Say what one batch is off by, in the first two metrics."""
    return in_words([m.amount(f"{m.factor * row[f'{m.name}/rmse']:.2g}") for m in metrics_of([row])[:2]])


def _table(rows: Sequence[Mapping[Any, Any]], metrics: list[Metric], title: str, *, is_first: bool) -> Table:
    known = [row for row in rows if is_known(row)]
    columns: list[Column] = [("batch", _batch, "all")]
    columns += [_estimates(metric, known) for metric in metrics]
    if known:
        columns += [_held(metric) for metric in metrics]
    if is_first and is_timed(rows):
        columns.append(("time", _time, duration(known[0]["seconds/all"]) if known else ""))
    if is_first and known and is_timed(rows):
        columns.append(("% of\nall", _part, ""))
    headings = tuple(heading for heading, _, _ in columns)
    footer = [tuple(below for _, _, below in columns)] if known else []
    return Table(title, headings, [tuple(write(row) for _, write, _ in columns) for row in rows], footer)


def _fits(made: Table) -> bool:
    lines = [tuple(max(heading.split("\n"), key=len) for heading in made.headings), *made.rows, *made.footer]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return sum(widths) + _GAP * (len(widths) - 1) + 2 <= _WIDTH


def _estimates(metric: Metric, known: Sequence[Mapping[Any, Any]]) -> Column:
    """Means, and what a batch is off by, or half the width of its interval where that is not known."""
    digits = 2 if metric.unit == "%" else 4
    name = metric.name

    def write(row: Mapping[Any, Any]) -> str:
        if math.isnan(row.get(f"{name}/mean", math.nan)):
            return ""
        off = row[f"{name}/rmse" if is_known(row) else f"{name}/half_width"]
        return f"{metric.factor * row[f'{name}/mean']:.{digits}f} ± {metric.factor * off:.{digits}f}"

    whole = next((row[f"{name}/all"] for row in known if not math.isnan(row.get(f"{name}/all", math.nan))), None)
    words, comma, unit = (f"{metric.words}, {metric.unit}" if metric.unit else metric.words).partition(",")
    heading = words.replace(" ", "\n", 1) + comma + unit
    return heading, write, "" if whole is None else f"{metric.factor * whole:.{digits}f}"


def _held(metric: Metric) -> Column:
    def write(row: Mapping[Any, Any]) -> str:
        if not is_known(row) or math.isnan(row.get(f"{metric.name}/mean", math.nan)):
            return ""
        return "—" if not math.isfinite(row[f"{metric.name}/half_width"]) else _percent(row[f"{metric.name}/coverage"])

    short = _SHORT.get(metric.name) or metric.words.split()[0]
    return f"{short} %\nheld", write, ""


def _batch(row: Mapping[Any, Any]) -> str:
    return f"{int(row['batch_size']):,}"


def _time(row: Mapping[Any, Any]) -> str:
    return duration(row["seconds/batch"]) if is_timed([row]) else ""


def _part(row: Mapping[Any, Any]) -> str:
    return _share(row["seconds/batch"] / row["seconds/all"]) if is_known(row) and is_timed([row]) else ""


def is_timed(rows: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether it is known of some row what evaluating a batch takes: not where the data are predictions already."""
    return any(math.isfinite(row.get("seconds/batch", math.nan)) for row in rows)


def is_known(row: Mapping[Any, Any]) -> bool:
    """Whether the population was scored, so that a cell's errors are known (be they infinite)."""
    return "seconds/all" in row and math.isfinite(row["seconds/all"])


def caption(rows: Sequence[Mapping[Any, Any]]) -> str:
    """Say how to read the table; each row has the intervals' ``confidence`` beside its metrics."""
    levels = " or ".join(f"{100 * level:g} %" for level in dict.fromkeys(row["confidence"] for row in rows))
    drawn = f"± is half the mean width of the {levels} intervals"
    if not any(is_known(row) for row in rows):
        return f"{drawn}; all rows were not scored, so what a batch is off by is not known."
    mixed = "" if all(is_known(row) for row in rows) else f" Where all rows were not scored, {drawn}."
    time = " Time: to evaluate one batch, and as a share of evaluating all rows." if is_timed(rows) else ""
    return (
        "± is what one batch is off by (root mean square over the draws). Held: the share of the draws whose "
        f"{levels} interval holds the value of all rows (—: one row gives no interval).{time}{mixed}"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _share(ratio: float) -> str:
    return f"{100 * ratio:.0f}" if ratio >= 0.1 else f"{100 * ratio:.2g}"


def duration(seconds: float) -> str:
    """Write a time with the unit people would use.

    Examples
    --------
    >>> duration(0.0123), duration(4.2e-5)
    ('12.3 ms', '42 µs')
    """
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"
