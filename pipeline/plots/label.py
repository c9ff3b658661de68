"""What labels buy: half the width of the intervals against the labels given, beside that of a simple sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..metric.base import Metric
from ..metric.columns import of_column
from ..report import words
from ..report.label import half_after, labels_for
from . import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..report.label import About
    from ..report.until import Goals

_CHOSEN, _GOAL, _SIMPLE = style.COLOURS[0], style.COLOURS[1], style.COLOURS[2]
# How much further than the labels given the picture looks, at least and at most.
_AHEAD, _MOST_AHEAD = 1.5, 20.0


def draw(looks: pd.DataFrame, goals: Goals, about: About, name: str) -> Figure:
    """Draw each metric's half-width against the labels, what is to be expected of more, and the goal.

    Parameters
    ----------
    looks : DataFrame
        As ``looks.csv`` has it; at least one row.
    goals : mapping of str to float or None
        Half the width asked for, by metric that there is; a panel each.
    about : About
        What was labelled.
    name : str
        Data and model, for the title.
    """
    last = looks.iloc[-1]
    given = f"{last['labels']:,.0f} of {about.n_rows:,} labels"
    enough = all(goal is None or last[f"{metric}_half_width"] <= goal for metric, goal in goals.items())
    figure, axes = style.panel_grid(f"{name}: {given}, {'' if enough else 'not yet '}enough", len(goals), besides=1.0)
    for panel, (metric, goal) in zip(axes[0], goals.items(), strict=True):
        _panel(panel, looks, of_column(metric), goal, about)
    style.legend(figure, _handles(has_goal=any(goal is not None for goal in goals.values())))
    return figure


def _panel(axes: Axes, looks: pd.DataFrame, metric: Metric, goal: float | None, about: About) -> None:
    name = metric.column
    n = looks["labels"].to_numpy(dtype=np.float64)
    half, simple = (looks[f"{name}_{what}"].to_numpy(dtype=np.float64) for what in ("half_width", "simple"))
    unit = f" {metric.short_unit}".rstrip()
    asked = "not asked for" if goal is None else f"± {metric.factor * goal:g}{unit} asked for"
    style.name_panel(
        axes,
        title=f"{metric.title}: ± {words.significant(metric.factor * half[-1])}{unit}, {asked}",
        x="labels given",
        y=f"half the interval, {metric.short_unit}".rstrip(", "),
    )
    ends = [n[-1]] if goal is None else [labels_for(each, n[-1], goal, about.n_rows) for each in (half[-1], simple[-1])]
    far = min(max(_AHEAD * n[-1], 1.1 * max(ends)), _MOST_AHEAD * n[-1], about.n_rows - 1)
    ahead = np.geomspace(n[-1], max(far, n[-1]), 40)
    # The last estimate of the rows' variance is the best one, so that a simple sample's curve is drawn from it alone.
    curve = np.geomspace(n[0], ahead[-1], 80)
    usual = [metric.factor * half_after(simple[-1], n[-1], at, about.n_rows) for at in curve]
    axes.plot(curve, usual, color=_SIMPLE, linewidth=1.4, linestyle="-.")
    expected = [metric.factor * half_after(half[-1], n[-1], at, about.n_rows) for at in ahead]
    axes.plot(ahead, expected, color=_CHOSEN, linewidth=1.4, linestyle=":")
    axes.plot(n, metric.factor * half, color=_CHOSEN, marker="o", markersize=4, linewidth=1.4)
    values = [*(metric.factor * half), *usual, *expected]
    if goal is not None:
        axes.axhline(metric.factor * goal, color=_GOAL, linestyle="--", linewidth=1.3)
        values.append(metric.factor * goal)
    style.log_axis(axes.xaxis, curve, words.number, at_most=6)
    style.log_axis(axes.yaxis, np.array([value for value in values if value > 0]), words.number, at_most=6)


def _handles(*, has_goal: bool) -> list[Any]:
    from matplotlib.lines import Line2D

    handles: list[Any] = [
        Line2D([], [], color=_CHOSEN, marker="o", markersize=4, label="rows chosen by the model"),
        Line2D([], [], color=_CHOSEN, linestyle=":", label="to be expected of more labels"),
        Line2D([], [], color=_SIMPLE, linestyle="-.", label="a simple sample, by the same interval"),
    ]
    if has_goal:
        handles.append(Line2D([], [], color=_GOAL, linestyle="--", label="as wide as the interval may be"))
    return handles
