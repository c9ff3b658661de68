"""Tables with columns for each metric: what does not fit into one table makes further ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from ..metric.base import Metric
from .result import Table

# Characters of a line, of the gap between two columns, and of the table's two edges.
WIDTH, GAP, EDGES = 80, 3, 2


def split(metrics: Sequence[Metric], make: Callable[[Sequence[Metric], bool], Table]) -> list[Table]:
    """Return one table of all metrics if it fits a line; else as many metrics in each as fit, and at least one.

    A terminal cuts the figures of a table that is too wide.

    Parameters
    ----------
    metrics : sequence of Metric
        In the order of their columns.
    make : callable
        Makes a table of some of the metrics; it is told whether that is the first one, which alone has the columns
        that are about no single metric.

    Returns
    -------
    list of Table
        At least one; the titles of all but the first say that they are about further metrics.
    """
    found = [_widest(metrics, lambda some: make(some, True))]
    left = metrics[found[0][0] :]
    while left:
        n, made = _widest(left, lambda some: make(some, False))
        found.append((n, replace(made, title=f"further metrics; {made.title}")))
        left = left[n:]
    return [made for _, made in found]


def widths(columns: Sequence[Sequence[str]]) -> list[int]:
    """Return the characters of each column's widest cell; a cell may have several lines."""
    return [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]


def fits(table: Table) -> bool:
    """Whether every cell of a table can be shown in full."""
    taken = widths(list(zip(table.headings, *table.rows, *table.footer, strict=True)))
    return sum(taken) + GAP * (len(taken) - 1) + EDGES <= WIDTH


def _widest(metrics: Sequence[Metric], make: Callable[[Sequence[Metric]], Table]) -> tuple[int, Table]:
    """Return how many metrics fit into a table, and the table; it has one metric where none fits."""
    made: Iterator[tuple[int, Table]] = ((n, make(metrics[:n])) for n in range(len(metrics), 0, -1))
    return next((n, table) for n, table in made if n == 1 or fits(table)) if metrics else (0, make(metrics))
