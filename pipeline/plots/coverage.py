"""Whether the intervals keep their promise: how often they hold the value of all rows, against batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style
from pipeline.plots.frames import (
    Group,
    Metric,
    draws_a_size,
    groups_of,
    has,
    in_words,
    listed,
    metrics_in,
    missing,
    unit_of,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FEWEST_TO_JUDGE = 40


def draw(cells: pd.DataFrame, draws: pd.DataFrame) -> Figure:
    """Draw the share of draws whose interval holds the value of all rows, with that share's own uncertainty.

    Parameters
    ----------
    cells, draws : DataFrame
        As :class:`pipeline.comparison.Comparison` has them.
    """
    groups = groups_of(cells, draws)
    metrics = metrics_in(cells)
    figure, axes = style.panel_grid(_title(groups, metrics), len(metrics))
    low = min(_panel(panel, groups, metric, cells) for panel, metric in zip(axes[0], metrics, strict=True))
    for panel in axes[0]:
        if panel.get_yticks().size:
            panel.set_ylim(max(low - 0.06 * (100 - low), -3.0), 100 + 0.04 * (100 - low))
    style.legend(figure, _handles(groups, cells))
    return figure


def share_range(held: NDArray[np.int64], draws: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 95 % interval of the true coverage, given that `held` of `draws` intervals held the value."""
    from scipy.stats import binomtest

    ends = [binomtest(int(k), int(n)).proportion_ci(0.95, method="wilson") for k, n in zip(held, draws, strict=True)]
    return np.array([end.low for end in ends]), np.array([end.high for end in ends])


def _points(group: Group, metric: Metric) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which cells have intervals to judge, and rows of (coverage, low, high), fractions, one a cell."""
    cells = group.cells
    column = f"{metric.name}/coverage"
    coverage = cells[column].to_numpy(dtype=np.float64) if column in cells else np.full(len(cells), np.nan)
    judged = np.isfinite(coverage) & np.isfinite(metric.of(cells, "all")) & ~_without_interval(group, metric)
    n = cells["draws"].to_numpy(dtype=np.int64)
    low, high = share_range(np.rint(np.where(judged, coverage, 0) * n).astype(np.int64), n)
    return judged, np.column_stack([coverage, low, high])


def _without_interval(group: Group, metric: Metric) -> NDArray[np.bool_]:
    """Where every draw's interval is all numbers: it holds any value and promises nothing."""
    shares = _infinite_shares(group, metric)
    return shares == 1


def _infinite_shares(group: Group, metric: Metric) -> NDArray[np.float64]:
    width = (group.draws[f"{metric.name}_high"] - group.draws[f"{metric.name}_low"]).to_numpy(dtype=np.float64)
    sizes = group.draws["batch_size"].to_numpy()
    return np.array([np.mean(np.isinf(width[sizes == b])) if (sizes == b).any() else 0.0 for b in group.sizes])


def _title(groups: list[Group], metrics: list[Metric]) -> str:
    nominal = style.span(np.concatenate([100 * group.cells["confidence"].to_numpy() for group in groups]), style.number)
    parts = []
    for metric in metrics:
        seen = np.concatenate([points[judged, 0] for judged, points in (_points(g, metric) for g in groups)])
        if len(seen):
            parts.append(f"the {metric.words} {style.span(100 * seen, _percent)} %")
    if any(group.cells["draws"].min() < _FEWEST_TO_JUDGE for group in groups):
        return f"Too few draws to judge how often the {nominal} % intervals hold the value of all rows"
    if not parts:
        return f"How often the {nominal} % intervals hold the value of all rows is not known"
    if len(parts) > 2:
        return f"The {nominal} % intervals hold {in_words(parts)} of the time"
    return f"The {nominal} % intervals hold {' of the time, '.join(parts)}" + " of the time" * (len(parts) == 1)


def _percent(value: float) -> str:
    return style.number(round(value, 1) if value > 99 else round(value))


