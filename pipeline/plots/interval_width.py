"""What an interval's promise costs: its width against that which knowing the population's σ would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.plots import style
from pipeline.plots.interval_coverage import METRICS, PANEL_HEIGHT, Curve, curves_of, gaps, name_curves

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(frame: pd.DataFrame, metrics: Sequence[str] = METRICS, *, unit: str = "row") -> Figure:
    """Draw the median width over the ideal, log-log, a panel a metric (and a row of panels a group).

    Parameters
    ----------
    frame : DataFrame
        ``coverage.csv`` of several batch sizes, with the columns ``batch_size`` and ``group``.
    metrics : sequence of str
        A panel each.
    unit : str
        What a batch size counts: row or group.
    """
    groups = list(frame.groupby("group", sort=False))
    figure, axes = style.panel_grid(_title(frame), len(metrics), blocks=len(groups), panel=PANEL_HEIGHT, besides=0.9)
    for (name, own), panels in zip(groups, axes, strict=True):
        for panel, metric in zip(panels, metrics, strict=True):
            curves = curves_of(own, metric)
            style.batch_size_axis(panel, frame["batch_size"].to_numpy())
            style.name_panel(
                panel,
                title="\n".join(filter(None, [str(name), metric.capitalize()])),
                x=f"batch size b [{unit}s]",
                y=f"median width of the {metric}'s intervals\n[÷ ideal: ± z standard errors, true σ]",
            )
            ratios = own.loc[own["metric"] == metric, "width_ratio"].to_numpy(dtype=np.float64)
            if not (np.isfinite(ratios) & (ratios > 0)).any():
                style.empty(panel, f"No interval for the {metric} has a width to compare.")
                continue
            # One scale for all panels, or a small excess in one would look like a large one in the next.
            style.log_axis(panel.yaxis, np.append(frame["width_ratio"].to_numpy(dtype=np.float64), 1.0), style.number)
            panel.axhline(1.0, color=style.INK, linewidth=1.3, dashes=(5, 2), zorder=1)
            for curve in curves:
                _draw_curve(panel, curve)
            name_curves(panel, curves, gaps(curves, ("has no end", "has no width")))
    style.legend(figure, _handles())
    return figure


def _draw_curve(axes: Axes, curve: Curve) -> None:
    ratios = curve.rows["width_ratio"].to_numpy(dtype=np.float64)
    seen = np.isfinite(ratios) & (ratios > 0)
    axes.plot(curve.rows["batch_size"].to_numpy()[seen], ratios[seen], zorder=3, **curve.look)


def _title(frame: pd.DataFrame) -> str:
    sizes = np.unique(frame["batch_size"].to_numpy())
    size = int(sizes[np.abs(np.log(sizes / 100)).argmin()])
    at = frame[(frame["batch_size"] == size) & np.isfinite(frame["width_ratio"]) & frame["is_configured"]]
    parts = [f"{row['interval']} ({row['metric']}) {row['width_ratio']:.2f}" for row in at.to_dict("records")]
    if not parts:
        return "What the promise costs: median width of each interval over the ideal"
    return f"What the promise costs: at b = {size:,} the median width is, over the ideal, {', '.join(parts)}"


def _handles() -> list[object]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=style.INK, linewidth=1.3, dashes=(5, 2), label="ideal: the population's σ known"),
        Line2D([], [], color=style.QUIET, linewidth=2.8, label="thick: as configured"),
    ]
