"""Loss beside accuracy over the plane of two directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.chosen import main_metrics
from ..report import words
from . import names, style
from .landscape import Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = tuple(main_metrics().values())
_MOST_PANELS = 3
_LINES = 9


def draw(panels: Sequence[Panel], about: str = "") -> Figure:
    """Draw contours of the loss on the left and of the accuracy on the right: of one batch, and of all rows below.

    Parameters
    ----------
    panels : sequence of Panel
        At least one, whose frames have ``beta, direction_b, unit_b`` too; the first three are drawn.
    about : str
        The data and the model.
    """
    rows = [(panel, curve) for panel in panels[:_MOST_PANELS] for curve in (f"b{panel.main}", "all")]
    rows = [(panel, curve) for panel, curve in rows if len(panel.curve(curve))]
    title = names.titled(about, _title(panels[0]))
    if len(panels) > _MOST_PANELS:
        title += f" (the first {_MOST_PANELS} of {len(panels)})"
    figure, axes = style.new_figure(title, rows=len(rows), height=0.9 + 4.4 * len(rows))
    for column, metric in zip(axes.T, _METRICS, strict=True):
        # One scale a metric, so that equal colours are equal values.
        values = np.concatenate([_values(panel, curve, metric).ravel() for panel, curve in rows])
        for (panel, curve), each in zip(rows, column, strict=True):
            _draw_panel(each, panel, curve, metric, (float(np.nanmin(values)), float(np.nanmax(values))))
    return figure


def _title(panel: Panel) -> str:
    counts = [len(np.unique(panel.curve(f"b{panel.main}")[metric.column])) for metric in _METRICS]
    points = len(panel.curve(f"b{panel.main}"))
    rows = words.counted(panel.main, "row")
    return f"With {rows} the loss takes {counts[0]:,} values at {points:,} points, the accuracy {counts[1]:,}"


def _values(panel: Panel, curve: str, metric: Metric) -> NDArray[np.float64]:
    """The values over the plane, shape (β, α); nan where they are not finite."""
    own = panel.curve(curve)
    values = metric.factor * own[metric.column].to_numpy(dtype=np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    return values.reshape(own["alpha"].nunique(), own["beta"].nunique()).T


def _draw_panel(axes: Axes, panel: Panel, curve: str, metric: Metric, limits: tuple[float, float]) -> None:
    own = panel.curve(curve)
    alpha, beta = np.unique(own["alpha"]), np.unique(own["beta"])
    first = panel.frame.iloc[0]
    rows = int(own["rows"].iloc[0])
    whose = f"all {rows:,} rows" if curve == "all" else f"one batch of {words.counted(rows, 'row')}"
    style.name_panel(
        axes,
        title=f"{names.group(panel.name)}\n".lstrip() + f"{metric.title} of {whose}",
        x=style.balanced(f"α along {first['direction_a']} ({first['unit_a']})", 48),
        y=style.balanced(f"β along {first['direction_b']} ({first['unit_b']})", 42),
    )
    axes.grid(visible=False)
    _contours(axes, (alpha, beta), _values(panel, curve, metric), metric, limits)
    axes.plot([0.0], [0.0], "P", color="white", markeredgecolor=style.INK, markersize=9, zorder=5)
    # The plus marks the model's own parameters.
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
    axes: Axes,
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    known: NDArray[np.float64],
    metric: Metric,
    limits: tuple[float, float],
) -> None:
    figure: Any = axes.get_figure(root=True)
    low, high = limits
    # Cells of uniform colour show plateaus; filled contours would interpolate slopes between them.
    good_is_dark = "viridis_r" if metric.is_better_low else "viridis"
    norm = _norm(low, high, is_log=not metric.is_share)
    drawn = axes.pcolormesh(*sides, known, shading="nearest", cmap=good_is_dark, norm=norm, rasterized=True)
    bar = figure.colorbar(drawn, ax=axes, label=f"{metric.column} [{metric.unit}]")
    bar.ax.tick_params(labelsize=style.SMALL)
    bar.ax.yaxis.label.set_size(style.NORMAL)
    is_log = type(norm).__name__ == "LogNorm"
    if low < high and np.nanmin(known) < np.nanmax(known):
        levels = np.geomspace(low, high, _LINES + 2)[1:-1] if is_log else np.linspace(low, high, _LINES + 2)[1:-1]
        axes.contour(*sides, known, levels=levels, colors="white", linewidths=0.8, alpha=0.8)
    if is_log:
        from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

        bar.ax.yaxis.set_major_locator(FixedLocator(style.log_ticks(low, high).tolist()))
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
        bar.ax.yaxis.set_minor_locator(NullLocator())


def _norm(low: float, high: float, *, is_log: bool) -> Any:
    """Return the scale of colours: logarithmic, to show a valley's floor beside its walls, if no loss is 0."""
    from matplotlib.colors import LogNorm, Normalize

    return LogNorm(low, high) if is_log and 0 < low < high else Normalize(low, high)
