"""How many rows are enough, against how near the estimate is to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = ("loss", "accuracy")
# How far around the chosen tolerance is shown, by this factor.
_AROUND = 5.0
_SIMPLE = ("with_replacement", "without_replacement")
# A colour for each that is named; the others are grey.
_MOST_NAMED = len(style.COLOURS)


def draw(
    curves: pd.DataFrame,
    plans: pd.DataFrame,
    *,
    within: Mapping[str, float],
    population: str,
    size: int,
    unit: str = "row",
    pilot: int | None = None,
) -> Figure:
    """Draw the rows that each design needs against the tolerance, log-log, a panel a metric.

    Parameters
    ----------
    curves : DataFrame
        ``design, words, n, loss_within, accuracy_within``: what batches of n rows are within.
    plans : DataFrame
        ``design, words, is_configured, loss_n, accuracy_n``: a row a design.
    within : mapping of str to float
        The tolerances asked for, by metric: nats, and a fraction.
    population : str
        Its name.
    size : int
        N.
    unit : str
        ``row`` or ``group``.
    pilot : int or None
        Rows that alone were scored.
    """
    named = _named(plans)
    figure, axes = style.new_figure(_title(plans, within, population=population, unit=unit, pilot=pilot), height=6.2)
    for metric, own in zip(_METRICS, axes.flat, strict=True):
        style.name_panel(
            own,
            title=metric,
            x=f"within ± [{'nats' if metric == 'loss' else 'percentage points'}]",
            y=f"{unit}s in the batch",
        )
        _draw_panel(own, metric, curves, plans, named, chosen=within[metric], size=size)
    style.legend(figure, _handles(named, plans, f"all {size:,} {unit}s: evaluating them is exact"))
    return figure


def _named(plans: pd.DataFrame) -> dict[str, str]:
    """The designs that have a colour: the simple ones, the configured one, and those that need the fewest rows."""
    order = [*_SIMPLE, *plans.loc[plans["is_configured"], "design"]]
    ranks = plans[["loss_n", "accuracy_n"]].rank().min(axis=1)
    order += plans.assign(rank=ranks).sort_values("rank", kind="stable")["design"].tolist()
    # One that needs the same rows throughout, as shuffled epochs do, would hide the other.
    distinct = set(
        plans.sort_values("is_configured", ascending=False).drop_duplicates(["loss_n", "accuracy_n"])["design"]
    )
    present = [key for key in dict.fromkeys(order) if key in distinct]
    return dict(zip(present[:_MOST_NAMED], style.COLOURS, strict=False))


def _draw_panel(
    axes: Axes,
    metric: str,
    curves: pd.DataFrame,
    plans: pd.DataFrame,
    named: Mapping[str, str],
    *,
    chosen: float,
    size: int,
) -> None:
    unit = 1.0 if metric == "loss" else 100.0
    low, high = chosen / _AROUND, chosen * _AROUND
    heights: list[float] = [size]
    for design, own in curves.groupby("design", sort=False):
        reach, n = own[f"{metric}_within"].to_numpy(dtype=np.float64), own["n"].to_numpy(dtype=np.float64)
        # One point beyond either edge, so that the line reaches it; no error at all has no place on a log axis.
        shown = (reach >= low / 3) & (reach <= high * 3)
        if not shown.any():
            continue
        colour = named.get(str(design))
        axes.plot(
            unit * reach[shown],
            n[shown],
            color=colour or style.BAND,
            linewidth=2.0 if colour else 1.2,
            zorder=3 if colour else 2,
            dashes=(4, 2) if design == "with_replacement" else (None, None),
        )
        heights += n[(reach <= high) & (reach >= low)].tolist()
    _draw_plans(axes, metric, unit * chosen, plans, named)
    axes.axhline(size, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)
    axes.axvline(unit * chosen, color=style.QUIET, linewidth=1.2, dashes=(1, 2), zorder=1)
    style.log_axis(axes.yaxis, heights, style.number, at_most=7)
    style.log_axis(axes.xaxis, [unit * low, unit * high], style.number, at_most=7)
    axes.set_xlim(unit * low, unit * high)


def _draw_plans(axes: Axes, metric: str, x: float, plans: pd.DataFrame, named: Mapping[str, str]) -> None:
    for design, n in zip(plans["design"], plans[f"{metric}_n"], strict=True):
        if np.isfinite(n) and design in named:
            axes.plot([x], [n], marker="o", color=named[design], markersize=6.5, zorder=4, linestyle="")


def _title(plans: pd.DataFrame, within: Mapping[str, float], *, population: str, unit: str, pilot: int | None) -> str:
    own = plans[plans["is_configured"]].iloc[0]
    parts = []
    for metric, said in (
        ("loss", f"±{within['loss']:g} nats"),
        ("accuracy", f"±{100 * within['accuracy']:g} accuracy point{'' if within['accuracy'] == 0.01 else 's'}"),
    ):
        n = own[f"{metric}_n"]
        parts.append(f"{style.number(n) if np.isfinite(n) else 'no number of'} {unit}s for {said}")
    source = "" if pilot is None else f", from a pilot of {pilot:,}"
    return f"{population}, {own['words']}{source}:\n{' and '.join(parts)}"


def _handles(named: Mapping[str, str], plans: pd.DataFrame, everything: str) -> list[Any]:
    from matplotlib.lines import Line2D

    words = dict(zip(plans["design"], plans["words"], strict=True))
    handles = []
    for key, colour in named.items():
        dashes = (4, 2) if key == "with_replacement" else (None, None)
        handles.append(Line2D([], [], color=colour, linewidth=2.0, dashes=dashes, label=words[key]))
    if len(plans) > len(named):
        handles.append(Line2D([], [], color=style.BAND, linewidth=1.2, label="other designs (systematic left out)"))
    handles.append(Line2D([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), label=everything))
    handles.append(Line2D([], [], color=style.QUIET, linewidth=1.2, dashes=(1, 2), label="the tolerance asked for"))
    return handles
