"""Loss and accuracy of batches and of both splits while a network learns, over the examples seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.chosen import main_metrics
from ..report import words
from . import names, style
from .style import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = tuple(main_metrics().values())
# On a logarithmic axis, a window of constant width has a constant ratio of its ends.
_WINDOW = 1.25
# The running mean takes in at least so many rows, since the accuracy of a single row is 0 or 100 %.
_LEAST_ROWS = 100
# Percentage points that the stretched axis of accuracy leaves above 100 %.
_ROOM = 0.5
_X = "examples seen [rows]"
_RAW: dict[str, Any] = {"linewidth": 0.6, "alpha": 0.22, "zorder": 1}
_SMOOTH: dict[str, Any] = {"linewidth": 1.8, "zorder": 3}
_TRAIN: dict[str, Any] = {"linewidth": 1.3, "linestyle": (0, (4, 1.5)), "zorder": 2}


def draw(cells: pd.DataFrame, frame: pd.DataFrame, group: str = "", *, beside: pd.DataFrame | None = None) -> Figure:
    """Draw one colour per batch size: above the batches as they came, below both splits.

    Parameters
    ----------
    cells : DataFrame
        Of one group; see `pipeline.experiment.Study.compare`.
    frame : DataFrame
        ``training.parquet`` of these cells, led by ``batch_size``.
    group : str
        Its name, if there are several.
    beside : DataFrame or None
        ``training.parquet`` of all groups: each has a picture of its own, and they are compared, so axes are the same.
    """
    sizes = _shown(cells["batch_size"].to_numpy(dtype=np.int64))
    figure, axes = style.new_figure(_title(cells, group), rows=2, height=8.4)
    shown = frame[frame["batch_size"].isin(sizes)]
    for column, metric in enumerate(_METRICS):
        batches, splits = axes[:, column]
        style.name_panel(batches, title=f"{metric.title} of each batch", x=_X, y=_y(metric))
        style.name_panel(splits, title=f"{metric.title} of both splits", x=_X, y=_y(metric))
        for size, colour in zip(sizes, COLOURS, strict=False):
            own = shown[shown["batch_size"] == size]
            _batches(batches, own, metric, colour)
            _line(splits, own, f"train_{metric.column}", metric, color=colour, **_TRAIN)
            _line(splits, own, f"test_{metric.column}", metric, color=colour, **_SMOOTH)
        for target in np.unique(metric.of(cells, "target")):
            _target(splits, target)
        for panel in (batches, splits):
            _limits(panel, shown if beside is None else beside, metric)
    left_out = len(set(cells["batch_size"])) - len(sizes)
    style.legend(figure, _handles(sizes, left_out))
    return figure


def draw_cell(frame: pd.DataFrame, metrics: Mapping[str, float], about: str) -> Figure:
    """Draw one training: its batches, and both splits, in one panel per metric.

    Parameters
    ----------
    frame : DataFrame
        ``training.parquet``.
    metrics : mapping
        The cell's; for the targets and the learning rate.
    about : str
        Which data, and how many rows a step.
    """
    end = f"{metrics['loss/test']:.3g} nats and {100 * metrics['accuracy/test']:.4g} %"
    title = f"{about}, rate {metrics['train/learning_rate']:g}: {end} on the test split at the end"
    figure, axes = style.new_figure(title, height=5.0)
    for panel, metric in zip(axes[0], _METRICS, strict=True):
        style.name_panel(panel, title=metric.title, x=_X, y=_y(metric))
        _batches(panel, frame, metric, COLOURS[2], alpha=0.3)
        _line(panel, frame, f"train_{metric.column}", metric, color=COLOURS[0], **_TRAIN)
        _line(panel, frame, f"test_{metric.column}", metric, color=COLOURS[1], **_SMOOTH)
        _target(panel, metric.factor * metrics[f"{metric.column}/target"])
        _limits(panel, frame, metric)
    style.legend(figure, _cell_handles())
    return figure


def smoothed(examples: NDArray[Any], values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Mean of the values around each: from 1/1.25 of its number of examples to 1.25 times it, and `reach` at least.

    Parameters
    ----------
    examples : ndarray, shape (n,), ascending and positive
        Where the values were measured.
    values : ndarray of float, shape (n,)
        Finite.
    reach : int
        How many values on either side are taken in at least; near the ends as many as there are on both.
    """
    place = np.arange(len(values))
    least = np.minimum(reach, np.minimum(place, place[::-1]))
    first = np.minimum(np.searchsorted(examples, examples / _WINDOW, side="left"), place - least)
    last = np.maximum(np.searchsorted(examples, examples * _WINDOW, side="right"), place + least + 1)
    total = np.concatenate([[0.0], np.cumsum(values)])
    return (total[last] - total[first]) / (last - first)


