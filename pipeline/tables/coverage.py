"""What each interval really holds: tables by batch size, and the sentence that names those that keep their promise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pipeline.plots.style import duration
from pipeline.records import Table

if TYPE_CHECKING:
    import pandas as pd

METRICS = ("loss", "accuracy")
# Columns of sizes that fit in 80 characters beside the longest name.
_SIZES_A_TABLE = 7
_TOO_LOW, _CONFIGURED = "↓", "▸ "


def cell_table(frame: pd.DataFrame, title: str) -> Table:
    """Return a row a metric and interval, of one batch size.

    Parameters
    ----------
    frame : DataFrame
        As ``coverage.csv`` has it.
    title : str
        What the rows are about.
    """
    headings = ("interval", "held\n%", "range\n%", "above\n%", "below\n%", "width", "÷\nideal", "time")
    parts = []
    for metric in METRICS:
        own = frame[frame["metric"] == metric].to_dict("records")
        parts.append([(f"{metric}:", *[""] * 7), *map(_cell_row, own)] if own else [])
    return Table(title, headings, *[part for part in parts if part] or [[]])


def tables(frame: pd.DataFrame, about: str) -> list[Table]:
    """Return for each metric a table of what was held and one of the widths: a row an interval, a column a size.

    Parameters
    ----------
    frame : DataFrame
        ``coverage.csv`` of several batch sizes, with the column ``batch_size``.
    about : str
        The population and the group, for the titles.
    """
    found = []
    for metric in METRICS:
        own = frame[frame["metric"] == metric]
        sizes = sorted(own["batch_size"].unique())
        # Even parts: of eight sizes four and four, not seven and one.
        per_table = math.ceil(len(sizes) / math.ceil(len(sizes) / _SIZES_A_TABLE)) if sizes else 1
        for what, write in (("% held", held), ("width ÷ ideal", ratio)):
            for start in range(0, len(sizes), per_table):
                title = f"{metric}, {what}; {about}"
                found.append(_by_size(own, sizes[start : start + per_table], write, title))
    return found


def cell_caption(confidence: float, metrics: Sequence[str] = METRICS) -> str:
    """Say how to read a cell's table."""
    unit = " (accuracy: points)" if "accuracy" in metrics else ""
    return (
        f"{_TOO_LOW}: too low for {100 * confidence:g} %, beyond chance. Range: 95 % (Wilson) of the share held, from "
        "the number of draws. Above, below: % of the draws whose interval lies wholly above or below the truth. Width: "
        f"the median{unit}, and over that of ± z standard errors made with the population's σ. Time: one "
        f"interval, many at once. {_CONFIGURED.strip()}: the configured interval."
    )


def caption(confidence: float) -> str:
    """Say how to read the tables of a sweep."""
    return (
        f"% held: of the draws, those whose interval holds the value of all rows. {_TOO_LOW}: too low for "
        f"{100 * confidence:g} %, beyond chance (a sound interval gets one such mark in 40). ÷ ideal: the median width "
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
        for metric in METRICS:
            own = frame[frame["metric"] == metric]
            if len(own):
                level = 100 * float(own["confidence"].iloc[0])
                said.append(f"The {metric}'s {level:g} % is held by {_who_holds(own)}")
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
        return "—"
    return f"{_TOO_LOW if is_too_low(row) else ''}{100 * row['coverage']:.1f}"


def ratio(row: Any) -> str:
    """Write a median width as a multiple of the ideal."""
    value = row["width_ratio"]
    return f"{value:.2f}" if math.isfinite(value) else "—"


def _who_holds(own: pd.DataFrame) -> str:
    sizes = sorted(own["batch_size"].unique())
    by_size: dict[float, list[str]] = {}
    for name, rows in own.groupby("interval", sort=False):
        by_size.setdefault(holds_from(rows), []).append(str(name))
    if set(by_size) == {math.inf}:
        return f"none of {_listed(by_size[math.inf])}{', not even' if len(sizes) > 1 else ''} at b = {sizes[-1]:,}"
    parts = []
    for size in sorted(by_size):
        names = _listed(by_size[size])
        if math.isinf(size):
            parts.append(f"not by {names}" if len(sizes) == 1 else f"not even at b = {sizes[-1]:,} by {names}")
        elif len(sizes) == 1:
            parts.append(f"{names} at b = {size:,.0f}")
        else:
            parts.append(f"{names} {'at every size' if size == sizes[0] else f'from b = {size:,.0f} on'}")
    return "; ".join(parts)


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _by_size(own: pd.DataFrame, sizes: list[int], write: Any, title: str) -> Table:
    rows = []
    for name, of_one in own.groupby("interval", sort=False):
        by_size = {row["batch_size"]: row for row in of_one.to_dict("records")}
        mark = _CONFIGURED if of_one["is_configured"].any() else ""
        rows.append((f"{mark}{name}", *(write(by_size[b]) if b in by_size else "" for b in sizes)))
    return Table(title, ("interval", *(f"{b:,}" for b in sizes)), rows)


def _cell_row(row: Any) -> tuple[str, ...]:
    width = row["width_median"] * (1 if row["metric"] == "loss" else 100)
    return (
        f"{_CONFIGURED if row['is_configured'] else ''}{row['interval']}",
        held(row),
        f"{100 * row['coverage_low']:.1f}–{100 * row['coverage_high']:.1f}",
        f"{100 * row['missed_above']:.1f}",
        f"{100 * row['missed_below']:.1f}",
        f"{width:.3g}" if math.isfinite(width) else "—",
        ratio(row),
        duration(row["seconds"]),
    )
