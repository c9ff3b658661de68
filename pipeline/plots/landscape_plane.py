"""Loss beside accuracy over the plane of two directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style
from pipeline.plots.frames import METRICS, Metric
from pipeline.plots.landscape import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 3
_LINES = 9


def draw(panels: Sequence[Panel]) -> Figure:
    """Draw contours of the loss on the left and of the accuracy on the right: of one batch, and of all rows below.

    Parameters
    ----------
    panels : sequence of Panel
        At least one, whose frames have ``beta, direction_b, unit_b`` too; the first three are drawn.
    """
    rows = [(panel, curve) for panel in panels[:_MOST_PANELS] for curve in (f"b{panel.main}", "all")]
    rows = [(panel, curve) for panel, curve in rows if len(panel.curve(curve))]
    title = _title(panels[0])
    if len(panels) > _MOST_PANELS:
        title += f" (the first {_MOST_PANELS} of {len(panels)})"
    figure, axes = style.new_figure(title, rows=len(rows), height=0.9 + 4.4 * len(rows))
    for (panel, curve), pair in zip(rows, axes, strict=True):
        for each, metric in zip(pair, METRICS, strict=True):
            _draw_panel(each, panel, curve, metric)
    return figure


def _title(panel: Panel) -> str:
    counts = [len(np.unique(panel.curve(f"b{panel.main}")[metric.name])) for metric in METRICS]
    points = len(panel.curve(f"b{panel.main}"))
    rows = style.counted(panel.main, "row")
    return f"With {rows} the loss takes {counts[0]:,} values at {points:,} points, the accuracy {counts[1]:,}"


def _draw_panel(axes: Axes, panel: Panel, curve: str, metric: Metric) -> None:
    own = panel.curve(curve)
    alpha, beta = np.unique(own["alpha"]), np.unique(own["beta"])
    values = metric.factor * own[metric.name].to_numpy(dtype=np.float64).reshape(len(alpha), len(beta)).T
    first = panel.frame.iloc[0]
    rows = int(own["rows"].iloc[0])
    whose = f"all {rows:,} rows" if curve == "all" else f"one batch of {style.counted(rows, 'row')}"
    style.name_panel(
        axes,
        title=f"{panel.name}\n".lstrip() + f"{metric.name.capitalize()} of {whose}",
        x=style.balanced(f"α along {first['direction_a']} ({first['unit_a']})", 48),
        y=style.balanced(f"β along {first['direction_b']} ({first['unit_b']})", 42),
    )
    axes.grid(visible=False)
    _contours(axes, alpha, beta, values, metric)
    axes.plot([0.0], [0.0], "P", color="white", markeredgecolor=style.INK, markersize=9, zorder=5)
    # Where the markers stand is said once a picture: the plus is θ in every panel.
    axes.annotate(
        "the model",
        (0.0, 0.0),
        xytext=(8, 6),
        textcoords="offset points",
        fontsize=style.SMALL,
        color=style.INK,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        zorder=6,
    )


def _contours(
    axes: Axes, alpha: NDArray[np.float64], beta: NDArray[np.float64], values: NDArray[np.float64], metric: Metric
) -> None:
    figure: Any = axes.get_figure(root=True)
    known = np.where(np.isfinite(values), values, np.nan)
    # Cells of one colour show a plateau as it is; a filled contour would draw slopes where there are steps.
    good_is_dark = "viridis_r" if metric.name == "loss" else "viridis"
    norm = _log_norm(known) if metric.name == "loss" else None
    drawn = axes.pcolormesh(alpha, beta, known, shading="nearest", cmap=good_is_dark, norm=norm, rasterized=True)
    bar = figure.colorbar(drawn, ax=axes, label=f"{metric.name} [{metric.unit}]")
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.ax.yaxis.label.set_size(style.NORMAL)
    low, high = np.nanmin(known), np.nanmax(known)
    if low < high:
        levels = np.geomspace(low, high, _LINES + 2)[1:-1] if norm else np.linspace(low, high, _LINES + 2)[1:-1]
        axes.contour(alpha, beta, known, levels=levels, colors="white", linewidths=0.8, alpha=0.8)
    if norm is not None:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        bar.ax.yaxis.set_major_locator(FixedLocator(style.log_ticks(float(low), float(high)).tolist()))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.number(value)))
        bar.ax.yaxis.set_minor_locator(NullLocator())


def _log_norm(values: NDArray[np.float64]) -> Any:
    """Return a logarithmic scale, by which the valley's floor shows beside its high walls; None if a loss is 0."""
    from matplotlib.colors import LogNorm

    low, high = np.nanmin(values), np.nanmax(values)
    return LogNorm(low, high) if 0 < low < high else None
