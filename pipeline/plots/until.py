"""How the intervals shrank while rows were evaluated, and the width that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..metric.base import Metric
from ..metric.columns import of_column
from ..report import words
from . import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..report.until import About, Goals

_SHRINKING, _GOAL = style.COLOURS[0], style.COLOURS[1]
# The panel reaches from the middle of the last interval by this many half widths of the interval or of the goal,
# whichever is wider; and further if the last looks, of which this is the share, need more.
_REACH, _SEEN = 4.0, 0.5


def draw(looks: pd.DataFrame, goals: Goals, about: About) -> Figure:
    """Draw each metric's means and intervals against the rows evaluated, and how wide they may be.

    Parameters
    ----------
    looks : DataFrame
        As ``looks.csv`` has it; at least one row.
    goals : mapping of str to float or None
        Half the width asked for, by metric that there is; a panel each.
    about : About
        What was evaluated, and how.
    """
    last = looks.iloc[-1]
    enough = all(goal is None or last[f"{name}_half_width"] <= goal for name, goal in goals.items())
    share = f"{last['rows']:,.0f} of {about.n_rows:,} rows"
    title = f"{about.population}: {share} were enough" if enough else f"{about.population}: {share} were not enough"
    figure, axes = style.panel_grid(title, len(goals), besides=1.0)
    for panel, (name, goal) in zip(axes[0], goals.items(), strict=True):
        _panel(panel, looks, of_column(name), goal, cap=about.loss_cap)
    style.legend(figure, _handles(about, has_goal=any(goal is not None for goal in goals.values())))
    return figure


def _panel(axes: Axes, looks: pd.DataFrame, metric: Metric, goal: float | None, *, cap: float | None) -> None:
    name = metric.column
    n = looks["rows"].to_numpy(dtype=np.float64)
    mean, low, high, half = (
        metric.factor * looks[f"{name}{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high", "_half_width")
    )
    unit = f" {metric.short_unit}".rstrip()
    asked = "not asked for" if goal is None else f"± {metric.factor * goal:g}{unit} asked for"
    style.name_panel(
        axes,
        title=f"{metric.title}: ± {words.significant(half[-1])}{unit}, {asked}",
        x="rows evaluated",
        y=_label(metric, cap),
    )
    style.log_axis(axes.xaxis, n, words.number, at_most=6)
    middle = (low[-1] + high[-1]) / 2
    if goal is not None:
        wide = metric.factor * goal
        axes.axhspan(middle - wide, middle + wide, color=_GOAL, alpha=0.15, linewidth=0, zorder=0)
        for end in (middle - wide, middle + wide):
            axes.axhline(end, color=_GOAL, linestyle="--", linewidth=1.3, zorder=2)
    # A single look has no area, so its interval is drawn as an error bar too.
    axes.fill_between(n, low, high, color=_SHRINKING, alpha=0.25, linewidth=0, zorder=1)
    axes.errorbar(
        n, mean, [mean - low, high - mean], color=_SHRINKING, marker="o", markersize=4, linewidth=1.4, elinewidth=0.9,
        capsize=2.5, zorder=3,
    )  # fmt: skip
    _limits(axes, low, high, middle, max(half[-1], 0.0 if goal is None else metric.factor * goal), metric)


def _label(metric: Metric, cap: float | None) -> str:
    if not metric.takes_loss_cap or cap is None:
        return metric.label
    return f"{metric.label}, rows cut to {cap:g}"


def _limits(axes: Axes, low: Any, high: Any, middle: float, wide: float, metric: Metric) -> None:
    """Keep the first, wide intervals from making a line of what matters; what is cut off is said."""
    seen = slice(int(len(low) * (1 - _SEEN)), None)
    least, most = min(middle - _REACH * wide, low[seen].min()), max(middle + _REACH * wide, high[seen].max())
    room = 0.03 * (most - least) or 0.01 * max(abs(middle), 1e-3)
    bottom, top = metric.bounds
    axes.set_ylim(
        max(least, min(low.min(), middle - wide), bottom) - room, min(most, max(high.max(), middle + wide), top) + room
    )
    lowest, highest = axes.get_ylim()
    cut = int(((low < lowest) | (high > highest)).sum())
    if cut:
        which = "interval of the first look reaches" if cut == 1 else f"intervals of the first {cut:,} looks reach"
        style.note(axes, [f"The {which} beyond the panel"])


def _handles(about: About, *, has_goal: bool) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    held = f"interval, {words.level(about.confidence)} %, held at all looks together"
    handles: list[Any] = [
        Line2D([], [], color=_SHRINKING, marker="o", markersize=4, label="mean of the rows so far"),
        Patch(color=_SHRINKING, alpha=0.25, label=held),
    ]
    if has_goal:
        handles.append(Line2D([], [], color=_GOAL, linestyle="--", label="as wide as the interval may be"))
    return handles
