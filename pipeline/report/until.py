"""Looks at a growing sample: as a table, as a line that is written over while it shrinks, and as a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..metric.base import Metric
from ..metric.columns import in_order, of_column
from .by_metric import split
from .result import Table
from .words import counted, fixed, in_words, level, percent, shortened

Goals = Mapping[str, float | None]

LEVELS = "± is half the width of the interval."
NOT_REACHED = "✗"
_MOST_LOOKS = 16
_WIDTH = 36
_WIDEST_NAME = 30


@dataclass(frozen=True)
class Found:
    """One metric at one look: its mean, and the ends of its interval."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the width of the interval: how far its middle may be from the truth."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Look:
    """What was known at one look.

    Attributes
    ----------
    drawn : int
        Units (rows, or groups) drawn, repeats counted.
    rows : int
        Rows evaluated, each once.
    capped : int
        How many of them had a loss above the cap.
    found : dict of str to Found
        By metric.
    """

    drawn: int
    rows: int
    capped: int
    found: dict[str, Found]

    def is_within(self, goals: Goals) -> bool:
        """Whether every metric asked for has an interval that is narrow enough."""
        return all(goal is None or self.found[metric].half_width <= goal for metric, goal in goals.items())


@dataclass(frozen=True)
class About:
    """What is evaluated, and how.

    Attributes
    ----------
    population : str
        Its name.
    n_rows : int
        Its rows.
    confidence : float
        Of the intervals.
    unit : str
        What is drawn: ``row`` or ``group``.
    is_repeating : bool
        Whether a unit may be drawn more than once.
    is_world : bool
        Whether the intervals are for the world that the rows came from.
    end : str
        What ends the drawing if no goal does: ``all``, ``study.max_rows=500``.
    loss_cap : float or None
        Losses above it count as it, nats; None where there is no loss.
    """

    population: str
    n_rows: int
    confidence: float
    unit: str = "row"
    is_repeating: bool = False
    is_world: bool = False
    end: str = "all"
    loss_cap: float | None = None

    def cuts_losses(self, last: Look) -> bool:
        """Whether the interval of the loss is one of cut losses: not if all rows were evaluated and none was cut."""
        has_loss = self.loss_cap is not None and any(of_column(name).takes_loss_cap for name in last.found)
        return has_loss and (last.capped > 0 or last.rows < self.n_rows or self.is_world)


def tables(looks: Sequence[Look], goals: Goals, about: About) -> list[Table]:
    """Return a row per look, at most 16 of them, the first and the last included, and the goal below.

    Metrics that do not fit make further tables.
    """
    n = len(looks)
    step = max(1, math.ceil((n - 1) / (_MOST_LOOKS - 1)))
    chosen = [*looks[: n - 1][::step], looks[-1]]
    several = "" if len(chosen) == n else f", {len(chosen)} of {n} looks"
    title = f"{about.population}, {about.n_rows:,} rows{several}"
    metrics = [of_column(name) for name in looks[-1].found]
    return split(metrics, lambda some, _: _table(chosen, goals, some, title))


def _table(looks: Sequence[Look], goals: Goals, metrics: Sequence[Metric], title: str) -> Table:
    names = [metric.column for metric in metrics]
    rows: list[tuple[str, ...]] = [
        (f"{look.rows:,}", *(cell for name in names for cell in _cells(name, look.found[name]))) for look in looks
    ]
    goal = tuple(cell for name in names for cell in ("", _goal(name, goals[name])))
    headings = ("rows", *(heading for metric in metrics for heading in (_heading(metric), "±")))
    return Table(title, headings, rows, [("goal", *goal)])


