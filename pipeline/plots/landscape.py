"""Loss and accuracy while the parameters move along a direction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.chosen import main_metrics
from ..report import words
from . import names, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_METRICS = tuple(main_metrics().values())
_MOST_PANELS = 4
_MOST_SIZES = 4
# A band is drawn up to this many times as wide as the curves reach.
_WIDEST_BAND = 3.0
# A curve that takes up less than this share of the frame looks flat.
_FLAT = 0.25
_ALL: dict[str, Any] = {"color": style.INK, "linewidth": 1.2, "linestyle": (0, (4, 2))}


@dataclass(frozen=True, eq=False)
class Panel:
    """One landscape, drawn as a row of two panels.

    Attributes
    ----------
    name : str
        What tells it from the others, such as ``model.activation=step``; empty where it is alone.
    frame : DataFrame
        ``point, alpha, curve, rows, loss, loss_low, loss_high, accuracy, …, direction_a, unit_a``: a row per point and
        curve, of which ``b100`` is one batch of 100 rows and ``all`` the population.
    main : int
        The batch size that the titles quote.
    band : str
        What ``loss_low`` to ``loss_high`` is, in words.
    """

    name: str
    frame: pd.DataFrame
    main: int
    band: str

    @property
    def is_line(self) -> bool:
        """Whether the points lie along one direction, and not over the plane of two."""
        # If lines and planes are read from one table, a line's column ``beta`` is empty.
        return "beta" not in self.frame or bool(self.frame["beta"].isna().all())

    @property
    def direction(self) -> str:
        """Along what the parameters move, in words."""
        return str(self.frame["direction_a"].iloc[0])

    @property
    def sizes(self) -> list[int]:
        """The batch sizes, rows, ascending; at most four, the main one among them."""
        own = self.frame[self.frame["curve"] != "all"]
        sizes = sorted({int(rows) for rows in own["rows"]})
        spread = {sizes[round(i)] for i in np.linspace(0, len(sizes) - 1, min(_MOST_SIZES, len(sizes)))}
        if self.main not in spread:
            spread.remove(min(spread, key=lambda size: abs(np.log(size / self.main))))
        return sorted(spread | {self.main})

    @property
    def drawn(self) -> list[str]:
        """The names of the curves that are drawn."""
        return [*(f"b{size}" for size in self.sizes), *(["all"] if len(self.curve("all")) else [])]

    def curve(self, name: str) -> pd.DataFrame:
        """Return one curve's rows by point; none if it was not evaluated."""
        return self.frame[self.frame["curve"] == name].sort_values("point", kind="stable")

    def moves(self, metric: Metric) -> tuple[int, int]:
        """Return at how many steps between neighbouring points the main batch's value moves, and of how many."""
        values = self.curve(f"b{self.main}")[metric.column].to_numpy()
        return int(np.count_nonzero(values[1:] != values[:-1])), len(values) - 1


def draw(panels: Sequence[Panel], about: str = "") -> Figure:
    """Draw the loss on the left and the accuracy on the right over α, with a row per landscape.

    Parameters
    ----------
    panels : sequence of Panel
        At least one; the first four are drawn. Those along the same direction share their axes.
    about : str
        The data and the model.
    """
    shown = list(panels)[:_MOST_PANELS]
    title = names.titled(about, _title(shown))
    if len(shown) < len(panels):
        title += f" (the first {len(shown)} of {len(panels)})"
    figure, axes = style.new_figure(title, rows=len(shown), height=1.3 + 4.0 * len(shown))
    sizes = sorted({size for panel in shown for size in panel.sizes})
    colours = {size: style.COLOURS[i % len(style.COLOURS)] for i, size in enumerate(sizes)}
    for panel, pair in zip(shown, axes, strict=True):
        for each, metric in zip(pair, _METRICS, strict=True):
            _draw_panel(each, panel, _View(_alike(panel, shown), metric), colours)
    style.legend(figure, _handles(shown, colours))
    return figure


def still(moved: int, steps: int) -> str:
    """Say at how many steps a metric moves: "moves with every step", "stays the same in 163 of 200 steps"."""
    if moved == steps:
        return "moves with every step"
    return f"stays the same in {steps - moved:,} of {steps:,} steps" if moved else "does not move at all"


def _title(panels: list[Panel]) -> str:
    rows = words.span([panel.main for panel in panels], words.number)
    said = [f"the {metric.words} {_stillness(panels, metric)}" for metric in _METRICS]
    return f"With {rows} row{'s' if rows != '1' else ''} {'; '.join(said)}"


def _stillness(panels: list[Panel], metric: Metric) -> str:
    moves = [panel.moves(metric) for panel in panels]
    steps = {n for _, n in moves}
    phrases = list(dict.fromkeys(still(moved, n) for moved, n in moves))
    if len(phrases) == 1:
        return phrases[0]
    if len(steps) > 1:
        shares = words.span([1 - moved / n for moved, n in moves], words.percent)
        return f"stays the same in {shares} % of the steps"
    counts = [f"{n - moved:,} ({names.group(panel.name)})" for panel, (moved, n) in zip(panels, moves, strict=True)]
    return f"stays the same in {words.in_words(counts)} of {steps.pop():,} steps"


