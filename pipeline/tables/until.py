"""Looks at a growing sample: as a table, as a line that is written over while it shrinks, and as a sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records import Table

Goals = Mapping[str, float | None]

LEVELS = "± is half the width of the interval."
NOT_REACHED = "✗"
_HEADINGS = {"loss": "loss, nats", "accuracy": "accuracy, %"}
_COMPARED = {"loss": "loss", "accuracy": "acc., %"}
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
    """

    population: str
    n_rows: int
    confidence: float
    unit: str = "row"
    is_repeating: bool = False
    is_world: bool = False
    end: str = "all"


def table(looks: Sequence[Look], goals: Goals, about: About) -> Table:
    """Return a row a look, at most 16 of them, the first and the last included, and the goal below."""
    n = len(looks)
    step = max(1, math.ceil((n - 1) / (_MOST_LOOKS - 1)))
    chosen = [*looks[: n - 1][::step], looks[-1]]
    rows: list[tuple[str, ...]] = [
        (f"{look.rows:,}", *(cell for metric, found in look.found.items() for cell in _cells(metric, found)))
        for look in chosen
    ]
    goal = tuple(cell for metric in looks[-1].found for cell in ("", _goal(metric, goals[metric])))
    several = "" if len(chosen) == n else f", {len(chosen)} of {n} looks"
    title = f"{about.population}, {about.n_rows:,} rows{several}"
    headings = ("rows", *(heading for metric in looks[-1].found for heading in (_HEADINGS[metric], "±")))
    return Table(title, headings, rows, [("goal", *goal)])


def summary(last: Look, goals: Goals, about: About) -> str:
    """Say where it stopped and why, what was found, and what was saved."""
    what = " and ".join(f"the {metric} {_within(metric, goal)}" for metric, goal in goals.items() if goal is not None)
    share = f"{_drawn(last, about)} ({_percent(last.rows / about.n_rows)} %)"
    if last.is_within(goals):
        said = f"Stopped after {share}"
    elif last.rows == about.n_rows and about.is_world:
        said = f"All rows were evaluated, {share}, and do not tell {what}"
    else:
        said = f"Not enough: ended after {share}, by {_end(about)}, without {what}"
    level = f"{100 * about.confidence:g} % intervals that hold at every look"
    is_exact = all(found.half_width == 0 for found in last.found.values())
    found = ", ".join(_value(metric, own) for metric, own in last.found.items())
    found += " (all rows: exact)" if is_exact else f" ({level})"
    saved = about.n_rows - last.rows
    left = f"{saved:,} {'row was' if saved == 1 else 'rows were'} not evaluated" if saved else "no row was left out"
    return f"{said}: {found}; {left}."


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
        lines.append(f"{metric:8} {bar}  {value} ± {half}{goal}")
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


def compared(cells: Sequence[Mapping[Any, Any]]) -> Table:
    """Return a row a cell: what was evaluated, and how narrow the intervals became.

    Parameters
    ----------
    cells : sequence of mapping
        ``seed``, ``group``, ``population_size`` and the metrics of a cell each.
    """
    metrics = [m for m in _HEADINGS if any(not math.isnan(cell.get(f"{m}/mean", math.nan)) for cell in cells)]
    rows: list[tuple[str, ...]] = [
        (
            _shortened(str(cell["group"])),
            f"{int(cell['seed'])}",
            f"{int(cell['rows/evaluated']):,}{'' if cell['rows/enough'] else ' ' + NOT_REACHED}",
            _percent(cell["rows/share"]),
            *(text for metric in metrics for text in _mean_and_half(metric, cell)),
        )
        for cell in cells
    ]
    headings = ("cells", "seed", "rows", "%", *(text for m in metrics for text in (_COMPARED[m], "±")))
    return Table("Rows until it was enough", headings, rows)


def _mean_and_half(metric: str, cell: Mapping[Any, Any]) -> tuple[str, str]:
    factor, digits = (1, 4) if metric == "loss" else (100, 2)
    mean, half = (factor * cell.get(f"{metric}/{what}", math.nan) for what in ("mean", "half_width"))
    return ("", "") if math.isnan(mean) else (f"{mean:.{digits}f}", f"{half:.{digits}f}")


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
    if metric == "loss":
        return f"{found.mean:.4f} [{found.low:.3f}, {found.high:.3f}]", f"{found.half_width:.4f}"
    mean, low, high = (100 * value for value in (found.mean, found.low, found.high))
    return f"{mean:.2f} [{low:.1f}, {high:.1f}]", f"{100 * found.half_width:.2f}"


def _goal(metric: str, goal: float | None) -> str:
    if goal is None:
        return "any"
    return f"{goal if metric == 'loss' else 100 * goal:.4g}"


def _within(metric: str, goal: float) -> str:
    return f"within ±{_goal(metric, goal)} {'nats' if metric == 'loss' else 'points'}"


def _value(metric: str, found: Found) -> str:
    """Write a value and its interval, to the digits that the width leaves."""
    factor, unit = (1.0, " nats") if metric == "loss" else (100.0, " %")
    half = factor * found.half_width
    digits = 3 if half == 0 else min(max(1 - math.floor(math.log10(half)), 1), 6)
    mean, low, high = (f"{factor * value:.{digits}f}" for value in (found.mean, found.low, found.high))
    return f"{metric} {mean}{unit}" if half == 0 else f"{metric} {mean}{unit} [{low}, {high}]"


def _drawn(look: Look, about: About) -> str:
    rows = f"{look.rows:,} of {about.n_rows:,} rows"
    if about.unit == "group":
        groups = f"{look.drawn:,} {'group' if look.drawn == 1 else 'groups'}"
        return f"{groups}, {rows}"
    return f"{look.drawn:,} draws, {rows}" if about.is_repeating else rows


def _end(about: About) -> str:
    return "the end of the rows" if about.end == "all" else about.end


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.1 else f"{100 * share:.2g}"


def _shortened(text: str) -> str:
    if len(text) <= _WIDEST_NAME:
        return text
    half = _WIDEST_NAME // 2
    return f"{text[: half - 1]}…{text[-half:]}"
