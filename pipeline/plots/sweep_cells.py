"""What the plots of a sweep share: its cells split into groups, its metrics, their panels, and what is not drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.columns import in_order
from ..report import words
from ..report.words import in_words, listed
from . import names, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# A common batch size: the titles quote the size of the sweep nearest to it.
_FAMILIAR = 100


def metrics_in(cells: pd.DataFrame) -> list[Metric]:
    """Return the metrics that some cell has a mean of, loss and accuracy first."""
    there = [str(name).removesuffix("/mean") for name in cells if str(name).endswith("/mean")]
    there = [name for name in there if cells[f"{name}/mean"].notna().any()]
    return in_order(there)


def looks_of(metrics: Sequence[Metric]) -> dict[str, tuple[str, str]]:
    """Return the colour and marker of each metric; the loss and the accuracy have the same ones in every figure."""
    further = [metric.column for metric in metrics if metric.column not in MAIN]
    places = {name: place for place, name in enumerate([*MAIN, *further])}
    return {
        metric.column: (
            style.COLOURS[places[metric.column] % len(style.COLOURS)],
            style.MARKERS[places[metric.column] % len(style.MARKERS)],
        )
        for metric in metrics
    }


@dataclass(frozen=True, eq=False)
class Group:
    """The cells that differ in batch size alone, and how they are drawn.

    Attributes
    ----------
    name : str
        In words, such as "with replacement"; empty if there is but one group.
    cells, draws : DataFrame
        By batch size; at least one cell.
    colour, marker : str
        For matplotlib.
    fill : str
        The markers' face: later groups are hollow, so that what lies beneath them shows.
    """

    name: str
    cells: pd.DataFrame
    draws: pd.DataFrame
    colour: str
    marker: str
    fill: str

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The batch sizes, rows, ascending."""
        return self.cells["batch_size"].to_numpy(dtype=np.int64)