def summary(last: Look, goals: Goals, about: About) -> str:
    """Say where it stopped and why, what was found, what was saved, and of which losses the interval is."""
    asked = {metric: goal for metric, goal in goals.items() if goal is not None}
    what = in_words([f"the {of_column(metric).words} {_within(metric, goal)}" for metric, goal in asked.items()])
    share = f"{_drawn(last, about)} ({percent(last.rows / about.n_rows)} %)"
    if last.is_within(goals):
        said = f"Stopped after {share}"
    elif last.rows == about.n_rows and about.is_world:
        said = f"All rows were evaluated, {share}, and do not tell {what}"
    else:
        said = f"Not enough: ended after {share}, by {_end(about)}, without {what}"
    promised = f"{level(about.confidence)} % intervals that hold at every look"
    is_exact = all(found.half_width == 0 for found in last.found.values())
    cap = about.loss_cap if about.cuts_losses(last) else None
    found = ", ".join(_value(metric, own, cap) for metric, own in last.found.items())
    found += " (all rows: exact)" if is_exact else f" ({promised})"
    saved = about.n_rows - last.rows
    left = f"{counted(saved, 'row was', 'rows were')} not evaluated" if saved else "no row was left out"
    cut = "" if cap is None else f" {_cut(last, cap)}"
    return f"{said}: {found}; {left}.{cut}"


def _cut(last: Look, cap: float) -> str:
    """Say what the loss's interval does not hold, and how much of it was seen."""
    held = f"The loss's interval holds the mean of losses cut to {cap:g} nats"
    if not last.capped:
        return f"{held}; no row evaluated was above that."
    return (
        f"{held}, not that of the losses as they are, which is higher: {percent(last.capped / last.rows)} % of the "
        f"rows evaluated ({last.capped:,}) were above that."
    )


def live(look: Look, first: Look, goals: Goals, about: About) -> str:
    """Return the lines shown while rows are evaluated: each interval on the scale of the first look's.

    Parameters
    ----------
    look, first : Look
        The newest, and the one whose intervals are as wide as the lines.
    goals, about
        What is asked for, of what.
    """
    lines = [f"{about.population}: {_drawn(look, about)}"]
    for metric, found in look.found.items():
        wide = first.found[metric]
        bar = interval_line(found, wide.low, wide.high, width=_WIDTH)
        goal = "" if goals[metric] is None else f"  goal ± {_goal(metric, goals[metric])}"
        value, half = _cells(metric, found)
        lines.append(f"{of_column(metric).words:8} {bar}  {value} ± {half}{goal}")
    return "\n".join(lines)


def interval_line(found: Found, least: float, most: float, *, width: int) -> str:
    """Draw an interval and its mean in a line of `width` characters from `least` to `most`.

    Examples
    --------
    >>> interval_line(Found(0.5, 0.25, 0.75), 0.0, 1.0, width=9)
    '  ├─┼─┤  '
    """

    def place(value: float) -> int:
        share = (value - least) / (most - least) if most > least else 0.5
        return round(min(max(share, 0.0), 1.0) * (width - 1))

    low, mean, high = place(found.low), place(found.mean), place(found.high)
    line = [" "] * width
    line[low : high + 1] = "─" * (high + 1 - low)
    line[low], line[high] = "├", "┤"
    line[mean] = "┼"
    return "".join(line)


def compared(cells: Sequence[Mapping[Any, Any]]) -> list[Table]:
    """Return a row per cell: what was evaluated, and how narrow the intervals became.

    Metrics that do not fit make further tables, without what was evaluated.

    Parameters
    ----------
    cells : sequence of mapping
        ``seed``, ``group``, ``population_size`` and the metrics of a cell each.
    """
    means = [str(key) for cell in cells for key, value in cell.items() if str(key).endswith("/mean") and value == value]
    metrics = in_order(key.removesuffix("/mean") for key in means)
    return split(metrics, lambda some, is_first: _compared(cells, some, is_first=is_first))


