"""The verdicts of a gate: each candidate's difference with its interval, against 0 and the margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..metric.base import Metric
from ..records.verdict import WORDS
from ..report.words import shortened
from . import style
from .names import titled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# By verdict, told apart by colour-blind people too; each is named in words beside it.
COLOURS = ("#009E73", "#0072B2", "#E69F00", "#D55E00")
MARKERS = ("^", "o", "D", "v")
_ROW, _BESIDES = 0.5, 1.5
_LONGEST_NAME = 40


def draw(rows: pd.DataFrame, metrics: Mapping[str, Metric], about: str = "") -> Figure:
    """Draw a panel for each metric, with a line for each candidate.

    Parameters
    ----------
    rows : DataFrame
        A candidate each: ``label``, ``verdict``, and of each metric M ``M/difference, M/difference_low,
        M/difference_high, M/margin, M/verdict``.
    metrics : mapping of str to Metric
        At least one, by column.
    about : str
        The data, and the baseline where these are something else.
    """
    words = [WORDS[int(code)] for code in rows["verdict"]]
    title = words[0].capitalize() if len(rows) == 1 else "Verdicts"
    figure, axes = style.new_figure(
        titled(about, f"{title}: candidate minus baseline, with intervals"), rows=len(metrics), columns=1,
        height=0.5 + (_BESIDES + _ROW * len(rows)) * len(metrics),
    )  # fmt: skip
    for metric, own in zip(metrics.values(), axes[:, 0], strict=True):
        _panel(own, rows, metric)
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, metric: Metric) -> None:
    value, low, high, margin = (
        metric.of(rows, name) for name in ("difference", "difference_low", "difference_high", "margin")
    )
    codes = rows[f"{metric.column}/verdict"].astype(int).tolist()
    at = np.arange(len(rows))[::-1]
    limit = margin if metric.is_better_low else -margin
    axes.axvline(0, color=style.INK, linewidth=1.2, zorder=1)
    for place, end, code, mean, bound in zip(at, zip(low, high, strict=True), codes, value, limit, strict=True):
        axes.vlines(
            bound, place - 0.45, place + 0.45, color=style.QUIET, linewidth=2, linestyle=(0, (2, 1.5)), zorder=1
        )
        axes.hlines(place, *end, color=COLOURS[code], linewidth=3)
        axes.plot(mean, place, marker=MARKERS[code], color=COLOURS[code], markersize=9, linestyle="")
    side = "left" if metric.is_better_low else "right"
    said = f"difference of {metric.words}" + (f", {metric.error_unit}" if metric.error_unit else "")
    style.name_panel(axes, title=f"{metric.words} (better: {side} of 0; dashed: the margin)", x=said, y="candidate")
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks(at, [style.plain(style.balanced(shortened(str(own), _LONGEST_NAME), 18)) for own in rows["label"]])
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.08)
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(at, [WORDS[code] for code in codes])
    beside.tick_params(labelsize=style.NORMAL, length=0)
    for label, code in zip(beside.get_yticklabels(), codes, strict=True):
        label.set_color(COLOURS[code])
        label.set_fontweight("bold")
    beside.spines["right"].set_visible(False)
