"""What each interval really holds: tables by batch size, and the sentence that names those that keep their promise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..metric.chosen import MAIN
from ..metric.columns import in_order, of_column
from .result import Table
from .words import NONE, duration, in_words, level, percent, ratio

if TYPE_CHECKING:
    import pandas as pd

# Batch sizes whose columns fit in 80 characters beside the longest name of an interval.
_SIZES_A_TABLE = 7
TOO_LOW, _CONFIGURED = "↓", "▸ "


def cell_table(frame: pd.DataFrame, title: str) -> Table:
    """Return a row per metric and interval, of one batch size.

    Parameters
    ----------
    frame : DataFrame
        As ``coverage.csv`` has it.
    title : str
        What the rows are about.
    """
    headings = ("interval", "held\n%", "range\n%", "above\n%", "below\n%", "width", "÷\nideal", "time")
    parts = []
    for metric in in_order(frame["metric"]):
        own = frame[frame["metric"] == metric.column].to_dict("records")
        parts.append([(f"{metric.words}:", *[""] * 7), *map(_cell_row, own)])
    # A line stands between the first metric and the others.
    return Table(title, headings, parts[0] if parts else [], [row for part in parts[1:] for row in part])


def tables(frame: pd.DataFrame, about: str) -> list[Table]:
    """Return for each metric a table of what was held and one of the widths: a row per interval, a column per size.

    Parameters
    ----------
    frame : DataFrame
        ``coverage.csv`` of several batch sizes, with the column ``batch_size``.
    about : str
        The population and the group, for the titles.
    """
    found = []
    for metric in in_order(frame["metric"]):
        own = frame[frame["metric"] == metric.column]
        sizes = sorted(own["batch_size"].unique())
        # Tables of equal width: eight sizes make four and four, not seven and one.
        per_table = math.ceil(len(sizes) / math.ceil(len(sizes) / _SIZES_A_TABLE)) if sizes else 1
        for what, write in (("% held", held), ("width ÷ ideal", width_ratio)):
            for start in range(0, len(sizes), per_table):
                title = f"{metric.words}, {what}; {about}"
                found.append(_by_size(own, sizes[start : start + per_table], write, title))
    return found


def cell_caption(confidence: float, metrics: Iterable[str] = MAIN) -> str:
    """Say how to read a cell's table."""
    shares = [metric.words for metric in in_order(metrics) if metric.is_share]
    unit = f" ({', '.join(shares)}: points)" if shares else ""
    return (
        f"{TOO_LOW}: too low for {level(confidence)} %, beyond chance. Range: 95 % (Wilson) of the share held, from "
        "the number of draws. Above, below: % of the draws whose interval lies wholly above or below the truth. Width: "
        f"the median{unit}, and over that of ± z standard errors made with the population's σ. Time: one "
        f"interval, many at once. {_CONFIGURED.strip()}: the configured interval."
    )


def caption(confidence: float) -> str:
    """Say how to read the tables of a sweep."""
    return (
        f"% held: of the draws, those whose interval holds the value of all rows. {TOO_LOW}: too low for "
        f"{level(confidence)} %, beyond chance (a sound interval gets one such mark in 40). ÷ ideal: the median width "
        "over that of ± z standard errors made with the population's σ. —: intervals without an end. "
        f"{_CONFIGURED.strip()}: the configured interval."
    )


def summary(groups: Sequence[tuple[Any, pd.DataFrame]]) -> str:
    """Name the intervals that hold what they promise, and from which batch size on.

    Parameters
    ----------
    groups : sequence of (str, DataFrame)
        Each group's rows of ``coverage.csv``, with the column ``batch_size``.
    """
    lines = []
    for name, frame in groups:
        said = []
        for metric in in_order(frame["metric"]):
            own = frame[frame["metric"] == metric.column]
            if len(own):
                promised = level(float(own["confidence"].iloc[0]))
                said.append(f"The {metric.words}'s {promised} % is held by {_who_holds(own)}")
        if said:
            lines.append((f"{name}: " if len(groups) > 1 and name else "") + ". ".join(said) + ".")
    return "\n".join(lines)


def holds_from(own: pd.DataFrame) -> float:
    """Return the size from which on one interval is nowhere too low beyond chance; inf if it is at the largest.

    Sizes at which it has no end are passed over: holding everything is no success.

    Parameters
    ----------
    own : DataFrame
        Rows of ``coverage.csv`` of one interval, with the column ``batch_size``.
    """
    judged = own[own["width_median"].map(math.isfinite)].sort_values("batch_size")
    found = math.inf
    for row in reversed(judged.to_dict("records")):
        if is_too_low(row):
            break
        found = float(row["batch_size"])
    return found


def is_too_low(row: Any) -> bool:
    """Whether even the upper end of the coverage's own range is below the confidence."""
    return bool(row["coverage_high"] < row["confidence"])


def held(row: Any) -> str:
    """Write the share held in per cent, marked where it is too low beyond chance."""
    if not math.isfinite(row["width_median"]):
        return NONE
    return f"{TOO_LOW if is_too_low(row) else ''}{percent(row['coverage'])}"


def width_ratio(row: Any) -> str:
    """Write a median width as a multiple of the ideal."""
    return ratio(row["width_ratio"]) if math.isfinite(row["width_ratio"]) else NONE


def _who_holds(own: pd.DataFrame) -> str:
    sizes = sorted(own["batch_size"].unique())
    by_size: dict[float, list[str]] = {}
    for name, rows in own.groupby("interval", sort=False):
        by_size.setdefault(holds_from(rows), []).append(str(name))
    if set(by_size) == {math.inf}:
        return f"none of {in_words(by_size[math.inf])}{', not even' if len(sizes) > 1 else ''} at b = {sizes[-1]:,}"
    parts = []
    for size in sorted(by_size):
        names = in_words(by_size[size])
        if math.isinf(size):
            parts.append(f"not by {names}" if len(sizes) == 1 else f"not even at b = {sizes[-1]:,} by {names}")
        elif len(sizes) == 1:
            parts.append(f"{names} at b = {size:,.0f}")
        else:
            parts.append(f"{names} {'at every size' if size == sizes[0] else f'from b = {size:,.0f} on'}")
    return "; ".join(parts)


def _by_size(own: pd.DataFrame, sizes: list[int], write: Any, title: str) -> Table:
    rows = []
    for name, of_one in own.groupby("interval", sort=False):
        by_size = {row["batch_size"]: row for row in of_one.to_dict("records")}
        mark = _CONFIGURED if of_one["is_configured"].any() else ""
        rows.append((f"{mark}{name}", *(write(by_size[b]) if b in by_size else "" for b in sizes)))
    return Table(title, ("interval", *(f"{b:,}" for b in sizes)), rows)


def _cell_row(row: Any) -> tuple[str, ...]:
    width = row["width_median"] * of_column(row["metric"]).factor
    return (
        f"{_CONFIGURED if row['is_configured'] else ''}{row['interval']}",
        held(row),
        f"{percent(row['coverage_low'])}–{percent(row['coverage_high'])}",
        percent(row["missed_above"]),
        percent(row["missed_below"]),
        f"{width:.3g}" if math.isfinite(width) else NONE,
        width_ratio(row),
        duration(row["seconds"]),
    )
