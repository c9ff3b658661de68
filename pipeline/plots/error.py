"""What a batch is off by, measured and by theory, against its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..report import words
from . import style
from .sweep_cells import Sweep, draws_a_size, error_gaps, group_handles, missing, plot_points, theory

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(cells: pd.DataFrame, draws: pd.DataFrame) -> Figure:
    """Draw the root mean square error against batch size, log-log: points measured, lines by theory.

    Parameters
    ----------
    cells, draws : DataFrame
        As :class:`pipeline.cell.comparison.Comparison` has them.
    """
    sweep = Sweep(cells, draws)
    figure, panels = sweep.panels(_title(cells, sweep.metrics))
    for axes, metric in panels:
        _panel(axes, sweep, metric)
    style.legend(figure, _handles(sweep))
    return figure


def _title(cells: pd.DataFrame, metrics: list[Metric]) -> str:
    ratios, sizes = [], []
    for metric in metrics:
        rmse, se = metric.error(cells), metric.error(cells, "se")
        known = np.isfinite(rmse) & np.isfinite(se) & (rmse > 0) & (se > 0)
        ratios += list(rmse[known] / se[known])
        sizes += list(cells["batch_size"][known])
    off = 100 * np.abs(np.array(ratios) - 1)
    if not len(off):
        return "What one batch is off by, against its size"
    worst = f"{words.significant(off.max())} % at most (b = {sizes[off.argmax()]:,})"
    return f"Measured errors differ from theory by {words.significant(np.median(off))} % in the median, {worst}"


def _panel(axes: Axes, sweep: Sweep, metric: Metric) -> None:
    cells = sweep.cells
    style.name_panel(axes, title=metric.title, x=sweep.size_axis(axes), y=metric.error_label)
    values = np.concatenate([metric.error(cells), metric.error(cells, "se")])
    if not (np.isfinite(values) & (values > 0)).any():
        zero = "Every batch gives the value of all rows exactly: the error is 0."
        style.empty(axes, missing(metric, cells) or zero)
        return
    style.log_axis(axes.yaxis, values, words.number)
    for group in sweep.groups:
        rmse = metric.error(group.cells)
        seen = np.isfinite(rmse) & (rmse > 0)
        grid, error = theory(group.sizes, metric.error(group.cells, "se"))
        axes.plot(grid[error > 0], error[error > 0], color=group.colour, linewidth=1.6, zorder=2)
        plot_points(axes, group, group.sizes[seen], rmse[seen])
    _reference(axes, cells["batch_size"].to_numpy(), values[np.isfinite(values) & (values > 0)].max())
    sweep.note_gaps(axes, metric, lambda group: error_gaps(metric.error(group.cells)))


def _reference(axes: Axes, sizes: NDArray[np.int64], most: float) -> None:
    """Draw a triangle of slope -1/2 above curves that start at `most` and fall so; none where sizes span too little."""
    from matplotlib.patches import Polygon

    least, greatest = float(sizes.min()), float(sizes.max())
    if greatest < 30 * least:
        return
    start = min(np.sqrt(least * greatest), greatest / 10)
    top = most * min(2.2 * np.sqrt(least / start), 0.95)
    corners = [(start, top), (4 * start, top), (4 * start, top / 2)]
    axes.add_patch(Polygon(corners, fill=False, edgecolor=style.QUIET, linewidth=1.2, zorder=2))
    text: dict[str, Any] = {"fontsize": style.SMALL, "color": style.QUIET, "textcoords": "offset points"}
    axes.annotate("4 × the rows", (2 * start, top), xytext=(0, 3), ha="center", va="bottom", **text)
    axes.annotate(
        "½ the error\n(slope −½)", (4 * start, top / np.sqrt(2)), xytext=(4, 0), ha="left", va="center", **text
    )


def _handles(sweep: Sweep) -> list[object]:
    from matplotlib.lines import Line2D

    measured = f"measured: {draws_a_size(sweep.cells)}"
    return [
        *group_handles(sweep.groups),
        Line2D([], [], marker="o", linestyle="", color=sweep.colour, label=measured),
        Line2D([], [], color=sweep.colour, linewidth=1.6, label="theory: standard error of the design"),
    ]
