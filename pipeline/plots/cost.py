"""What each batch size buys: the error against the time of one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style
from pipeline.plots.frames import Group, Metric, familiar_size, groups_of, has, in_words, listed, metrics_in, missing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = (4, 3)


def draw(cells: pd.DataFrame, draws: pd.DataFrame) -> Figure:
    """Draw the root mean square error against the seconds a batch takes, log-log, each point with its batch size.

    Parameters
    ----------
    cells, draws : DataFrame
        As :class:`pipeline.comparison.Comparison` has them.
    """
    groups = groups_of(cells, draws)
    metrics = metrics_in(cells)
    figure, axes = style.panel_grid(_title(cells, metrics), len(metrics))
    labels = [_panel(panel, groups, metric, cells) for panel, metric in zip(axes[0], metrics, strict=True)]
    handles = _handles(groups)
    if handles:
        style.legend(figure, handles)
    style.lay_out(figure)
    for panel, points in zip(axes[0], labels, strict=True):
        style.label_points(panel, points)
    return figure


def _title(cells: pd.DataFrame, metrics: list[Metric]) -> str:
    size = familiar_size(cells)
    own = cells[cells["batch_size"] == size]
    batch, everything = _seconds(own, "batch"), _seconds(own, "all")
    errors = [metric.error(own) for metric in metrics]
    if not all(np.isfinite(values).all() for values in (batch, everything, *errors)):
        return "What each batch size buys: error against time"
    spans = [style.span(values) for values in errors]
    is_plain = all(metric.name in ("loss", "accuracy") for metric in metrics)
    off = in_words(
        [f"{span} {m.short_unit}" if is_plain else m.amount(span) for m, span in zip(metrics, spans, strict=True)]
    )
    return (
        f"A batch of {style.counted(size, 'row')} takes {style.span(batch, style.duration)}, all rows "
        f"{style.span(everything, style.duration)};\nthe batch is off by {off}"
    )


def _seconds(cells: pd.DataFrame, what: str) -> NDArray[np.float64]:
    name = f"seconds/{what}"
    return cells[name].to_numpy(dtype=np.float64) if name in cells else np.full(len(cells), np.nan)


def _panel(axes: Axes, groups: list[Group], metric: Metric, cells: pd.DataFrame) -> list[tuple[float, float, str]]:
    """Draw a panel and return what is to be written beside its points."""
    style.name_panel(
        axes,
        title=f"{metric.title} (numbers: batch size)",
        x="time of one batch",
        y=metric.error_label,
    )
    seconds, values = _seconds(cells, "batch"), metric.error(cells)
    seen = np.isfinite(values) & (values > 0) & np.isfinite(seconds) & (seconds > 0)
    if not seen.any():
        why = "No batch has both an error above 0 and a time: there is nothing to weigh."
        style.empty(axes, missing(metric, cells) or why)
        return []
    times = np.concatenate([seconds, _seconds(cells, "all")])
    times = times[np.isfinite(times) & (times > 0)]
    # Room on the right for the label of the largest batch.
    widest = times.max() * (times.max() / times.min()) ** 0.1
    style.log_axis(axes.xaxis, [*times, widest], style.duration, at_most=6)
    units = dict.fromkeys(text.get_text().split()[-1] for text in axes.get_xticklabels())
    axes.set_xlabel(f"time of one batch [{', '.join(units)}]")
    style.log_axis(axes.yaxis, values[seen], style.number)
    labels: list[tuple[float, float, str]] = []
    for group in groups:
        x, y = _seconds(group.cells, "batch"), metric.error(group.cells)
        seen = np.isfinite(y) & (y > 0) & np.isfinite(x) & (x > 0)
        style.plot_points(axes, group, x[seen], y[seen], linewidth=1.0)
        named = [(float(s), float(e), f"{b:,}") for s, e, b in zip(x[seen], y[seen], group.sizes[seen], strict=True)]
        # The ends are the first to find a place.
        labels += named[-1:] + named[:-1]
    for value, colour in _all_rows(groups):
        axes.axvline(value, color=colour, linewidth=1.4, dashes=_DASHES, zorder=1)
    style.note(axes, _gaps(groups, metric))
    return labels


def _all_rows(groups: list[Group]) -> list[tuple[float, str]]:
    """Seconds and colour of the cost of all rows: one for all groups if they differ by less than a tenth."""
    known = []
    for group in groups:
        seconds = _seconds(group.cells, "all")
        seconds = seconds[np.isfinite(seconds) & (seconds > 0)]
        if len(seconds):
            known.append((float(np.median(seconds)), group.colour))
    values = [seconds for seconds, _ in known]
    if values and max(values) <= 1.1 * min(values):
        return [(float(np.median(values)), style.QUIET)]
    return known


def _gaps(groups: list[Group], metric: Metric) -> list[str]:
    lines = []
    for group in groups:
        if not has(metric, group.cells):
            lines.append(f"No {metric.words}: {group.name}")
            continue
        error, seconds = metric.error(group.cells), _seconds(group.cells, "batch")
        whose = f" ({group.name})" if len(groups) > 1 else ""
        for which, why in (
            (error == 0, "Error 0, not drawn"),
            (~np.isfinite(error), "Error not finite, not drawn"),
            (~(seconds > 0), "No time taken, not drawn"),
        ):
            if which.any():
                lines.append(f"{why}: b = {listed(group.sizes[which])}{whose}")
    return lines


def _handles(groups: list[Group]) -> list[object]:
    from matplotlib.lines import Line2D

    handles = style.group_handles(groups) or [
        Line2D([], [], marker="o", color=groups[0].colour, linewidth=1.0, label="one batch")
    ]
    everything = _all_rows(groups)
    if everything:
        size = style.span(np.concatenate([group.cells["population_size"].to_numpy() for group in groups]), style.number)
        label = f"all {size} rows: {style.span([seconds for seconds, _ in everything], style.duration)}"
        colour = everything[0][1] if len(everything) == 1 else style.QUIET
        handles.append(Line2D([], [], color=colour, linewidth=1.4, dashes=_DASHES, label=label))
    return handles
