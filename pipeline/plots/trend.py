"""A model over weeks: each file's loss and accuracy with its interval, the reference as a line, the alarm marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..report import words
from . import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..report.series import About, MetricTrend

_FILE, _ALARM = style.COLOURS[0], style.COLOURS[1]
_LONGEST_LABEL = 16
_MANY = 40
# Inches of a panel between its first and its last place, and of a letter of a tick's label.
_INCHES, _LETTER = 4.3, 0.085


def draw(found: Mapping[str, MetricTrend], about: About) -> Figure:
    """Draw each metric over the dates of the files, a panel each.

    Parameters
    ----------
    found : mapping of str to MetricTrend
        By metric; at least one.
    about : About
        The series.
    """
    n = len(about.labels)
    alarms = [own for trend in found.values() if (own := trend.alarm(about.confidence)) is not None]
    first = min((own.at for own in alarms), default=None)
    said = "no change beyond chance" if first is None else f"alarm at {about.labels[first]}"
    title = f"{about.first} to {about.last}, {n} files: {said}"
    figure, axes = style.panel_grid(title, len(found), besides=1.5)
    for panel, trend in zip(axes[0], found.values(), strict=True):
        _panel(panel, trend, about)
    style.legend(figure, _handles(about, has_alarm=bool(alarms)))
    return figure


def _panel(axes: Axes, trend: MetricTrend, about: About) -> None:
    metric = trend.metric
    at = np.asarray(about.days if about.days is not None else range(len(about.labels)), dtype=np.float64)
    value, low, high = (
        metric.factor * np.array([own[place] for own in trend.values], dtype=np.float64) for place in range(3)
    )
    alarm = trend.alarm(about.confidence)
    what = "no change beyond chance" if trend.smallest is not None else "no test"
    if alarm is not None:
        seen_at = "" if alarm.since == alarm.at else f", seen at {about.labels[alarm.at]}"
        what = f"changed since {about.labels[alarm.since]}{seen_at}"
    style.name_panel(
        axes, title=f"{metric.title}: {what}", x="date of the file" if about.days is not None else "file",
        y=metric.label,
    )  # fmt: skip
    if not np.isfinite(value).any():
        style.empty(axes, f"the {metric.words} is infinite in every file")
        return
    _reference(axes, value, low, high, about.reference)
    seen = np.isfinite(value)
    bars = seen & np.isfinite(low) & np.isfinite(high)
    reach = [value[bars] - low[bars], high[bars] - value[bars]]
    # The caps of very many intervals would cover one another.
    is_many = len(at) > _MANY
    axes.errorbar(
        at[bars], value[bars], reach, color=_FILE, linestyle="", elinewidth=0.7 if is_many else 1.4,
        capsize=0 if is_many else 3, zorder=3,
    )  # fmt: skip
    axes.plot(at[seen], value[seen], color=_FILE, marker="o", markersize=3 if is_many else 5, linewidth=0.8, zorder=4)
    if alarm is not None:
        axes.axvline(at[alarm.at], color=_ALARM, linestyle="--", linewidth=1.6, zorder=2)
        axes.plot(at[alarm.at], value[alarm.at], color=_ALARM, marker="o", markersize=9, zorder=5)
    _ticks(axes, at, about.labels)
    if not seen.all():
        style.note(axes, [f"infinite, and not drawn: {words.counted(int((~seen).sum()), 'file')}"])


def _reference(axes: Axes, value: Any, low: Any, high: Any, at: int) -> None:
    if not np.isfinite(value[at]):
        return
    axes.axhline(value[at], color=style.INK, linewidth=1.2, zorder=2)
    if np.isfinite(low[at]) and np.isfinite(high[at]):
        axes.axhspan(low[at], high[at], color=style.BAND, alpha=0.5, linewidth=0, zorder=0)


def _ticks(axes: Axes, at: NDArray[np.float64], labels: list[str]) -> None:
    """Name as many files as there is room for, the last and the first before the others."""
    span = float(at[-1] - at[0]) or 1.0
    names = [words.shortened(label, _LONGEST_LABEL) for label in labels]
    chosen: list[int] = []
    for i in dict.fromkeys([len(at) - 1, 0, *range(len(at))]):
        far = [
            abs(at[i] - at[j]) / span * _INCHES >= _LETTER * (len(names[i]) + len(names[j])) / 2 + 0.2 for j in chosen
        ]
        if all(far):
            chosen.append(i)
    axes.set_xlim(at[0] - 0.06 * span, at[-1] + 0.06 * span)
    axes.set_xticks(at[chosen], [style.plain(names[i]) for i in chosen])
    axes.set_xticks(at, minor=True)


def _handles(about: About, *, has_alarm: bool) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    asked = words.level(about.confidence)
    handles: list[Any] = [
        Line2D([], [], color=style.INK, label=f"the reference, {about.labels[about.reference]}"),
        Patch(color=style.BAND, alpha=0.5, label=f"the reference's {asked} % interval"),
        Line2D([], [], color=_FILE, marker="o", markersize=5, label=f"a file, with its {asked} % interval"),
    ]
    if has_alarm:
        label = "alarm: a change beyond chance, over all looks"
        handles.append(Line2D([], [], color=_ALARM, linestyle="--", marker="o", markersize=8, label=label))
    return handles
