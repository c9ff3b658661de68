"""What each batch size buys: the error against the time of one batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..report import words
from ..report.words import in_words
from . import style
from .point_labels import label_points, lay_out
from .sweep_cells import Group, Sweep, error_gaps, familiar_size, group_handles, missing, plot_points

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = (4, 3)
_ENDS = ("_low", "_high")


def draw(cells: pd.DataFrame, draws: pd.DataFrame) -> Figure:
    """Draw the root mean square error against the time a batch takes, log-log, each point with its batch size.

    Parameters
    ----------
    cells, draws : DataFrame
        As :class:`pipeline.cell.comparison.Comparison` has them.
    """
    sweep = Sweep(cells, draws)
    figure, panels = sweep.panels(_title(cells, sweep.groups, sweep.metrics))
    labels = [_panel(axes, sweep, metric) for axes, metric in panels]
    style.legend(figure, _handles(sweep.groups))
    lay_out(figure)
    uprights = [seconds for seconds, _ in _all_rows(sweep.groups)]
    for (axes, _), points in zip(panels, labels, strict=True):
        label_points(axes, points, uprights=uprights)
    return figure


def _title(cells: pd.DataFrame, groups: list[Group], metrics: list[Metric]) -> str:
    size = familiar_size(cells)
    own = cells[cells["batch_size"] == size]
    batch, everything = _seconds(own, "batch"), _seconds(own, "all")
    errors = [metric.error(own) for metric in metrics]
    if not all(np.isfinite(values).all() for values in (batch, everything, *errors)):
        return "What each batch size buys: error against time"
    spans = [words.span(values) for values in errors]
    is_plain = all(metric.column in MAIN for metric in metrics)
    off = in_words(
        [f"{span} {m.short_unit}" if is_plain else m.amount(span) for m, span in zip(metrics, spans, strict=True)]
    )
    times = (
        f"A batch of {words.counted(size, 'row')} takes {words.span(batch, words.duration)}, all rows "
        f"{words.span(everything, words.duration)}"
    )
    same = same_time(groups)
    if same is not None:
        times = f"Batches of {same[0]:,} to {same[1]:,} rows take the same time, as far as it was measured"
    return f"{times};\n{f'one of {size:,}' if same else 'the batch'} is off by {off}"


def same_time(groups: list[Group]) -> tuple[int, int] | None:
    """Return the smallest batch size and the largest whose time does not differ from its by more than was measured.

    A larger batch does not take less time; where one was measured to, that is the measurement's own error. So a size
    is told apart from the smallest only if the calls of it and of all larger ones were slower. Of several groups the
    size holds for each. None where the next size already is told apart, or where no spread is known.
    """
    ends = []
    for group in groups:
        low, high = (_seconds(group.cells, f"batch{end}") for end in _ENDS)
        known = np.isfinite(low) & np.isfinite(high)
        if not known.any():
            return None
        sizes = group.sizes[known]
        ends.append((int(sizes[0]), int(sizes[low[known] <= high[known][0]].max())))
    least, most = max(first for first, _ in ends), min(last for _, last in ends)
    return (least, most) if most > least else None


def _seconds(cells: pd.DataFrame, what: str) -> NDArray[np.float64]:
    name = f"seconds/{what}"
    return cells[name].to_numpy(dtype=np.float64) if name in cells else np.full(len(cells), np.nan)


def _panel(axes: Axes, sweep: Sweep, metric: Metric) -> list[tuple[float, float, str]]:
    """Draw a panel and return what is to be written beside its points."""
    cells = sweep.cells
    seconds, values = _seconds(cells, "batch"), metric.error(cells)
    times = np.concatenate([seconds, _seconds(cells, "all"), *(_seconds(cells, f"batch{end}") for end in _ENDS)])
    times = times[np.isfinite(times) & (times > 0)]
    unit, unit_name = words.time_unit(float(np.median(seconds[seconds > 0])) if (seconds > 0).any() else 1.0)
    style.name_panel(
        axes,
        title=f"{metric.title} (numbers: batch size)",
        x=f"time of one batch [{unit_name}]",
        y=metric.error_label,
    )
    seen = np.isfinite(values) & (values > 0) & np.isfinite(seconds) & (seconds > 0)
    if not seen.any():
        why = "No batch has both an error above 0 and a time: there is nothing to weigh."
        style.empty(axes, missing(metric, cells) or why)
        return []
    # Space on the right for the label of the largest batch.
    widest = times.max() * (times.max() / times.min()) ** 0.1
    style.log_axis(axes.xaxis, [*times, widest], lambda tick: words.number(tick / unit), at_most=6)
    style.log_axis(axes.yaxis, values[seen], words.number)
    labels: list[tuple[float, float, str]] = []
    for group in sweep.groups:
        labels += _points(axes, group, metric)
    _mark_same(axes, sweep.groups)
    for value, colour in _all_rows(sweep.groups):
        axes.axvline(value, color=colour, linewidth=1.4, dashes=_DASHES, zorder=1)
    sweep.note_gaps(axes, metric, lambda group: _gaps(group, metric))
    return labels


def _points(axes: Axes, group: Group, metric: Metric) -> list[tuple[float, float, str]]:
    """Draw a group's points, not joined: a line through measured times would look like a law."""
    x, y = _seconds(group.cells, "batch"), metric.error(group.cells)
    low, high = (_seconds(group.cells, f"batch{end}") for end in _ENDS)
    seen = np.isfinite(y) & (y > 0) & np.isfinite(x) & (x > 0)
    axes.hlines(y[seen], low[seen], high[seen], color=group.colour, linewidth=2.0, alpha=0.5, zorder=2)
    plot_points(axes, group, x[seen], y[seen])
    named = [(float(s), float(e), f"{b:,}") for s, e, b in zip(x[seen], y[seen], group.sizes[seen], strict=True)]
    # The labels of the first and the last size are placed before the others.
    return named[-1:] + named[:-1]


