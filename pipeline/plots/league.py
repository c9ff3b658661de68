"""The league table as a picture: each model's place and the ranks that are possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..metric.base import Metric
from ..report import words
from ..report.league import known
from . import style
from .sweep_cells import looks_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_NAME = 22
_ROW, _BESIDES = 0.3, 1.8
_MOST = 60


def draw(frame: pd.DataFrame, about: str, confidence: float) -> Figure:
    """Draw a panel for each metric, in which the models stand by their place, the best on top.

    Parameters
    ----------
    frame : DataFrame
        A model each: ``model``, and of each metric M ``M, M_place, M_rank_low, M_rank_high``.
    about : str
        The rows.
    confidence : float
        Of the ranks, all at once.
    """
    metrics = known(frame)
    shown = min(len(frame), _MOST)
    few = f"the {_MOST} first of {len(frame)} models" if len(frame) > _MOST else f"{len(frame)} models"
    title = f"{about}: {few} by their place, with the ranks that are possible ({words.level(confidence)} %)"
    figure, axes = style.new_figure(title, columns=len(metrics), height=_BESIDES + _ROW * shown)
    for panel, metric in zip(axes[0], metrics, strict=True):
        _panel(panel, frame.sort_values(f"{metric.column}_place", kind="stable").head(shown), metric, len(frame))
    return figure


def _panel(axes: Axes, own: pd.DataFrame, metric: Metric, models: int) -> None:
    colour, marker = looks_of([metric])[metric.column]
    at = np.arange(len(own))[::-1]
    low, high, place = (own[f"{metric.column}_{name}"].to_numpy() for name in ("rank_low", "rank_high", "place"))
    axes.hlines(at, low, high, color=colour, linewidth=3, alpha=0.45)
    for ends in (low, high):
        axes.plot(ends, at, linestyle="", marker="|", color=colour, markersize=9, markeredgewidth=2)
    axes.plot(place, at, linestyle="", marker=marker, color=colour, markersize=7)
    style.name_panel(axes, title=metric.title, x="rank (1 is the best)", y="")
    axes.set_xlim(0.5, models + 0.5)
    axes.set_ylim(-0.6, len(own) - 0.4)
    steps = np.arange(1, models + 1, max(1, -(-models // 10)))
    axes.set_xticks(steps)
    shared = own[f"{metric.column}_place"].value_counts()
    names = [
        f"{rank}{'=' if shared[rank] > 1 else ''}  {words.shortened(str(name), _LONGEST_NAME)}"
        for rank, name in zip(place.tolist(), own["model"], strict=True)
    ]
    axes.set_yticks(at, [style.plain(name) for name in names])
    beside = axes.secondary_yaxis("right")
    unit = f" {metric.unit}" if metric.unit else ""
    beside.set_yticks(at, [f"{metric.factor * value:.{metric.digits}f}{unit}" for value in own[metric.column]])
    beside.tick_params(labelsize=style.SMALL, colors=style.INK, length=0)
    beside.spines["right"].set_visible(False)