def groups_of(cells: pd.DataFrame, draws: pd.DataFrame) -> list[Group]:
    """Split a sweep by its column ``group``, in order of appearance."""
    found = list(cells.groupby("group", sort=False))
    colours = _colours([str(name) for name, _ in found])
    groups = []
    for i, ((name, own), colour) in enumerate(zip(found, colours, strict=True)):
        groups.append(
            Group(
                name=names.group(str(name)),
                cells=own.sort_values("batch_size", kind="stable").drop_duplicates("batch_size", keep="last"),
                draws=draws[draws["group"] == name],
                colour=colour,
                # Six colours by six markers, shifted each round: 36 groups before two look the same.
                marker=style.MARKERS[(i + i // len(style.COLOURS)) % len(style.MARKERS)],
                fill="none" if i else colour,
            )
        )
    return groups


def _colours(groups: Sequence[str]) -> list[str]:
    """Return the designs' own colours where the groups are designs, else colours in turn."""
    designs = [name.removeprefix("sampling=") for name in groups]
    if all(
        name.startswith("sampling=") and design in style.DESIGNS for name, design in zip(groups, designs, strict=True)
    ):
        return [style.DESIGNS[design] for design in designs]
    return [style.COLOURS[i % len(style.COLOURS)] for i in range(len(groups))]


@dataclass(frozen=True, eq=False)
class Sweep:
    """The cells of a sweep over the batch size, as the plots of it read them.

    Attributes
    ----------
    cells, draws : DataFrame
        As :class:`pipeline.cell.comparison.Comparison` has them: a row per cell, and a row per draw.
    """

    cells: pd.DataFrame
    draws: pd.DataFrame

    @cached_property
    def groups(self) -> list[Group]:
        """The cells that differ in batch size alone, in order of appearance."""
        return groups_of(self.cells, self.draws)

    @cached_property
    def metrics(self) -> list[Metric]:
        """The metrics that some cell has a mean of, loss and accuracy first."""
        return metrics_in(self.cells)

    @property
    def colour(self) -> str:
        """The colour of legend entries that hold for all groups."""
        return style.QUIET if len(self.groups) > 1 else self.groups[0].colour

    def panels(self, title: str) -> tuple[Figure, list[tuple[Axes, Metric]]]:
        """Return a figure with a panel for each metric, and the panels beside their metrics."""
        figure, axes = style.panel_grid(names.titled(names.subject(self.cells), title), len(self.metrics))
        return figure, list(zip(axes[0], self.metrics, strict=True))

    def size_axis(self, axes: Axes) -> str:
        """Make x the batch sizes, and return the label that goes with it."""
        style.batch_size_axis(axes, self.cells["batch_size"].to_numpy())
        return f"batch size b [{unit_of(self.cells)}]"

    def note_gaps(
        self, axes: Axes, metric: Metric, gaps: Callable[[Group], Iterable[tuple[str, NDArray[np.bool_]]]]
    ) -> None:
        """Write below a panel which batch sizes are not drawn, and why; what holds for all groups is said once.

        Parameters
        ----------
        axes : Axes
            The panel.
        metric : Metric
            Its metric.
        gaps : callable
            Gives for a group reasons, and where in ``group.sizes`` each holds.
        """
        whose: dict[str, list[str]] = {}
        for group in self.groups:
            if not has(metric, group.cells):
                whose.setdefault(f"No {metric.words}", []).append(group.name)
                continue
            for why, where in gaps(group):
                if where.any():
                    whose.setdefault(f"{why}: b = {listed(group.sizes[where])}", []).append(group.name)
        everyone = len(self.groups)
        style.note(
            axes, [line if len(names) == everyone else f"{line} ({in_words(names)})" for line, names in whose.items()]
        )


def theory(sizes: NDArray[np.int64], se: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the standard error on a fine grid of batch sizes that holds `sizes`.

    Its square is taken as linear in 1/b between the sizes. That is exact for simple random sampling with replacement
    (σ²/b) and without (S²/b - S²/N), the zero at b = N included, where a logarithm would fail.

    Parameters
    ----------
    sizes : ndarray of int, ascending
        Rows.
    se : ndarray of float
        Standard errors there; those that are not finite are passed over.

    Returns
    -------
    grid, error : ndarray of float
        Empty if no standard error is known.
    """
    known = np.isfinite(se)
    if not known.any():
        return np.empty(0), np.empty(0)
    at, variance = sizes[known].astype(np.float64), se[known] ** 2
    ends = (at[0], at[-1]) if len(at) > 1 else (at[0] / 1.4, at[0] * 1.4)
    grid = np.union1d(np.geomspace(*ends, 241), at)
    error = np.sqrt(np.interp(-1 / grid, -1 / at, variance))
    # Squaring and taking the root may round; at the cells the given values are needed exactly.
    error[np.searchsorted(grid, at)] = se[known]
    return grid, error


def unit_of(cells: pd.DataFrame) -> str:
    """Return what a batch size counts: rows, or groups of them."""
    return f"{cells['unit'].iloc[0]}s" if "unit" in cells else "rows"


def familiar_size(cells: pd.DataFrame) -> int:
    """Return the swept batch size nearest, by ratio, to 100 rows."""
    sizes = np.unique(cells["batch_size"].to_numpy(dtype=np.int64))
    return int(sizes[np.abs(np.log(sizes / _FAMILIAR)).argmin()])


def draws_a_size(cells: pd.DataFrame) -> str:
    """Say from how many draws a point was measured."""
    counts = cells["draws"].to_numpy()
    if counts.min() == counts.max():
        return f"{words.counted(counts.max(), 'draw')} a size"
    return f"{words.span(counts, words.number)} draws a size"


def has(metric: Metric, cells: pd.DataFrame) -> bool:
    """Whether some of the cells have the metric at all."""
    return not bool(np.isnan(metric.of(cells, "mean")).all())


def missing(metric: Metric, cells: pd.DataFrame) -> str:
    """Say why a panel that needs the value of all rows has nothing to draw; empty if it has."""
    truth = metric.of(cells, "all")
    if np.isfinite(truth).any():
        return ""
    if np.isinf(truth).any():
        return f"The {metric.words} of all rows is infinite: the model gives some true class probability 0."
    if not has(metric, cells):
        return f"There is no {metric.words} here."
    return f"The {metric.words} of all rows was not computed, so what a batch is off by is not known."


def error_gaps(error: NDArray[np.float64]) -> list[tuple[str, NDArray[np.bool_]]]:
    """Return why, and where, an error has no place on a logarithmic axis."""
    return [("Error 0, not drawn", error == 0), ("Error not finite, not drawn", ~np.isfinite(error))]


def plot_points(axes: Axes, group: Group, x: ArrayLike, y: ArrayLike, *, linewidth: float = 0.0) -> None:
    """Draw a group's points with its colour and marker, joined by a line if that has a width."""
    axes.plot(
        np.asarray(x),
        np.asarray(y),
        marker=group.marker,
        color=group.colour,
        markerfacecolor=group.fill,
        markeredgewidth=1.5,
        markersize=6.5,
        linestyle="-" if linewidth else "",
        linewidth=linewidth,
        zorder=3,
    )


def group_handles(groups: Sequence[Group], *, at_most: int = 9, linestyle: str = "-") -> list[Any]:
    """Return legend entries that name the groups; none if there is but one."""
    from matplotlib.lines import Line2D

    if len(groups) < 2:
        return []
    look: dict[str, Any] = {"linestyle": linestyle, "markeredgewidth": 1.5}
    handles = [
        Line2D([], [], color=g.colour, marker=g.marker, markerfacecolor=g.fill, label=g.name, **look)
        for g in groups[:at_most]
    ]
    if len(groups) > at_most:
        handles.append(Line2D([], [], linestyle="", label=f"… and {len(groups) - at_most} more groups"))
    return handles