def _mark_same(axes: Axes, groups: list[Group]) -> None:
    """Shade the times that do not tell batch sizes apart; bands of several groups would lie on each other."""
    if len(groups) == 1 and same_time(groups) is not None:
        low, high = (_seconds(groups[0].cells, f"batch{end}") for end in _ENDS)
        slowest = high[np.isfinite(high)][0]
        axes.axvspan(np.nanmin(low), slowest, color=style.BAND, alpha=0.5, linewidth=0, zorder=0)


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


def _gaps(group: Group, metric: Metric) -> list[tuple[str, NDArray[np.bool_]]]:
    untimed = ~(_seconds(group.cells, "batch") > 0)
    return [*error_gaps(metric.error(group.cells)), ("No time taken, not drawn", untimed)]


def _handles(groups: list[Group]) -> list[object]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = group_handles(groups, linestyle="") or [
        Line2D([], [], marker="o", color=groups[0].colour, linestyle="", label="one batch, median of the calls")
    ]
    if any(np.isfinite(_seconds(group.cells, "batch_low")).any() for group in groups):
        colour = groups[0].colour if len(groups) == 1 else style.QUIET
        handles.append(Line2D([], [], color=colour, linewidth=2.0, alpha=0.5, label="its 8 middle calls of 10"))
    same = same_time(groups)
    if same is not None and len(groups) == 1:
        label = f"b = {same[0]:,} to {same[1]:,}: no difference in time measured"
        handles.append(Patch(color=style.BAND, alpha=0.5, label=label))
    everything = _all_rows(groups)
    if everything:
        size = words.span(np.concatenate([group.cells["population_size"].to_numpy() for group in groups]), words.number)
        label = f"all {size} rows: {words.span([seconds for seconds, _ in everything], words.duration)}"
        colour = everything[0][1] if len(everything) == 1 else style.QUIET
        handles.append(Line2D([], [], color=colour, linewidth=1.4, dashes=_DASHES, label=label))
    return handles
