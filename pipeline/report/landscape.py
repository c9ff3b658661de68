"""The table of a landscape: how many values each metric takes along the way, how often it moves, how far it jumps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..metric.chosen import main_metrics
from .result import Table
from .words import counted, percent, significant

# A loss that changes at less than this share of the steps is called stairs, where another one changes at more.
_STAIRS = 0.9

CAPTION = (
    "Values: how many different ones the metric takes over the grid. Moves: at how many of the steps between "
    "neighbouring points it changes at all. Largest jump: over one step."
)


def table(metrics: Mapping[Any, Any], main: int, title: str) -> Table:
    """Return a row per batch size, and all rows below where they were evaluated.

    Parameters
    ----------
    metrics : mapping
        Of a cell, as `pipeline.study.landscape` logs them.
    main : int
        The cell's own batch size, whose metrics carry no suffix.
    title : str
        What the rows are about.
    """
    sizes = {main: ""} | {
        int(key.removeprefix("loss/distinct/b")): f"/{key.rpartition('/')[2]}"
        for key in metrics
        if str(key).startswith("loss/distinct/b")
    }
    rows = [(f"{size:,}", *_cells(metrics, sizes[size])) for size in sorted(sizes)]
    footer = [("all", *_cells(metrics, "/all"))] if "loss/distinct/all" in metrics else []
    moved = f"moves\nof {round(metrics['steps']):,}"
    jumps = ("largest\njump, nats", "largest\njump, points")
    headings = ("rows", "loss\nvalues", moved, jumps[0], "accuracy\nvalues", moved, jumps[1])
    return Table(title, headings, rows, footer)


def summary(metrics: Mapping[Any, Any], main: int) -> str:
    """Say in one sentence which of the two metrics sees more of the steps, from the figures of the main batch size."""
    loss, accuracy, steps = moves(metrics, "loss"), moves(metrics, "accuracy"), round(metrics["steps"])
    said = (
        f"With {counted(main, 'row')} the loss moves at {loss:,} of {steps:,} steps between "
        f"neighbouring points, the accuracy at {accuracy:,}"
    )
    if accuracy == loss == 0:
        return f"{said}: neither sees the parameters move."
    if accuracy > loss:
        return f"{said}: here the accuracy sees more."
    if accuracy == loss:
        return f"{said}: at so wide a step both see the parameters move."
    jump = metrics["accuracy/largest_jump"]
    points = _points(jump)
    most = f"{points} percentage {'point' if points == '1' else 'points'}, {round(jump * main):,} of the rows"
    return f"{said}, by at most {most}." if accuracy else f"{said}."


def comparison(landscapes: Sequence[tuple[str, Mapping[Any, Any], int]]) -> str:
    """Say at how many steps each metric moves in each landscape of a sweep.

    Parameters
    ----------
    landscapes : sequence of (name, metrics, main batch size)
        At least one.
    """
    if len(landscapes) == 1:
        return summary(*landscapes[0][1:])
    parts = []
    for name, metrics, main in landscapes:
        loss, accuracy = moves(metrics, "loss"), moves(metrics, "accuracy")
        parts.append(
            f"{loss:,} and {accuracy:,} of {round(metrics['steps']):,} ({name.rpartition('=')[2]}, b = {main:,})"
        )
    said = f"Steps at which the loss and the accuracy move: {'; '.join(parts)}."
    shares = [moves(metrics, "loss") / metrics["steps"] for _, metrics, _ in landscapes]
    if min(shares) < _STAIRS <= max(shares):
        least, most = (landscapes[shares.index(f(shares))][0].rpartition("=")[2] for f in (min, max))
        what = (
            f"stands still at {percent(1 - min(shares))} % of them: stairs" if min(shares) else "does not move at all"
        )
        said += f" With {least} the loss itself {what}; with {most} it is a slope."
    return said


def moves(metrics: Mapping[Any, Any], metric: str, suffix: str = "") -> int:
    """Return at how many steps between neighbouring points a metric moves."""
    return round((1 - metrics[f"{metric}/flat{suffix}"]) * metrics["steps"])


def _cells(metrics: Mapping[Any, Any], suffix: str) -> tuple[str, ...]:
    cells = []
    for name, metric in main_metrics().items():
        jump = metrics[f"{name}/largest_jump{suffix}"]
        cells += [
            f"{round(metrics[f'{name}/distinct{suffix}']):,}",
            f"{moves(metrics, name, suffix):,}",
            _points(jump) if metric.is_share else significant(jump),
        ]
    return tuple(cells)


def _points(share: float) -> str:
    return f"{100 * share:.3g}"