def _shown(sizes: NDArray[np.int64]) -> list[int]:
    """At most six sizes, one a colour, evenly taken from all."""
    all_sizes = np.unique(sizes)
    places = np.linspace(0, len(all_sizes) - 1, min(len(all_sizes), len(COLOURS))).round().astype(int)
    return [int(size) for size in all_sizes[places]]


def _title(cells: pd.DataFrame, group: str) -> str:
    best = cells.iloc[int(cells["loss/test"].to_numpy().argmin())]
    end = f"{best['loss/test']:.3g} nats and {100 * best['accuracy/test']:.4g} %"
    title = f"Of all sizes b = {int(best['batch_size']):,} ended with the lowest loss on the test split: {end}"
    about = ", ".join(filter(None, (names.subject(cells), names.group(group))))
    return names.titled(about, title)


def _y(metric: Metric) -> str:
    return f"{metric.label}, stretched towards 100" if metric.is_share else metric.label


def _batches(axes: Axes, frame: pd.DataFrame, metric: Metric, colour: str, **look: Any) -> None:
    """Draw the batches' values faintly, and over them their running mean."""
    known = frame[np.isfinite(frame[f"batch_{metric.column}"])]
    examples = known["examples"].to_numpy()
    values = metric.factor * known[f"batch_{metric.column}"].to_numpy(dtype=np.float64)
    axes.plot(examples, values, color=colour, **_RAW | look)
    rows = (known["examples"] // known["step"]).max() if len(known) else 1
    axes.plot(examples, smoothed(examples, values, max(2, _LEAST_ROWS // (2 * rows))), color=colour, **_SMOOTH)


def _line(axes: Axes, frame: pd.DataFrame, column: str, metric: Metric, **look: Any) -> None:
    known = frame[np.isfinite(frame[column]) & (frame["step"] > 0)]
    axes.plot(known["examples"].to_numpy(), metric.factor * known[column].to_numpy(dtype=np.float64), **look)


def _target(axes: Axes, value: float) -> None:
    axes.axhline(value, color=style.QUIET, linewidth=1.0, linestyle=":", zorder=1.5)


def _limits(axes: Axes, frame: pd.DataFrame, metric: Metric) -> None:
    """Fit the axes to what is evaluated: single batches reach far beyond it."""
    known = frame[frame["step"] > 0]
    style.log_axis(axes.xaxis, known["examples"].to_numpy(), words.number, at_most=6)
    values = known[[f"train_{metric.column}", f"test_{metric.column}"]].to_numpy(dtype=np.float64)
    values = metric.factor * values[np.isfinite(values)]
    if not metric.is_share:
        style.log_axis(axes.yaxis, values, words.number)
    elif len(values):
        _stretch(axes)
        axes.set_ylim(max(0.0, values.min() - 2.0), min(100.05, values.max() + 0.5))


def _stretch(axes: Axes) -> None:
    """Make y logarithmic in the errors, so that 98 % stands as far from 96 % as 80 % from 60 %; 100 % stays finite."""
    from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

    axes.set_yscale("function", functions=(_to_stretched, _from_stretched))
    axes.yaxis.set_major_locator(FixedLocator([0, 50, 80, 90, 95, 98, 99, 100]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _to_stretched(accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    return -np.log10(np.maximum(100 + _ROOM - accuracy, 1e-9))


def _from_stretched(place: NDArray[np.float64]) -> NDArray[np.float64]:
    return 100 + _ROOM - 10.0**-place


def _handles(sizes: list[int], left_out: int) -> list[object]:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, linewidth=3.0, label=f"b = {size:,}")
        for size, colour in zip(sizes, COLOURS, strict=False)
    ]
    if left_out:
        handles.append(Line2D([], [], linestyle="", label=f"({left_out} more sizes not drawn)"))
    return handles + _look_handles(dict.fromkeys(("raw", "smooth", "train", "test"), style.QUIET))


def _cell_handles() -> list[object]:
    return _look_handles({"raw": COLOURS[2], "smooth": COLOURS[2], "train": COLOURS[0], "test": COLOURS[1]})


def _look_handles(colours: Mapping[str, str]) -> list[object]:
    from matplotlib.lines import Line2D

    looks = {
        "raw": (_RAW | {"alpha": 0.5}, "one batch"),
        "smooth": (_SMOOTH, "batches, running mean"),
        "train": (_TRAIN, "train split"),
        "test": (_SMOOTH, "test split"),
    }
    handles: list[object] = [
        Line2D([], [], color=colours[key], label=label, **look) for key, (look, label) in looks.items()
    ]
    return [*handles, Line2D([], [], color=style.QUIET, linewidth=1.0, linestyle=":", label="target")]