@dataclass(frozen=True, eq=False)
class _View:
    """How one metric is drawn of the landscapes along one direction: with the same axes.

    Where the batches lie so far apart that the main one's curve would be flat in a frame that holds them all, the
    curves are drawn as changes from the model, where all of them are 0.
    """

    panels: list[Panel]
    metric: Metric

    @cached_property
    def is_change(self) -> bool:
        """Whether the curves are drawn as changes from the model."""
        curves = [_drawn(panel.curve(name), self.metric) for panel in self.panels for name in panel.drawn]
        values = np.concatenate(curves)
        if not np.isfinite(values).all() or not np.ptp(values):
            return False
        mains = [_drawn(panel.curve(f"b{panel.main}"), self.metric) for panel in self.panels]
        return bool(min(np.ptp(main) for main in mains) < _FLAT * np.ptp(values))

    @property
    def label(self) -> str:
        """Of the axis."""
        what = f"change of the {self.metric.column}" if self.is_change else self.metric.column
        return f"{what} [{self.metric.short_unit if self.is_change else self.metric.unit}]"

    def values(self, panel: Panel, name: str) -> NDArray[np.float64]:
        """Return a curve as it is drawn."""
        own = panel.curve(name)
        values = _drawn(own, self.metric)
        return values - values[_middle(own)] if self.is_change and len(own) else values

    def ends(self, panel: Panel) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """Return the band of the main size; None where it would press the curves flat or has no end.

        One band alone is drawn, and all of it: several would lie over each other, and a part of one has no meaning.
        """
        own = panel.curve(f"b{panel.main}")
        low, high = _drawn(own, self.metric, "_low"), _drawn(own, self.metric, "_high")
        curves = np.concatenate([self.values(panel, name) for name in panel.drawn])
        curves = curves[np.isfinite(curves)]
        if self.is_change or not (len(curves) and np.isfinite(low).all() and np.isfinite(high).all()):
            return None
        return (low, high) if high.max() - low.min() <= _WIDEST_BAND * np.ptp(curves) else None

    def limits(self) -> tuple[float, float]:
        """Return the limits of y: they hold the curves and the bands that are drawn."""
        bands = [end for panel in self.panels for end in self.ends(panel) or ()]
        known = np.concatenate([*(self.values(panel, name) for panel in self.panels for name in panel.drawn), *bands])
        known = known[np.isfinite(known)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        room = 0.08 * (high - low) or 0.05 * abs(high) or 0.05
        factor, (least, most) = self.metric.factor, self.metric.bounds
        if math.isfinite(most):
            # The frame spans some rows at least, so that the jump of a single row looks small and the ticks are round.
            rows = min(4 * factor / min(panel.main for panel in self.panels), 50.0)
            room = max(room, (rows - (high - low)) / 2)
        if self.is_change:
            return low - room, high + room
        return max(low - room, least - 0.02 * factor), min(high + room, most + 0.02 * factor)


def _alike(panel: Panel, panels: Sequence[Panel]) -> list[Panel]:
    return [other for other in panels if other.direction == panel.direction]


def _draw_panel(axes: Axes, panel: Panel, view: _View, colours: dict[int, str]) -> None:
    about = f"{names.group(panel.name)}\n" if panel.name else ""
    said = still(*panel.moves(view.metric))
    style.name_panel(
        axes,
        title=f"{about}{view.metric.title} of {words.counted(panel.main, 'row')}: {said}",
        x=f"α along {panel.direction}\n({panel.frame['unit_a'].iloc[0]})",
        y=view.label,
    )
    for order, size in enumerate(panel.sizes):
        alpha, values = panel.curve(f"b{size}")["alpha"], view.values(panel, f"b{size}")
        width = 1.8 if size == panel.main else 1.1
        axes.plot(alpha, values, color=colours[size], linewidth=width, zorder=3 + 0.1 * order)
    if len(panel.curve("all")):
        axes.plot(panel.curve("all")["alpha"], view.values(panel, "all"), zorder=4, **_ALL)
    axes.axvline(0.0, color=style.QUIET, linewidth=0.8, linestyle=":", zorder=0)
    axes.margins(x=0.01)
    axes.set_ylim(*view.limits())
    style.note(axes, _band(axes, panel, view, colours[panel.main]))


def _drawn(own: pd.DataFrame, metric: Metric, end: str = "") -> NDArray[np.float64]:
    return metric.factor * own[metric.column + end].to_numpy(dtype=np.float64)


def _middle(own: pd.DataFrame) -> int:
    """The place of the point nearest to the model."""
    return int(own["alpha"].abs().to_numpy().argmin())


def _band(axes: Axes, panel: Panel, view: _View, colour: str) -> list[str]:
    """Shade the main size's band; where it is not drawn, say in words what it is at the model."""
    own, ends = panel.curve(f"b{panel.main}"), view.ends(panel)
    if ends is not None:
        axes.fill_between(own["alpha"].to_numpy(), *ends, color=colour, alpha=0.16, linewidth=0, zorder=1)
        return []
    at = _middle(own)
    around = [float(_drawn(own, view.metric, end)[at]) for end in ("_low", "_high")]
    told = " to ".join(words.significant(end) if math.isfinite(end) else "∞" for end in around).replace("-", "−")
    return [f"{panel.band}, b = {panel.main:,}, at the model: {told} {view.metric.unit} (not drawn: too wide)"]


def _handles(panels: list[Panel], colours: dict[int, str]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=colour, linewidth=2, label=f"batch of {words.counted(size, 'row')}")
        for size, colour in colours.items()
    ]
    if any(len(panel.curve("all")) for panel in panels):
        handles.append(Line2D([], [], label="all rows", **_ALL))
    views = [(panel, _View(_alike(panel, panels), metric)) for panel in panels for metric in _METRICS]
    drawn = [panel for panel, view in views if view.ends(panel) is not None]
    for band, size in dict.fromkeys((panel.band, panel.main) for panel in drawn):
        handles.append(Patch(color=colours[size], alpha=0.16, label=f"{band}, b = {size:,}"))
    return handles
