"""What the plots of intervals share: a small panel per interval, on the same axes, in a block per metric and group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metric.columns import of_column
from ..report.words import listed
from . import names, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS = 4
_PANEL_HEIGHT, _BESIDES = 2.4, 1.5
# Inches; only the first panel of a row has labels of y.
_BESIDE_PANEL = 0.5
# The look of the line that all intervals are compared with, and of its entry in the legend.
REFERENCE: dict[str, Any] = {"color": style.INK, "linewidth": 1.3, "dashes": (5, 2)}
CURVE: dict[str, Any] = {"color": style.COLOURS[0], "marker": "o", "markersize": 4.5, "linewidth": 1.4, "zorder": 3}


@dataclass(frozen=True, eq=False)
class Curve:
    """One interval of one metric in one group of cells: a panel.

    Attributes
    ----------
    group, metric, name : str
        Whose; the interval's name is empty where the metric has none.
    rows : DataFrame
        By batch size, ascending; of ``coverage.csv``.
    """

    group: str
    metric: str
    name: str
    rows: pd.DataFrame

    @property
    def is_configured(self) -> bool:
        """Whether it is the interval that the cells use."""
        return bool(self.rows["is_configured"].any())

    @property
    def title(self) -> str:
        """Its group, metric and name."""
        own = ": ".join(filter(None, [of_column(self.metric).title, self.name]))
        return "\n".join(filter(None, [names.group(self.group), own]))


def draw_panels(
    frame: pd.DataFrame,
    title: str,
    *,
    metrics: Sequence[str],
    unit: str,
    y: str,
    draw: Callable[[Axes, Curve], None],
    gone: Sequence[str],
    handles: Sequence[object],
) -> Figure:
    """Draw a small panel per interval, in a block of rows per group and metric.

    Parameters
    ----------
    frame : DataFrame
        ``coverage.csv`` of several batch sizes, with the columns ``batch_size`` and ``group``.
    title : str
        The message.
    metrics : sequence of str
        A block each.
    unit : str
        What a batch size counts: row or group.
    y : str
        The label of y.
    draw : callable
        Is given a panel, and the curve that it is for; sets the same limits of y in every panel.
    gone : sequence of str
        For which reasons sizes are not drawn; see `gaps`.
    handles : sequence
        The legend below all panels.
    """
    blocks = _blocks(frame, metrics)
    columns = min(_COLUMNS, max(2, *map(len, blocks)))
    placed = [block[at : at + columns] for block in blocks for at in range(0, len(block), columns)]
    height = _BESIDES + _PANEL_HEIGHT * len(placed)
    figure, axes = style.new_figure(title, rows=len(placed), columns=columns, height=height)
    for row, curves in zip(axes, placed, strict=True):
        x = f"batch size b [{unit}s]" if curves is placed[-1] else ""
        for left_over in row[len(curves) :]:
            left_over.remove()
        for place, (panel, curve) in enumerate(zip(row, curves, strict=False)):
            _panel(panel, curve, frame, draw)
            below = gaps(curve, gone) if len(curve.rows) else []
            panel.set_xlabel("\n".join(filter(None, [x, *below])), fontsize=style.SMALL, color=style.INK)
            if place:
                panel.tick_params(labelleft=False)
    figure.supylabel(y, fontsize=style.NORMAL, color=style.INK)
    style.legend(figure, handles)
    return figure


def _blocks(frame: pd.DataFrame, metrics: Sequence[str]) -> list[list[Curve]]:
    """Return the curves of each group and metric, at least one, which then has no rows."""
    blocks = []
    for group, own in frame.groupby("group", sort=False):
        for metric in metrics:
            rows = own[own["metric"] == metric].sort_values("batch_size", kind="stable")
            named = list(dict.fromkeys(own.loc[own["metric"] == metric, "interval"])) or [""]
            blocks.append([Curve(str(group), metric, name, rows[rows["interval"] == name]) for name in named])
    return blocks


def _panel(panel: Axes, curve: Curve, frame: pd.DataFrame, draw: Callable[[Axes, Curve], None]) -> None:
    style.batch_size_axis(panel, frame["batch_size"].to_numpy(), beside=_BESIDE_PANEL)
    weight = "bold" if len(curve.rows) and curve.is_configured else "normal"
    panel.set_title(style.plain(style.balanced(curve.title, 26)), fontsize=style.NORMAL, fontweight=weight)
    if not len(curve.rows):
        style.empty(panel, f"No interval for the {of_column(curve.metric).words} goes with this design.", width=20)
        return
    draw(panel, curve)


def gaps(curve: Curve, which: Sequence[str]) -> list[str]:
    """Say at which sizes a curve is not drawn, since the median interval has ``no end`` or ``no width``."""
    width = curve.rows["width_median"].to_numpy(dtype=np.float64)
    sizes = curve.rows["batch_size"].to_numpy()
    lacks = {"no end": np.isinf(width), "no width": width == 0}
    return [f"{what} at b = {listed(sizes[lacks[what]])}" for what in which if lacks[what].any()]


def configured_handle() -> object:
    """Return the legend's entry for the interval that is configured."""
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", label="bold title: as configured")
