"""What the intervals hold on the battery of populations: a row an interval, a row a population, and the sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .coverage import TOO_LOW, is_too_low
from .result import Table
from .words import level, percent, ratio, shortened

if TYPE_CHECKING:
    import pandas as pd

# A width is too large beyond this many times the width that knowing σ would give.
_WIDE = 1.4
_LONGEST = 21


def figures(frame: pd.DataFrame) -> dict[str, float]:
    """Return the metrics of a cell: the least share held, the largest width, and how many cases are beyond the limits.

    Parameters
    ----------
    frame : DataFrame
        ``battery.csv``: a row per population, size, rows of a batch and interval.
    """
    found = {}
    for name, own in frame.groupby("interval", sort=False):
        found[f"loss/{name}/held_least"] = float(own["coverage"].min())
        found[f"loss/{name}/too_low"] = float(_too_low(own).sum())
        found[f"loss/{name}/width_most"] = float(own["width_ratio"].max())
        found[f"loss/{name}/too_wide"] = float((own["width_ratio"] > _WIDE).sum())
    return found


def by_interval(frame: pd.DataFrame, configured: str, about: str) -> Table:
    """Return a row an interval: the cases in which it holds too little, and those in which it is too wide."""
    headings = (
        "interval",
        "holds too\nlittle in",
        "held at\nleast %",
        "÷ ideal\n> 1.4 in",
        "÷ ideal,\nmiddle",
        "of cases",
    )
    rows: list[tuple[str, ...]] = []
    for name, own in frame.groupby("interval", sort=False):
        rows.append(
            (
                f"{'▸ ' if name == configured else ''}{name}",
                f"{int(_too_low(own).sum()):,}",
                percent(own["coverage"].min()),
                f"{int((own['width_ratio'] > _WIDE).sum()):,}",
                ratio(float(own["width_ratio"].median())),
                f"{len(own):,}",
            )
        )
    return Table(f"intervals for the loss; {about}", headings, rows)


def by_population(frame: pd.DataFrame, name: str) -> list[Table]:
    """Return a table a size, a row a population: what one interval holds and how wide it is, by rows of a batch."""
    own = frame[frame["interval"] == name]
    numbers = sorted(own["rows"].unique())
    found = []
    for size, of_size in own.groupby("size", sort=True):
        rows: list[tuple[str, ...]] = []
        for population, cases in of_size.groupby("population", sort=False):
            by_rows = {case["rows"]: case for case in cases.to_dict("records")}
            rows.append((shortened(str(population), _LONGEST), *(_cell(by_rows[n]) for n in numbers)))
        title = f"{name}: % held, width ÷ ideal, by rows of a batch; N = {size:,}"
        found.append(Table(title, ("population", *(f"{n:,}" for n in numbers)), rows))
    return found


def summary(frame: pd.DataFrame, name: str) -> str:
    """Say in how many cases an interval holds what it promises, and what the warning is worth."""
    own = frame[frame["interval"] == name]
    low = own[_too_low(own)]
    least = own.sort_values("coverage", kind="stable").to_dict("records")[0]
    said = (
        f"{name} holds its {level(float(least['confidence']))} % in {len(own) - len(low):,} of {len(own):,} cases; "
        f"least {percent(least['coverage'])} % ({least['population']}, N = {least['size']:,}, {least['rows']:,} rows)."
    )
    others = frame[(frame["interval"] == "hall") & _too_low(frame)]
    missed = (others["coverage"] < 1) & others["unreliable_of_missed"].notna()
    if missed.any():
        weight = 1 - others.loc[missed, "coverage"]
        caught = float((others.loc[missed, "unreliable_of_missed"] * weight).sum() / weight.sum())
        said += f" Where hall holds too little, {percent(caught)} % of its misses are called unreliable."
    return said


def caption(confidence: float) -> str:
    """Say how to read the tables."""
    return (
        f"held: % of the draws whose interval holds the population's loss; {TOO_LOW}, too little: below "
        f"{level(confidence)} % beyond chance, as one sound interval in 40 seems to be. ÷ ideal: the median width over "
        "that of ± z standard errors made with the population's σ. ▸: the configured interval."
    )


def _too_low(frame: pd.DataFrame) -> Any:
    return frame["coverage_high"] < frame["confidence"]


def _cell(case: Any) -> str:
    wide = ratio(case["width_ratio"]) if math.isfinite(case["width_ratio"]) else "—"
    return f"{TOO_LOW if is_too_low(case) else ''}{percent(case['coverage'])} {wide}"