def _panel(axes: Axes, groups: list[Group], metric: Metric, cells: pd.DataFrame) -> float:
    """Draw a panel and return the least percentage in it."""
    style.batch_size_axis(axes, cells["batch_size"].to_numpy())
    style.name_panel(
        axes,
        title=_message(groups, metric),
        x=f"batch size b [{unit_of(cells)}]",
        y=f"intervals that hold the {metric.words}\nof all rows [% of draws]",
    )
    least = 100 * float(cells["confidence"].min())
    if not any(_points(group, metric)[0].any() for group in groups):
        style.empty(axes, missing(metric, cells) or "No batch gives an interval of finite width.")
        return least
    for i, level in enumerate(sorted(set(cells["confidence"]))):
        axes.axhline(100 * level, color=style.INK, linewidth=1.3, dashes=(5, 2 + i), zorder=1)
    for i, group in enumerate(groups):
        judged, points = _points(group, metric)
        # Groups stand side by side, or their bars would hide each other.
        x = group.sizes[judged] * (1.0 + 0.12 / len(groups)) ** (i - (len(groups) - 1) / 2)
        value, low, high = 100 * points[judged].T
        axes.vlines(x, low, high, color=group.colour, linewidth=1.6, zorder=2)
        style.plot_points(axes, group, x, value, linewidth=1.0)
        least = min([least, *low])
    style.note(axes, _gaps(groups, metric))
    return least


def _message(groups: list[Group], metric: Metric) -> str:
    """Say at which sizes the interval certainly falls short, and the worst."""
    short: list[tuple[float, int]] = []
    n_judged = 0
    for group in groups:
        judged, points = _points(group, metric)
        n_judged += int(judged.sum())
        nominal = group.cells["confidence"].to_numpy(dtype=np.float64)
        fails = judged & (points[:, 2] < nominal)
        short += [(float(points[i, 0]), int(group.sizes[i])) for i in np.flatnonzero(fails)]
    name = metric.title
    if not n_judged:
        return name
    if not short:
        return f"{name}: nowhere too low"
    _, size = min(short)
    what = "sizes" if len(groups) == 1 else "points"
    return f"{name}: too low at {len(short)} of {n_judged} {what}, worst at b = {size:,}"


def _gaps(groups: list[Group], metric: Metric) -> list[str]:
    lines = []
    for group in groups:
        if not has(metric, group.cells):
            lines.append(f"No {metric.words}: {group.name}")
            continue
        whose = f" ({group.name})" if len(groups) > 1 else ""
        shares, finite = _infinite_shares(group, metric), np.isfinite(metric.of(group.cells, "all"))
        if (shares == 1).any():
            sizes = group.sizes[shares == 1]
            why = "one row gives" if list(sizes) == [1] else "these batches give"
            lines.append(f"Not drawn: b = {listed(sizes)}, {why} no interval for the {metric.words}")
        some = (shares > 0) & (shares < 1) & finite
        if some.any():
            lines.append(f"Some draws give no interval (counted as held): b = {listed(group.sizes[some])}{whose}")
        if not finite.all():
            lines.append(f"Not drawn: {metric.words} of all rows not finite or not known{whose}")
    return list(dict.fromkeys(lines))


def _handles(groups: list[Group], cells: pd.DataFrame) -> list[object]:
    from matplotlib.lines import Line2D

    colour = style.QUIET if len(groups) > 1 else groups[0].colour
    nominal = style.span(100 * cells["confidence"].to_numpy(), style.number)
    return [
        *style.group_handles(groups),
        Line2D([], [], color=style.INK, linewidth=1.3, dashes=(5, 2), label=f"promised: {nominal} %"),
        Line2D([], [], marker="o", linestyle="", color=colour, label=f"measured: {draws_a_size(cells)}"),
        Line2D(
            [], [], marker="|", linestyle="", color=colour, markersize=11, markeredgewidth=1.6, label="its 95 % range"
        ),
    ]
