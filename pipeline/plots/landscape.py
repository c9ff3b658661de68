"""Loss and accuracy while the parameters move along a direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style
from pipeline.plots.frames import METRICS, Metric

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 4
_MOST_SIZES = 4
_ALL: dict[str, Any] = {"color": style.INK, "linewidth": 1.2, "linestyle": (0, (4, 2))}


@dataclass(frozen=True, eq=False)
class Panel:
    """One landscape, drawn as a row of two panels.

    Attributes
    ----------
    name : str
        What tells it from the others, such as ``model.activation=step``; empty where it is alone.
    frame : DataFrame
        ``point, alpha, curve, rows, loss, loss_low, loss_high, accuracy, …, direction_a, unit_a``: a row a point and
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
        # Read together with planes, a line has the column without values.
        return "beta" not in self.frame or bool(self.frame["beta"].isna().all())

    @property
    def sizes(self) -> list[int]:
        """The batch sizes, rows, ascending; at most four, the main one among them."""
        own = self.frame[self.frame["curve"] != "all"]
        sizes = sorted({int(rows) for rows in own["rows"]})
        spread = {sizes[round(i)] for i in np.linspace(0, len(sizes) - 1, min(_MOST_SIZES, len(sizes)))}
        if self.main not in spread:
            spread.remove(min(spread, key=lambda size: abs(np.log(size / self.main))))
        return sorted(spread | {self.main})

    def curve(self, name: str) -> pd.DataFrame:
        """Return one curve's rows by point; none if it was not evaluated."""
        return self.frame[self.frame["curve"] == name].sort_values("point", kind="stable")

    def moves(self, metric: Metric) -> tuple[int, int]:
        """Return at how many steps between neighbouring points the main batch's value moves, and of how many."""
        values = self.curve(f"b{self.main}")[metric.name].to_numpy()
        return int(np.count_nonzero(values[1:] != values[:-1])), len(values) - 1


def draw(panels: Sequence[Panel]) -> Figure:
    """Draw the loss on the left and the accuracy on the right over α, a row a landscape.

    Parameters
    ----------
    panels : sequence of Panel
        At least one; the first four are drawn.
    """
    shown = list(panels)[:_MOST_PANELS]
    title = _title(shown)
    if len(shown) < len(panels):
        title += f" (the first {len(shown)} of {len(panels)})"
    figure, axes = style.new_figure(title, rows=len(shown), height=1.3 + 4.0 * len(shown))
    sizes = sorted({size for panel in shown for size in panel.sizes})
    colours = {size: style.COLOURS[i % len(style.COLOURS)] for i, size in enumerate(sizes)}
    for panel, pair in zip(shown, axes, strict=True):
        for each, metric in zip(pair, METRICS, strict=True):
            _draw_panel(each, panel, metric, colours)
    style.legend(figure, _handles(shown, colours))
    return figure


def _title(panels: list[Panel]) -> str:
    loss, accuracy = METRICS
    told = []
    for panel in panels:
        (seen, steps), (right, _) = panel.moves(loss), panel.moves(accuracy)
        told.append((panel.name.rpartition("=")[2], seen, right, steps))
    if len(told) == 1:
        _, seen, right, steps = told[0]
        rows = style.counted(panels[0].main, "row")
        return f"With {rows} the loss moves at {seen:,} of {steps:,} steps, the accuracy at {right:,}"
    parts = [f"{seen:,} and {right:,} of {steps:,} ({name})" for name, seen, right, steps in told]
    return f"Steps at which loss and accuracy move: {', '.join(parts)}"


def _draw_panel(axes: Axes, panel: Panel, metric: Metric, colours: dict[int, str]) -> None:
    moved, steps = panel.moves(metric)
    values = panel.curve(f"b{panel.main}")[metric.name].to_numpy()
    distinct = style.counted(len(np.unique(values)), "value")
    about = f"{panel.name}\n" if panel.name else ""
    style.name_panel(
        axes,
        title=f"{about}{metric.name.capitalize()}: {distinct}, moves at {moved:,} of {steps:,} steps",
        x=f"α along {panel.frame['direction_a'].iloc[0]}\n({panel.frame['unit_a'].iloc[0]})",
        y=f"{metric.name} [{metric.unit}]",
    )
    lines = [(f"b{size}", colours[size], 1.8 if size == panel.main else 1.1) for size in panel.sizes]
    for order, (curve, colour, width) in enumerate(lines):
        own = panel.curve(curve)
        axes.plot(own["alpha"], _drawn(own, metric), color=colour, linewidth=width, zorder=3 + 0.1 * order)
    everyone = panel.curve("all")
    if len(everyone):
        axes.plot(everyone["alpha"], _drawn(everyone, metric), zorder=4, **_ALL)
    axes.axvline(0.0, color=style.QUIET, linewidth=0.8, linestyle=":", zorder=0)
    axes.margins(x=0.01)
    shown = [_drawn(panel.curve(curve), metric) for curve in [curve for curve, _, _ in lines] + ["all"]]
    _frame_around(axes, np.concatenate(shown), metric, least=4 * metric.factor / panel.main)
    style.note(axes, _bands(axes, panel, metric, colours))


def _drawn(own: pd.DataFrame, metric: Metric, end: str = "") -> NDArray[np.float64]:
    return metric.factor * own[metric.name + end].to_numpy(dtype=np.float64)


def _bands(axes: Axes, panel: Panel, metric: Metric, colours: dict[int, str]) -> list[str]:
    """Shade each size's band; say of those that would fill the whole frame how wide they are at the model."""
    told = []
    bottom, top = axes.get_ylim()
    for order, size in enumerate(panel.sizes):
        own = panel.curve(f"b{size}")
        low, high = _drawn(own, metric, "_low"), _drawn(own, metric, "_high")
        if (low <= bottom).all() and (high >= top).all():
            at = int(own["alpha"].abs().to_numpy().argmin())
            ends = (style.significant(end) if np.isfinite(end) else "∞" for end in (low[at], high[at]))
            told.append(f"{' to '.join(ends)} (b = {size:,})".replace(" ", "\u00a0").replace("-", "−"))
        elif np.isfinite(low).all() and np.isfinite(high).all():
            alpha = own["alpha"].to_numpy()
            axes.fill_between(alpha, low, high, color=colours[size], alpha=0.16, linewidth=0, zorder=1 + 0.1 * order)
    return [f"bands beyond the frame, at the model: {', '.join(told)}"] if told else []


def _frame_around(axes: Axes, values: NDArray[np.float64], metric: Metric, *, least: float) -> None:
    """Frame the curves, not the bands: those of small batches would press the curves flat."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    room = 0.08 * (high - low) or 0.05 * abs(high) or 0.05
    if np.isfinite(metric.bounds).all():
        # Some rows' worth at least, so that a jump of one row looks like one, and the ticks are round.
        room = max(room, (min(least, 50.0) - (high - low)) / 2)
    axes.set_ylim(
        max(low - room, metric.bounds[0] - 0.02 * metric.factor),
        min(high + room, metric.bounds[1] + 0.02 * metric.factor),
    )


def _handles(panels: list[Panel], colours: dict[int, str]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=colour, linewidth=2, label=f"batch of {style.counted(size, 'row')}")
        for size, colour in colours.items()
    ]
    if any(len(panel.curve("all")) for panel in panels):
        handles.append(Line2D([], [], label="all rows", **_ALL))
    handles += [Patch(color=style.BAND, label=band) for band in dict.fromkeys(panel.band for panel in panels)]
    return handles
