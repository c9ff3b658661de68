"""What an interval's promise costs: its width against that which knowing the population's σ would give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..metric.chosen import MAIN
from ..metric.columns import of_column
from ..report import words
from . import names, style
from .interval_curves import CURVE, REFERENCE, Curve, configured_handle, draw_panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(frame: pd.DataFrame, metrics: Sequence[str] = MAIN, *, unit: str = "row", about: str = "") -> Figure:
    """Draw the median width over the ideal, log-log, in a small panel per interval.

    Parameters
    ----------
    frame : DataFrame
        ``coverage.csv`` of several batch sizes, with the columns ``batch_size`` and ``group``.
    metrics : sequence of str
        A block of panels each.
    unit : str
        What a batch size counts: row or group.
    about : str
        The data and the model.
    """
    # All panels share one scale, so that equal excesses look equal.
    scale = np.append(frame["width_ratio"].to_numpy(dtype=np.float64), 1.0)

    def draw_panel(axes: Axes, curve: Curve) -> None:
        ratios = curve.rows["width_ratio"].to_numpy(dtype=np.float64)
        seen = np.isfinite(ratios) & (ratios > 0)
        if not seen.any():
            style.empty(axes, "It has no width to compare.", width=20)
            return
        style.log_axis(axes.yaxis, scale, words.number, at_most=4)
        axes.axhline(1.0, zorder=1, **REFERENCE)
        axes.plot(curve.rows["batch_size"].to_numpy()[seen], ratios[seen], **CURVE)

    return draw_panels(
        frame,
        names.titled(about, _title(frame)),
        metrics=metrics,
        unit=unit,
        y="median width of the intervals [÷ ideal: ± z standard errors, true σ]",
        draw=draw_panel,
        gone=("no end", "no width"),
        handles=_handles(),
    )


def _title(frame: pd.DataFrame) -> str:
    sizes = np.unique(frame["batch_size"].to_numpy())
    size = int(sizes[np.abs(np.log(sizes / 100)).argmin()])
    at = frame[(frame["batch_size"] == size) & np.isfinite(frame["width_ratio"]) & frame["is_configured"]]
    parts = [
        f"{row['interval']} ({of_column(row['metric']).words}) {row['width_ratio']:.2f}"
        for row in at.to_dict("records")
    ]
    if not parts:
        return "What the promise costs: median width of each interval over the ideal"
    return f"What the promise costs: at b = {size:,} the median width is, over the ideal, {', '.join(parts)}"


def _handles() -> list[object]:
    from matplotlib.lines import Line2D

    return [Line2D([], [], label="ideal: the population's σ known", **REFERENCE), configured_handle()]
