"""How the interval shrank while rows were evaluated, and where it was narrow enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.plots import style
from pipeline.plots.frames import METRICS, Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pipeline.study.until import Look


def draw(looks: Sequence[Look], within: Mapping[str, float], *, confidence: float) -> Figure:
    """Draw estimate and interval of both metrics against the rows drawn, and what was asked.

    Parameters
    ----------
    looks : sequence of Look
        In order; at least one.
    within : mapping of str to float
        Half the width that was asked, by metric.
    confidence : float
        Of the intervals, in (0, 1).
    """
    n = looks[-1].n
    title = f"The intervals shrank while rows were evaluated, until {style.counted(n, 'draw')}"
    figure, axes = style.new_figure(title, height=5.0)
    for panel, metric in zip(axes[0], METRICS, strict=True):
        _panel(panel, looks, metric, within.get(metric.name))
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=style.COLOURS[0], marker="o", markersize=4, label="estimate"),
        Patch(color=style.COLOURS[0], alpha=0.2, label=f"holds at every look at once, {100 * confidence:g} %"),
        Line2D([], [], color=style.COLOURS[1], linestyle="--", label="width asked, around the last estimate"),
    ]
    style.legend(figure, handles)
    return figure


def _panel(axes: Axes, looks: Sequence[Look], metric: Metric, within: float | None) -> None:
    name, scale = metric.name, metric.factor
    n = np.array([look.n for look in looks])
    value = scale * np.array([look.value[name] for look in looks])
    low = scale * np.array([look.low[name] for look in looks])
    high = scale * np.array([look.high[name] for look in looks])
    style.batch_size_axis(axes, n)
    style.name_panel(axes, title=_title(looks[-1], metric), x="drawn so far", y=f"{name} [{metric.unit}]")
    axes.fill_between(n, low, high, color=style.COLOURS[0], alpha=0.2, linewidth=0)
    axes.plot(n, value, color=style.COLOURS[0], marker="o", markersize=3.5, linewidth=1.5)
    if within is not None:
        for end in (value[-1] - scale * within, value[-1] + scale * within):
            axes.axhline(end, color=style.COLOURS[1], linestyle="--", linewidth=1.2)
    else:
        style.note(axes, ["Nothing was asked of this metric"])
    if len(n) == 1:
        axes.errorbar(n, value, [value - low, high - value], color=style.COLOURS[0])


def _title(last: Look, metric: Metric) -> str:
    value, half = metric.factor * last.value[metric.name], metric.factor * last.half_width(metric.name)
    digits = max(0, 1 - math.floor(math.log10(half))) if half > 0 else 4
    return f"{metric.name.capitalize()}: {value:.{digits}f} ± {half:.{digits}f} {metric.unit}"
