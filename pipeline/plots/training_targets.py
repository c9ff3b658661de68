"""What each training batch size took to a target of the loss and of the accuracy: steps, examples, seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.chosen import main_metrics
from ..report import words
from . import names, style, sweep_cells
from .sweep_cells import Group, groups_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = tuple(main_metrics().values())
# By unit: the label of the axis, the formatter of its ticks, and the power of b with which the number falls if b rows
# always do b times the work of one.
_UNITS: dict[str, tuple[str, Callable[[float], str], int]] = {
    "steps": ("steps to the target", words.number, -1),
    "examples": ("examples to the target [rows]", words.number, 0),
    "seconds": ("training time to the target", words.duration, 0),
}


def draw(cells: pd.DataFrame, budget: str) -> Figure:
    """Draw steps, examples and seconds to the target of either metric against the training batch size, log-log.

    A size that did not reach its target is drawn hollow, with an arrow, at what it spent: it would need more.

    Parameters
    ----------
    cells : DataFrame
        As `pipeline.study.base.Study.compare` is given them.
    budget : str
        What every size and learning rate was given, in words.
    """
    groups = groups_of(cells, cells)
    figure, axes = style.new_figure(names.titled(names.subject(cells), _title(cells)), rows=3, height=11.0)
    for i, unit in enumerate(_UNITS):
        for panel, metric in zip(axes[i], _METRICS, strict=True):
            _panel(panel, groups, metric, unit, cells)
    style.legend(figure, _handles(groups, cells, budget))
    return figure


def _title(cells: pd.DataFrame) -> str:
    """The batch sizes with the fewest steps and the fewest examples to the target of the first metric that has any."""
    reached = (metric for metric in _METRICS if np.isfinite(_to_target(cells, metric, "steps")).any())
    metric = next(reached, _METRICS[0])
    steps, examples = _to_target(cells, metric, "steps"), _to_target(cells, metric, "examples")
    if not np.isfinite(steps).any():
        return "No batch size reached a target within its budget"
    sizes = cells["batch_size"].to_numpy()
    fewest_steps, fewest_examples = sizes[steps.argmin()], sizes[examples.argmin()]
    if fewest_steps == fewest_examples:
        fewest = f"fewest steps ({steps.min():,.0f}) and examples"
        return f"Target of the {metric.words}: {fewest} with b = {fewest_steps:,}"
    return (
        f"Target of the {metric.words}: fewest steps with b = {fewest_steps:,} ({steps.min():,.0f}), "
        f"fewest examples with b = {fewest_examples:,} ({examples.min():,.0f})"
    )


def _panel(axes: Axes, groups: list[Group], metric: Metric, unit: str, cells: pd.DataFrame) -> None:
    label, form, power = _UNITS[unit]
    style.batch_size_axis(axes, cells["batch_size"].to_numpy())
    # The title stands above the first panel of a column only.
    title = _panel_title(metric, cells) if unit == "steps" else ""
    style.name_panel(axes, title=title, x="training batch size b [rows a step]", y=label)
    taken, spent = _to_target(cells, metric, unit), cells[f"budget/{unit}"].to_numpy(dtype=np.float64)
    drawn = np.where(np.isfinite(taken), taken, spent)
    style.log_axis(axes.yaxis, drawn, form, at_most=6)
    for group in groups:
        own = _to_target(group.cells, metric, unit)
        seen = np.isfinite(own) & (own > 0)
        sweep_cells.plot_points(axes, group, group.sizes[seen], own[seen], linewidth=1.6)
        _ideal(axes, group, seen, own, power)
        _not_reached(axes, group, unit, np.isinf(own))
    if (taken == 0).any():
        style.note(axes, ["Reached before the first step, not drawn: the target asks for nothing"])


def _panel_title(metric: Metric, cells: pd.DataFrame) -> str:
    targets = metric.of(cells, "target")
    return f"{metric.title} {words.span(targets, lambda x: f'{x:.4g}')} {metric.unit} on the test split"


def _ideal(axes: Axes, group: Group, seen: NDArray[np.bool_], taken: NDArray[np.float64], power: int) -> None:
    """Draw how it would go on from the smallest size if no row's work were wasted; there is no such line of time."""
    if seen.sum() < 2 or _UNITS["seconds"][0] in axes.get_ylabel():
        return
    sizes = group.sizes[seen].astype(np.float64)
    start = taken[seen][0]
    axes.plot(sizes, start * (sizes / sizes[0]) ** power, color=group.colour, linestyle=":", linewidth=1.4, zorder=2)


def _not_reached(axes: Axes, group: Group, unit: str, missed: NDArray[np.bool_]) -> None:
    spent = group.cells[f"budget/{unit}"].to_numpy(dtype=np.float64)
    for size, least in zip(group.sizes[missed].tolist(), spent[missed].tolist(), strict=True):
        axes.plot([size], [least], marker=group.marker, color=group.colour, markerfacecolor="white", markersize=6.5)
        axes.annotate(
            "",
            (size, least),
            xytext=(0, 16),
            textcoords="offset points",
            arrowprops={"arrowstyle": "<-", "color": group.colour, "linewidth": 1.4},
            annotation_clip=False,
        )


def _to_target(cells: pd.DataFrame, metric: Metric, unit: str) -> NDArray[np.float64]:
    return cells[f"{metric.column}/{unit}_to_target"].to_numpy(dtype=np.float64)


def _handles(groups: list[Group], cells: pd.DataFrame, budget: str) -> list[object]:
    from matplotlib.lines import Line2D

    colour = style.QUIET if len(groups) > 1 else groups[0].colour
    handles = [
        *sweep_cells.group_handles(groups),
        Line2D([], [], marker="o", color=colour, linewidth=1.6, label="first evaluation at the target"),
        Line2D(
            [], [], color=colour, linestyle=":", linewidth=1.6, label="if b rows always did b times the work of one"
        ),
    ]
    if any(np.isinf(_to_target(cells, metric, "steps")).any() for metric in _METRICS):
        label = f"↑ not reached within {budget}: more is needed"
        handles.append(Line2D([], [], marker="o", color=colour, linestyle="", markerfacecolor="white", label=label))
    return handles
