"""How many rows are enough, against how near the estimate is to be."""

from __future__ import annotations

from collections.abc import Mapping
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

# The axis reaches from the chosen tolerance divided by this factor to the tolerance times it.
_AROUND = 5.0
_SIMPLE = ("with_replacement", "without_replacement")
# Designs with a colour and a name; the others are grey.
_MOST_NAMED = 6


def draw(
    curves: pd.DataFrame,
    plans: pd.DataFrame,
    *,
    within: Mapping[str, float],
    about: str,
    size: int,
    unit: str = "row",
    pilot: int | None = None,
) -> Figure:
    """Draw the rows that each design needs against the tolerance, log-log, with a panel per metric.

    Parameters
    ----------
    curves : DataFrame
        ``design, words, n, loss_within, accuracy_within``: what batches of n rows are within.
    plans : DataFrame
        ``design, words, is_configured, loss_n, accuracy_n``: a row per design.
    within : mapping of str to float
        The tolerances asked for, by metric that is planned for: nats, and a fraction.
    about : str
        The data and the model.
    size : int
        N.
    unit : str
        ``row`` or ``group``.
    pilot : int or None
        Rows that alone were scored.
    """
    needs = [f"{metric}_n" for metric in within]
    named = _named(plans, needs)
    title = _title(plans, within, about=about, unit=unit, pilot=pilot)
    figure, axes = style.new_figure(title, columns=len(within), height=6.2)
    for metric, own in zip(within, axes.flat, strict=True):
        style.name_panel(
            own,
            title=of_column(metric).words,
            x=_tolerance_label(of_column(metric)),
            y=f"{unit}s in the batch",
        )
        _draw_panel(own, metric, curves, plans, named, chosen=within[metric], size=size)
    others = set(curves["design"]) - set(named) - _hidden(plans, needs)
    style.legend(figure, _handles(named, plans, others, f"all {size:,} {unit}s: evaluating them is exact"))
    return figure


def _tolerance_label(metric: Metric) -> str:
    return f"within ± [{metric.error_unit}]" if metric.error_unit else "within ±"


def _named(plans: pd.DataFrame, needs: list[str]) -> dict[str, str]:
    """The designs that have a colour: the simple ones, the configured one, and those that need the fewest rows."""
    order = [*_SIMPLE, *plans.loc[plans["is_configured"], "design"]]
    ranks = plans[needs].rank().min(axis=1)
    order += plans.assign(rank=ranks).sort_values("rank", kind="stable")["design"].tolist()
    present = [key for key in dict.fromkeys(order) if key in set(plans["design"]) - _hidden(plans, needs)]
    return {key: style.design_colour(key) for key in present[:_MOST_NAMED]}


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
    unit = of_column(metric).factor
    low, high = chosen / _AROUND, chosen * _AROUND
    heights: list[float] = [size]
    for design, own in curves.groupby("design", sort=False):
        reach, n = own[f"{metric}_within"].to_numpy(dtype=np.float64), own["n"].to_numpy(dtype=np.float64)
        # Points beyond the edges are kept, so that the line reaches them. An error of 0 cannot be drawn on a log axis.
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
    style.log_axis(axes.yaxis, heights, words.count, at_most=7)
    style.log_axis(axes.xaxis, [unit * low, unit * high], words.number, at_most=7)
    axes.set_xlim(unit * low, unit * high)


def _draw_plans(axes: Axes, metric: str, x: float, plans: pd.DataFrame, named: Mapping[str, str]) -> None:
    for design, n in zip(plans["design"], plans[f"{metric}_n"], strict=True):
        if np.isfinite(n) and design in named:
            axes.plot([x], [n], marker="o", color=named[design], markersize=6.5, zorder=4, linestyle="")


def _title(plans: pd.DataFrame, within: Mapping[str, float], *, about: str, unit: str, pilot: int | None) -> str:
    own = plans[plans["is_configured"]].iloc[0]
    parts = []
    for metric, tolerance in within.items():
        said = of_column(metric).named_tolerance(tolerance)
        n = own[f"{metric}_n"]
        enough = words.counted(n, unit) if np.isfinite(n) else f"no number of {unit}s"
        if pilot is not None and np.isfinite(n):
            # From all scores the size is computed; from a pilot it is estimated.
            enough = f"about {words.estimated(n)} {unit}{'s' if n != 1 else ''}"
        parts.append(f"{enough} for {said}")
    source = "" if pilot is None else f", from a pilot of {pilot:,}"
    return f"{about}, {own['words']}{source}:\n{' and '.join(parts)}"


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