def _compared(cells: Sequence[Mapping[Any, Any]], metrics: Sequence[Metric], *, is_first: bool) -> Table:
    rows: list[tuple[str, ...]] = [
        (
            shortened(str(cell["group"]), _WIDEST_NAME),
            f"{int(cell['seed'])}",
            *(_evaluated(cell) if is_first else ()),
            *(text for metric in metrics for text in _mean_and_half(metric, cell)),
        )
        for cell in cells
    ]
    first = ("rows", "%") if is_first else ()
    headings = ("cells", "seed", *first, *(text for m in metrics for text in (_short_heading(m), "±")))
    return Table("Rows until it was enough", headings, rows)


def _evaluated(cell: Mapping[Any, Any]) -> tuple[str, str]:
    missed = "" if cell["rows/enough"] else f" {NOT_REACHED}"
    return f"{int(cell['rows/evaluated']):,}{missed}", percent(cell["rows/share"])


def _mean_and_half(metric: Metric, cell: Mapping[Any, Any]) -> tuple[str, str]:
    mean, half = (metric.factor * cell.get(f"{metric.column}/{what}", math.nan) for what in ("mean", "half_width"))
    return ("", "") if math.isnan(mean) else (f"{mean:.{metric.digits}f}", f"{half:.{metric.digits}f}")


def _heading(metric: Metric) -> str:
    return f"{metric.words}, {metric.unit}" if metric.unit else metric.words


def _short_heading(metric: Metric) -> str:
    return f"{metric.short}, {metric.unit}" if metric.is_share else metric.short


def compared_summary(cells: Sequence[Mapping[Any, Any]]) -> str:
    """Say between how many rows were enough, and how many cells ended before."""
    reached = [int(cell["rows/evaluated"]) for cell in cells if cell["rows/enough"]]
    missed = len(cells) - len(reached)
    before = f" {missed:,} of {len(cells):,} cells ended before it was enough." if missed else ""
    if not reached:
        return f"In none of {len(cells):,} cells was it enough." if len(cells) > 1 else "It was not enough."
    few, many = min(reached), max(reached)
    span = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    saved = sum(int(cell["rows/saved"]) for cell in cells)
    return f"{span} rows were enough; {saved:,} evaluations were saved over {len(cells):,} cells.{before}"


def _cells(metric: str, found: Found) -> tuple[str, str]:
    part = of_column(metric)
    mean, low, high, half = (part.factor * value for value in (found.mean, found.low, found.high, found.half_width))
    digits = part.digits
    if half == 0:
        return _exact(mean, digits), "0"
    return f"{mean:.{digits}f} [{low:.{digits - 1}f}, {high:.{digits - 1}f}]", f"{half:.{digits}f}"


def _goal(metric: str, goal: float | None) -> str:
    if goal is None:
        return "any"
    return f"{of_column(metric).factor * goal:.4g}"


def _within(metric: str, goal: float) -> str:
    return f"within ±{_goal(metric, goal)} {of_column(metric).short_unit}".rstrip()


def _value(metric: str, found: Found, cap: float | None) -> str:
    """Write a value and its interval, to the digits that the width leaves."""
    part = of_column(metric)
    words = f"{part.words} (cut to {cap:g} nats)" if part.takes_loss_cap and cap is not None else part.words
    factor, unit = part.factor, f" {part.unit}".rstrip()
    half = factor * found.half_width
    if half == 0:
        return f"{words} {_exact(factor * found.mean, part.digits)}{unit}"
    digits = min(max(1 - math.floor(math.log10(half)), 1), 6)
    mean, low, high = (f"{factor * value:.{digits}f}" for value in (found.mean, found.low, found.high))
    return f"{words} {mean}{unit} [{low}, {high}]"


def _exact(value: float, digits: int) -> str:
    """Write a value that no interval is around: to so many decimals, without zeros at the end."""
    shown = fixed(value, digits)
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def _drawn(look: Look, about: About) -> str:
    rows = f"{look.rows:,} of {about.n_rows:,} rows"
    if about.unit == "group":
        return f"{counted(look.drawn, 'group')}, {rows}"
    return f"{look.drawn:,} draws, {rows}" if about.is_repeating else rows


def _end(about: About) -> str:
    return "the end of the rows" if about.end == "all" else about.end
