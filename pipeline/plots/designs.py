"""The designs side by side: how much smaller each makes the variance, dots on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metric.base import Metric
from ..metric.columns import in_order
from ..report import words
from ..report.designs import best_of
from . import style
from .names import titled
from .sweep_cells import looks_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# How far apart the dots of the first and the last metric stand, of the distance between two designs.
_APART = 0.34
_IDEAL = "_ideal"
_NOT_USABLE = "Not usable, shown for comparison: these need every row's value beforehand"
# Inches: of a design, and of what a panel and the figure have besides.
_ROW, _PANEL, _FIGURE = 0.37, 0.7, 1.6


def draw(ratios: pd.DataFrame, about: str, subject: str = "") -> Figure:
    """Draw a row per design: dots are the variance ratios of the population, bars behind them their 95 % ranges.

    The designs that can be used stand above; those that need every row's value beforehand, which show how much there
    is to be gained, in a panel below.

    Parameters
    ----------
    ratios : DataFrame
        ``design, words, metric, is_configured, is_ranked, variance_ratio, ratio_low, ratio_high``: a row per design and
        metric.
    about : str
        The population, the batch size, the draws.
    subject : str
        The data and the model, for the title.
    """
    is_ideal = ratios["design"].str.endswith(_IDEAL)
    parts = [(own, title) for own, title in ((ratios[~is_ideal], about), (ratios[is_ideal], _NOT_USABLE)) if len(own)]
    rows = [own["design"].nunique() for own, _ in parts]
    height = _FIGURE + _PANEL * len(parts) + _ROW * sum(rows)
    figure, axes = style.new_figure(titled(subject, _title(ratios)), rows=len(parts), columns=1, height=height)
    axes[0, 0].get_gridspec().set_height_ratios([count + 0.5 for count in rows])
    metrics = in_order(ratios["metric"])
    for (own, title), panel in zip(parts, axes[:, 0], strict=True):
        _panel(panel, own, metrics)
        is_last = panel is axes[-1, 0]
        x = "variance ratio: a simple random sample's variance over the design's" if is_last else ""
        style.name_panel(panel, title=title, x=x, y="")
        style.log_axis(panel.xaxis, np.append(ratios["variance_ratio"].to_numpy(dtype=np.float64), 1.0), words.number)
    style.legend(figure, _handles(metrics, ratios))
    return figure


def _panel(axes: Axes, ratios: pd.DataFrame, metrics: Sequence[Metric]) -> None:
    order = ratios.groupby("design")["variance_ratio"].max().sort_values(kind="stable").index.tolist()
    place = {design: at for at, design in enumerate(order)}
    looks = looks_of(metrics)
    for at, metric in enumerate(metrics):
        # Beside the other metrics' dots, where there are some.
        aside = _APART * (at / (len(metrics) - 1) - 0.5) if len(metrics) > 1 else 0.0
        for row in ratios[ratios["metric"] == metric.column].to_dict("records"):
            y, colour = place[row["design"]] - aside, style.design_colour(row["design"])
            axes.hlines(y, row["ratio_low"], row["ratio_high"], color=colour, linewidth=5.0, alpha=0.3, zorder=2)
            axes.plot([row["variance_ratio"]], [y], color=colour, **_dot(looks[metric.column][1], at))
    axes.axvline(1.0, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)
    wording = ratios.drop_duplicates("design").set_index("design")
    axes.set_yticks(range(len(order)), [_label(wording.loc[design]) for design in order], fontsize=style.SMALL)
    axes.set_ylim(-0.6, len(order) - 0.4)


def _dot(marker: str, place: int) -> dict[str, Any]:
    """Colours are the designs', so metrics differ in form and filling."""
    look = {"linestyle": "", "marker": marker, "markersize": 6.5, "markeredgewidth": 1.5, "zorder": 3}
    return look | ({"markerfacecolor": "white"} if place % 2 else {})


def _label(row: pd.Series[str]) -> str:
    return f"{row['words']}{'' if row['is_ranked'] else ' †'}{' *' if row['is_configured'] else ''}"


def _title(ratios: pd.DataFrame) -> str:
    parts = []
    for metric in in_order(ratios["metric"]):
        best = best_of(ratios[ratios["metric"] == metric.column].to_dict("records"))
        if best is not None and best["ratio_low"] > 1:
            parts.append(f"{metric.words} {100 / best['variance_ratio']:.0f} ({best['words']})")
        elif best is not None:
            parts.append(f"{metric.words} none beyond chance")
    if all(part.endswith(" none beyond chance") for part in parts):
        return "No design does better than a simple random sample, beyond chance"
    return f"Rows that tell as much as 100 of a simple random sample, at best: {', '.join(parts)}"


def _handles(metrics: Sequence[Metric], ratios: pd.DataFrame) -> list[object]:
    from matplotlib.lines import Line2D

    handles: list[object] = [
        Line2D([], [], color=style.QUIET, label=f"{metric.words}, from the population's scores", **_dot(marker, at))
        for at, (metric, (_, marker)) in enumerate(zip(metrics, looks_of(metrics).values(), strict=True))
    ]
    handles.append(
        Line2D([], [], color=style.QUIET, linewidth=5.0, alpha=0.4, label="95 %, by draws, pilots or orders")
    )
    handles.append(Line2D([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), label="a simple random sample"))
    handles.append(Line2D([], [], linestyle="", marker="$*$", color=style.INK, label="the configured sampling"))
    if not ratios["is_ranked"].all():
        handles.append(
            Line2D([], [], linestyle="", marker="$†$", color=style.INK, label="not ranked: the ratio may be luck")
        )
    return handles
