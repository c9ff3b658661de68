"""What the labels so far say, what more of them would buy, and what is to be done next: as tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..metric.base import Metric
from ..metric.columns import in_order, of_column
from .result import Table
from .until import Found, Goals
from .words import counted, estimated, level, shortened, significant, with_interval

LEVELS = "± is half the width of the interval."
_MOST_LOOKS = 12
_WIDEST_NAME = 30


@dataclass(frozen=True)
class Look:
    """What was known after a round.

    Attributes
    ----------
    labels : int
        M, the labels given.
    found : dict of str to Found
        By metric.
    simple : dict of str to float
        By metric: half the width that the interval would have after a simple sample of M rows, none twice.
    """

    labels: int
    found: dict[str, Found]
    simple: dict[str, float]

    def is_within(self, goals: Goals) -> bool:
        """Whether every metric asked for has an interval that is narrow enough."""
        return all(goal is None or self.found[metric].half_width <= goal for metric, goal in goals.items())


@dataclass(frozen=True)
class About:
    """What is labelled, and what is still waited for.

    Attributes
    ----------
    population : str
        Its name.
    n_rows : int
        N.
    confidence : float
        Of the intervals.
    sheet : str
        Where the rows are that wait for their labels; empty if none wait.
    waiting, empty : int
        How many wait, and how many of these have no label yet.
    limit : int or None
        ``study.max_labels``.
    """

    population: str
    n_rows: int
    confidence: float
    sheet: str = ""
    waiting: int = 0
    empty: int = 0
    limit: int | None = None


def half_after(half: float, labels: float, more: float, n_rows: int) -> float:
    """Return half the width to be expected after `more` labels in all, where it is `half` after `labels`.

    It falls with √(1/n - 1/N), as that of a simple sample without replacement does.

    Examples
    --------
    >>> round(half_after(0.04, 100, 400, 10**9), 6)
    0.02
    """
    if labels >= n_rows:
        return 0.0
    share = (1 / min(more, n_rows) - 1 / n_rows) / (1 / labels - 1 / n_rows)
    return round(half * math.sqrt(max(share, 0.0)), 12)


def labels_for(half: float, labels: float, goal: float, n_rows: int) -> int:
    """Return after how many labels in all half the width is to be expected to be `goal`; N at most.

    Examples
    --------
    >>> labels_for(0.04, 100, 0.02, 10**9)
    400
    """
    if half <= goal or labels >= n_rows:
        return int(labels)
    each = (goal / half) ** 2 * (1 / labels - 1 / n_rows) + 1 / n_rows
    return min(math.ceil(round(1 / each, 6)), n_rows)


def labels_needed(look: Look, goals: Goals, n_rows: int) -> int:
    """Return how many labels in all will probably be enough for every goal."""
    asked = {metric: goal for metric, goal in goals.items() if goal is not None}
    return max(labels_for(look.found[metric].half_width, look.labels, goal, n_rows) for metric, goal in asked.items())


def simple_needed(look: Look, goals: Goals, n_rows: int) -> int:
    """Return how many labels a simple sample would need for the same interval; 0 where that is not known yet."""
    asked = {metric: goal for metric, goal in goals.items() if goal is not None}
    needed = []
    for metric, goal in asked.items():
        # With the whole population's variance, so fewer rows than there are labels may be enough, too.
        half = look.simple[metric]
        if not half or look.labels >= n_rows:
            return 0
        each = (goal / half) ** 2 * (1 / look.labels - 1 / n_rows) + 1 / n_rows
        needed.append(min(math.ceil(1 / each), n_rows))
    return max(needed)


def answer(looks: Sequence[Look], goals: Goals, about: About) -> str:
    """Say what was found, whether it is enough, and what is to be done next."""
    if not looks:
        return f"No label yet. {_next(about)}"
    last = looks[-1]
    found = "; ".join(_value(metric, own) for metric, own in last.found.items())
    of = f"{last.labels:,} of {about.n_rows:,} labels"
    if last.labels == about.n_rows:
        return f"All {about.n_rows:,} rows are labelled: {found}, exactly."
    held = f"{found} ({level(about.confidence)} %)"
    if last.is_within(goals):
        simple = simple_needed(last, goals, about.n_rows)
        beside = f" A simple sample would take about {estimated(simple)}." if simple > last.labels else ""
        return f"Enough, with {of}: {held}.{beside}"
    more = labels_needed(last, goals, about.n_rows) - last.labels
    said = f"Not enough yet, with {of}: {held}; about {counted_about(more)} to go."
    if not about.waiting and about.limit is not None:
        return f"{said} It ended at study.max_labels={about.limit:,}."
    return f"{said} {_next(about)}"


def changed(rounds: Sequence[int]) -> str:
    """Say which rounds' sheets were changed too late.

    Examples
    --------
    >>> changed([1])
    'The sheet of round 1 was changed after its labels were taken; the labels as taken count.'
    >>> changed([1, 2, 4])
    'The sheets of rounds 1, 2 and 4 were changed after their labels were taken; the labels as taken count.'
    """
    *rest, last = map(str, rounds)
    if not rest:
        return f"The sheet of round {last} was changed after its labels were taken; the labels as taken count."
    named = f"{', '.join(rest)} and {last}"
    return f"The sheets of rounds {named} were changed after their labels were taken; the labels as taken count."


def counted_about(n: int) -> str:
    """Return an estimated number of labels in words."""
    return f"{estimated(n)} more labels" if n != 1 else "1 more label"


def _next(about: About) -> str:
    if about.empty < about.waiting:
        return (
            f"{counted(about.empty, 'row')} of {about.waiting:,} in {about.sheet} "
            f"{'has' if about.empty == 1 else 'have'} no label yet: fill the column label in, and start the same "
            "command again."
        )
    return (
        f"Label the {counted(about.waiting, 'row')} in {about.sheet} (column label), and start the same command again."
    )


def tables(looks: Sequence[Look], goals: Goals, about: About) -> list[Table]:
    """Return what was known after each round, with the goal below; and what further labels buy, if they are needed."""
    if not looks:
        return []
    last = looks[-1]
    metrics = [of_column(name) for name in last.found]
    step = max(1, math.ceil((len(looks) - 1) / (_MOST_LOOKS - 1)))
    chosen = [*looks[: len(looks) - 1][::step], last]
    rows = [(f"{look.labels:,}", *(cell for name in look.found for cell in _cells(name, look))) for look in chosen]
    goal = [cell for metric in metrics for cell in ("", _goal(metric.column, goals[metric.column]))]
    headings = ("labels", *(text for metric in metrics for text in (f"{metric.words}, {metric.unit}", "±")))
    found = [Table(f"{about.population}, {about.n_rows:,} rows", headings, rows, [("goal", *goal)])]
    if not last.is_within(goals) and last.labels < about.n_rows:
        found.append(_further(last, goals, about))
    return found


def _further(last: Look, goals: Goals, about: About) -> Table:
    """Return the half-widths to be expected of further labels, a row a hundred."""
    needed = labels_needed(last, goals, about.n_rows)
    step = 100 * max(1, math.ceil((needed - last.labels) / 100 / 6))
    counts = [min(last.labels + step * i, about.n_rows) for i in range(1, 8)]
    counts = [n for n in dict.fromkeys(counts) if n < needed + step]
    rows = [
        (
            f"{n:,}",
            f"{n - last.labels:,}",
            *(
                significant(of_column(name).factor * half_after(own.half_width, last.labels, n, about.n_rows))
                for name, own in last.found.items()
            ),
        )
        for n in counts
    ]
    metrics = [of_column(name) for name in last.found]
    headings = ("labels", "more", *(f"{metric.words}, ± {metric.short_unit}".rstrip() for metric in metrics))
    return Table("What further labels will buy, about", headings, rows)


def compared(cells: Sequence[Mapping[Any, Any]]) -> Table:
    """Return a row a cell: the labels given, and how narrow the intervals became."""
    names = [str(key) for cell in cells for key, value in cell.items() if str(key).endswith("/mean") and value == value]
    metrics = in_order(key.removesuffix("/mean") for key in names)
    rows: list[tuple[str, ...]] = [
        (
            shortened(str(cell["group"]), _WIDEST_NAME),
            f"{int(cell['seed'])}",
            f"{int(cell['labels/given']):,}{'' if cell['labels/enough'] else ' ✗'}",
            *(
                f"{metric.factor * cell[f'{metric.column}/{what}']:.{metric.digits}f}"
                for metric in metrics
                for what in ("mean", "half_width")
            ),
        )
        for cell in cells
    ]
    headings = ("cells", "seed", "labels", *(text for metric in metrics for text in (_heading(metric), "±")))
    return Table("Labels until it was enough", headings, rows)


def _heading(metric: Metric) -> str:
    return f"{metric.short}, {metric.unit}" if metric.is_share else metric.short


def _cells(name: str, look: Look) -> tuple[str, str]:
    part, found = of_column(name), look.found[name]
    mean, low, high = (part.factor * value for value in (found.mean, found.low, found.high))
    digits, half = part.digits, significant(part.factor * found.half_width)
    return f"{mean:.{digits}f} [{low:.{digits - 1}f}, {high:.{digits - 1}f}]", half


def _goal(name: str, goal: float | None) -> str:
    return "any" if goal is None else f"{of_column(name).factor * goal:.4g}"


def _value(name: str, found: Found) -> str:
    part = of_column(name)
    mean, low, high = (part.factor * value for value in (found.mean, found.low, found.high))
    return f"{part.words} {with_interval(mean, low, high, part.unit)}"
