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
        The tolerances asked for, by metric that is planned for: nats, and a fraction.
    population : str
        Its name.
    size : int
        N.
    unit : str
        ``row`` or ``group``.
    pilot : int or None
        Rows that alone were scored.
    """
    needs = [f"{metric}_n" for metric in within]
    named = _named(plans, needs)
    title = _title(plans, within, population=population, unit=unit, pilot=pilot)
    figure, axes = style.new_figure(title, columns=len(within), height=6.2)
    for metric, own in zip(within, axes.flat, strict=True):
        style.name_panel(
            own,
            title=metric,
            x=f"within ± [{'nats' if metric == 'loss' else 'percentage points'}]",
            y=f"{unit}s in the batch",
        )
        _draw_panel(own, metric, curves, plans, named, chosen=within[metric], size=size)
    others = set(curves["design"]) - set(named) - _hidden(plans, needs)
    style.legend(figure, _handles(named, plans, others, f"all {size:,} {unit}s: evaluating them is exact"))
    return figure


def _named(plans: pd.DataFrame, needs: list[str]) -> dict[str, str]:
    """The designs that have a colour: the simple ones, the configured one, and those that need the fewest rows."""
    order = [*_SIMPLE, *plans.loc[plans["is_configured"], "design"]]
    ranks = plans[needs].rank().min(axis=1)
    order += plans.assign(rank=ranks).sort_values("rank", kind="stable")["design"].tolist()
    present = [key for key in dict.fromkeys(order) if key in set(plans["design"]) - _hidden(plans, needs)]
    return dict(zip(present[:_MOST_NAMED], style.COLOURS, strict=False))


def _hidden(plans: pd.DataFrame, needs: list[str]) -> set[str]:
    """Those that need the same rows as another throughout, as shuffled epochs do: one would hide the other."""
    distinct = plans.sort_values("is_configured", ascending=False).drop_duplicates(needs)["design"]
    return set(plans["design"]) - set(distinct)


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
    for metric, tolerance in within.items():
        said = f"±{tolerance:g} nats"
        if metric == "accuracy":
            said = f"±{100 * tolerance:g} accuracy point{'' if tolerance == 0.01 else 's'}"
        n = own[f"{metric}_n"]
        parts.append(f"{style.number(n) if np.isfinite(n) else 'no number of'} {unit}s for {said}")
    source = "" if pilot is None else f", from a pilot of {pilot:,}"
    return f"{population}, {own['words']}{source}:\n{' and '.join(parts)}"


def _handles(named: Mapping[str, str], plans: pd.DataFrame, others: set[Any], everything: str) -> list[Any]:
    from matplotlib.lines import Line2D

    words = dict(zip(plans["design"], plans["words"], strict=True))
    handles = []
    for key, colour in named.items():
        dashes = (4, 2) if key == "with_replacement" else (None, None)
        handles.append(Line2D([], [], color=colour, linewidth=2.0, dashes=dashes, label=words[key]))
    if others:
        without = " (systematic left out)" * any(key.startswith("systematic") for key in words)
        handles.append(Line2D([], [], color=style.BAND, linewidth=1.2, label=f"other designs{without}"))
    handles.append(Line2D([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), label=everything))
    handles.append(Line2D([], [], color=style.QUIET, linewidth=1.2, dashes=(1, 2), label="the tolerance asked for"))
    return handles
