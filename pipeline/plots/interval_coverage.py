"""What each interval really holds, against batch size; those that keep their promise lie on the line or above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style
from pipeline.plots.frames import listed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS = ("loss", "accuracy")
PANEL_HEIGHT = 5.0
# Per cent added to the misses before their logarithm is taken, so that none at all has a place on the axis.
_NEAR_NONE = 0.3
# The most telling first: others give way to them.
_TICKS = (95, 100, 90, 99, 80, 98, 60, 0, 40, 70, 20)


@dataclass(frozen=True, eq=False)
class Curve:
    """One interval in one panel.

    Attributes
    ----------
    name : str
        The interval's.
    rows : DataFrame
        By batch size, ascending; of ``coverage.csv``.
    place : int
        Of how many curves before it in the panel.
    look : dict
        Colour, marker and line for matplotlib.
    """

    name: str
    rows: pd.DataFrame
    place: int
    look: dict[str, Any]


def draw(frame: pd.DataFrame, metrics: Sequence[str] = METRICS, *, unit: str = "row") -> Figure:
    """Draw the share held with its own 95 % range, a panel a metric (and a row of panels a group).

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
    drawn = frame[np.isfinite(frame["width_median"])]
    least = 100 * float((drawn if len(drawn) else frame)["coverage_low"].min())
    for (name, own), panels in zip(groups, axes, strict=True):
        for panel, metric in zip(panels, metrics, strict=True):
            curves = curves_of(own, metric)
            style.batch_size_axis(panel, frame["batch_size"].to_numpy())
            style.name_panel(
                panel,
                title="\n".join(filter(None, [str(name), metric.capitalize()])),
                x=f"batch size b [{unit}s]",
                y="intervals that hold the value of all rows\n[% of draws, stretched near 100]",
            )
            if not curves:
                style.empty(panel, f"No interval for the {metric} goes with this design.")
                continue
            _set_scale(panel, least)
            panel.axhline(
                100 * float(own["confidence"].iloc[0]), color=style.INK, linewidth=1.3, dashes=(5, 2), zorder=1
            )
            for curve in curves:
                _draw_curve(panel, curve, len(curves))
            name_curves(panel, curves, gaps(curves, ("has no end",)))
    style.legend(figure, _handles(frame))
    return figure


def curves_of(own: pd.DataFrame, metric: str) -> list[Curve]:
    """Return a metric's intervals with looks of their own; one that both metrics have looks alike in both."""
    by_metric = {m: list(dict.fromkeys(own.loc[own["metric"] == m, "interval"])) for m in METRICS}
    shared = [name for name in by_metric["loss"] if name in by_metric["accuracy"]]
    names = shared + [name for name in by_metric[metric] if name not in shared]
    curves = []
    for place, name in enumerate(by_metric[metric]):
        i = names.index(name)
        rows = own[(own["metric"] == metric) & (own["interval"] == name)].sort_values("batch_size")
        is_second = i >= len(style.COLOURS)
        colour = style.COLOURS[i % len(style.COLOURS)]
        look = {
            "color": colour,
            "marker": style.MARKERS[(i + is_second) % len(style.MARKERS)],
            "markerfacecolor": "none" if is_second else colour,
            "linestyle": (0, (4, 2)) if is_second else "-",
            "linewidth": 2.8 if rows["is_configured"].any() else 1.2,
            "markersize": 5.5,
            "markeredgewidth": 1.4,
        }
        curves.append(Curve(name, rows, place, look))
    return curves


def name_curves(axes: Axes, curves: list[Curve], gaps: Sequence[str] = ()) -> None:
    """Name a panel's curves below it, and say what is not drawn."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=curve.name, **curve.look) for curve in curves]
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncols=3,
        fontsize=style.SMALL,
        frameon=False,
        columnspacing=1.2,
        handlelength=2.4,
        title="\n".join(style.balanced(line, 60) for line in gaps),
        title_fontsize=style.SMALL,
    )


def gaps(curves: list[Curve], which: Sequence[str]) -> list[str]:
    """Say at which sizes curves are not drawn, since the median interval ``has no end`` or ``has no width``."""
    lines: dict[str, list[str]] = {}
    for curve in curves:
        width = curve.rows["width_median"].to_numpy(dtype=np.float64)
        sizes = curve.rows["batch_size"].to_numpy()
        for gone, what in ((np.isinf(width), "has no end"), (width == 0, "has no width")):
            if gone.any() and what in which:
                lines.setdefault(f"{what} at b = {listed(sizes[gone])}", []).append(curve.name)
    return [f"Not drawn: {', '.join(names)} {why}" for why, names in lines.items()]


def _draw_curve(axes: Axes, curve: Curve, n: int) -> None:
    # An interval without an end holds everything: that is no point on its curve.
    rows = curve.rows[np.isfinite(curve.rows["width_median"].to_numpy())]
    # Curves stand side by side, or their bars would hide each other.
    x = rows["batch_size"].to_numpy() * (1 + 0.35 / n) ** (curve.place - (n - 1) / 2)
    value, low, high = (100 * rows[f"coverage{end}"].to_numpy() for end in ("", "_low", "_high"))
    axes.vlines(x, low, high, color=curve.look["color"], linewidth=1.2, zorder=2)
    axes.plot(x, value, zorder=3, **curve.look)


def _set_scale(axes: Axes, least: float) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    def forward(held: NDArray[np.float64]) -> NDArray[np.float64]:
        return -np.log(np.maximum(100 + _NEAR_NONE - held, 1e-9))

    def inverse(place: NDArray[np.float64]) -> NDArray[np.float64]:
        return 100 + _NEAR_NONE - np.exp(-place)

    axes.set_yscale("function", functions=(forward, inverse))
    bottom, top = forward(np.array([max(least, 0.0), 100.0]))
    ticks: list[float] = []
    for tick in _TICKS:
        place = forward(np.array([tick, *ticks]))
        # Labels nearer than that would touch.
        if tick >= least - 5 and (np.abs(place[1:] - place[0]) > 0.055 * (top - bottom)).all():
            ticks.append(tick)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{tick}" for tick in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(*inverse(np.array([bottom - 0.06 * (top - bottom), top + 0.06 * (top - bottom)])))


def _title(frame: pd.DataFrame) -> str:
    low = frame[frame["coverage_high"] < frame["confidence"]]
    nominal = style.span(100 * frame["confidence"].to_numpy(), style.number)
    if not len(low):
        return f"Every interval holds the {nominal} % that it promises"
    worst = low.iloc[int(low["coverage"].argmin())]
    return (
        f"Not every {nominal} % interval holds {nominal} %: {worst['interval']} ({worst['metric']}) holds "
        f"{100 * worst['coverage']:.0f} % at b = {worst['batch_size']:,}"
    )


def _handles(frame: pd.DataFrame) -> list[object]:
    from matplotlib.lines import Line2D

    nominal = style.span(100 * frame["confidence"].to_numpy(), style.number)
    draws = style.span(frame["draws"].to_numpy(), style.number)
    return [
        Line2D([], [], color=style.INK, linewidth=1.3, dashes=(5, 2), label=f"promised: {nominal} %"),
        Line2D([], [], marker="|", linestyle="", color=style.QUIET, markersize=11, markeredgewidth=1.4,
               label=f"95 % range of the share, from {draws} draws"),
        Line2D([], [], color=style.QUIET, linewidth=2.8, label="thick: as configured"),
    ]  # fmt: skip
