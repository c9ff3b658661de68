"""Whether the intervals keep their promise: how often they hold the value of all rows, against batch size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..report import words
from ..report.words import in_words
from . import style
from .sweep_cells import Group, Sweep, draws_a_size, group_handles, missing, plot_points

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
        As :class:`pipeline.cell.comparison.Comparison` has them.
    """
    sweep = Sweep(cells, draws)
    figure, panels = sweep.panels(_title(sweep.groups, sweep.metrics))
    low = min(_panel(axes, sweep, metric) for axes, metric in panels)
    for axes, _ in panels:
        if axes.get_yticks().size:
            axes.set_ylim(max(low - 0.06 * (100 - low), -3.0), 100 + 0.04 * (100 - low))
    style.legend(figure, _handles(sweep))
    return figure


def share_range(held: NDArray[np.int64], draws: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 95 % interval of the true coverage, given that `held` of `draws` intervals held the value.

    Wilson (1927), as `scipy.stats.binomtest` has it; importing `scipy.stats` takes longer than all pictures of a sweep.
    """
    from scipy.special import ndtri

    share, n = held / draws, draws.astype(np.float64)
    z = ndtri(0.975)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At 0 and 1 the two terms are equal, but for rounding.
    low, high = np.where(held == 0, 0.0, centre - reach), np.where(held == draws, 1.0, centre + reach)
    return low, high


def _points(group: Group, metric: Metric) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which cells have intervals to judge, and rows of (coverage, low, high), fractions, one a cell."""
    cells = group.cells
    column = f"{metric.column}/coverage"
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
    width = (group.draws[f"{metric.column}_high"] - group.draws[f"{metric.column}_low"]).to_numpy(dtype=np.float64)
    sizes = group.draws["batch_size"].to_numpy()
    return np.array([np.mean(np.isinf(width[sizes == b])) if (sizes == b).any() else 0.0 for b in group.sizes])


def _title(groups: list[Group], metrics: list[Metric]) -> str:
    nominal = words.span(np.concatenate([group.cells["confidence"].to_numpy() for group in groups]), words.level)
    parts = []
    for metric in metrics:
        seen = np.concatenate([points[judged, 0] for judged, points in (_points(g, metric) for g in groups)])
        if len(seen):
            parts.append(f"the {metric.words} {words.span(seen, words.percent)} %")
    if any(group.cells["draws"].min() < _FEWEST_TO_JUDGE for group in groups):
        return f"Too few draws to judge how often the {nominal} % intervals hold the value of all rows"
    if not parts:
        return f"How often the {nominal} % intervals hold the value of all rows is not known"
    if len(parts) > 2:
        return f"The {nominal} % intervals hold {in_words(parts)} of the time"
    return f"The {nominal} % intervals hold {' of the time, '.join(parts)}" + " of the time" * (len(parts) == 1)


def _panel(axes: Axes, sweep: Sweep, metric: Metric) -> float:
    """Draw a panel and return the least percentage in it."""
    cells, groups = sweep.cells, sweep.groups
    style.name_panel(
        axes,
        title=_message(groups, metric),
        x=sweep.size_axis(axes),
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
        # Groups are drawn side by side, since their bars would otherwise hide each other.
        x = group.sizes[judged] * (1.0 + 0.12 / len(groups)) ** (i - (len(groups) - 1) / 2)
        value, low, high = 100 * points[judged].T
        axes.vlines(x, low, high, color=group.colour, linewidth=1.6, zorder=2)
        plot_points(axes, group, x, value, linewidth=1.0)
        least = min([least, *low])
    sweep.note_gaps(axes, metric, lambda group: _gaps(group, metric))
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


def _gaps(group: Group, metric: Metric) -> list[tuple[str, NDArray[np.bool_]]]:
    without, known = _infinite_shares(group, metric), np.isfinite(metric.of(group.cells, "all"))
    return [
        ("No interval, not drawn", without == 1),
        ("Some draws give no interval (counted as held)", (without > 0) & (without < 1) & known),
        ("Value of all rows not finite or not known, not drawn", ~known),
    ]


def _handles(sweep: Sweep) -> list[object]:
    from matplotlib.lines import Line2D

    cells = sweep.cells
    nominal = words.span(cells["confidence"].to_numpy(), words.level)
    look: dict[str, Any] = {"linestyle": "", "color": sweep.colour}
    return [
        *group_handles(sweep.groups),
        Line2D([], [], color=style.INK, linewidth=1.3, dashes=(5, 2), label=f"promised: {nominal} %"),
        Line2D([], [], marker="o", label=f"measured: {draws_a_size(cells)}", **look),
        Line2D([], [], marker="|", markersize=11, markeredgewidth=1.6, label="its 95 % range", **look),
    ]
