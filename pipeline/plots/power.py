"""How many examples each metric needs to see a change, against the step that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..metric.columns import in_order
from ..report import words
from . import names, style
from .sweep_cells import looks_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXIS = "study.step"
_FIGURE = "/n_for_power"
# By the suffix of a column: the look of the paired test's curve, drawn over the unpaired test's.
_HOW: dict[str, dict[str, Any]] = {
    "_unpaired": {"alpha": 0.45, "linestyle": "--", "markerfacecolor": "none", "linewidth": 1.2, "zorder": 2},
    "": {"linestyle": "-", "linewidth": 1.8, "zorder": 3},
}
_PANEL_HEIGHT = 4.9
# More examples than this many times the population would press what can be evaluated flat: they stand in the strip.
_MOST_TIMES = 100.0
# The height, as a share of the panel's, from which on the strip for infinitely many examples begins.
_STRIP = 0.9


@dataclass(frozen=True, eq=False)
class _Panel:
    """The cells of one group whose steps lead the same way."""

    name: str
    cells: pd.DataFrame
    most: float

    @property
    def steps(self) -> NDArray[np.float64]:
        """Lengths, ascending."""
        return np.abs(self.cells[_AXIS].to_numpy(dtype=np.float64))

    @property
    def metrics(self) -> list[Metric]:
        """What was compared."""
        return in_order(name.removesuffix(_FIGURE) for name in map(str, self.cells) if name.endswith(_FIGURE))

    def n(self, metric: Metric, how: str = "") -> NDArray[np.float64]:
        """Examples by step; inf where no number suffices."""
        return self.cells[f"{metric.column}{_FIGURE}{how}"].to_numpy(dtype=np.float64)

    def drawn(self, metric: Metric, how: str = "") -> NDArray[np.float64]:
        """As `n`; inf also where it is more than the axis shows."""
        n = self.n(metric, how)
        return np.where(n > self.most, np.inf, n)

    @property
    def is_cut(self) -> bool:
        """Whether a finite number is not shown as such."""
        numbers = np.concatenate([self.n(metric, how) for metric in self.metrics for how in _HOW])
        return bool((np.isfinite(numbers) & (numbers > self.most)).any())


def draw(cells: pd.DataFrame, *, power: float, significance: float) -> Figure:
    """Draw the examples that a paired test of each metric needs against the step, log-log; faint the unpaired test's.

    Parameters
    ----------
    cells : DataFrame
        As :class:`pipeline.cell.comparison.Comparison` has them, of a sweep over ``study.step`` with a step that is
        not 0.
    power, significance : float
        Of the test, for the labels.
    """
    panels = _panels(cells)
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    title = names.titled(names.subject(cells), _title(panels))
    figure, axes = style.new_figure(title, rows=rows, columns=columns, height=0.9 + _PANEL_HEIGHT * rows)
    for panel, own in zip(panels, axes.flat, strict=False):
        style.name_panel(
            own,
            title="\n".join([panel.name, _sooner([panel])]) if len(panels) > 1 else panel.name,
            x="step along the direction (study.step)",
            y=f"examples for {words.level(power)} % power\nat the {words.level(significance)} % level",
        )
        # All panels share one scale, so that equal slopes look equal.
        _set_scales(own, panels)
        _draw_panel(own, panel)
        style.note(own, _beyond(panel))
    for unused in axes.flat[len(panels) :]:
        unused.set_visible(False)
    style.legend(figure, _handles(panels))
    return figure


def _panels(cells: pd.DataFrame) -> list[_Panel]:
    panels = []
    most = _MOST_TIMES * float(cells["population_size"].max())
    for name, group in cells.groupby("group", sort=False):
        for is_forward, where in ((True, ""), (False, "backwards (steps below 0)")):
            own = group[group[_AXIS] > 0] if is_forward else group[group[_AXIS] < 0]
            if len(own):
                order = own[_AXIS].abs().sort_values(kind="stable").index
                panels.append(_Panel(", ".join(filter(None, (names.group(str(name)), where))), own.loc[order], most))
    return panels


def _title(panels: list[_Panel]) -> str:
    return f"How many examples each metric needs to see a change this small:\n{_sooner(panels)}"


def _sooner(panels: list[_Panel]) -> str:
    """Count at how many steps which metric needs fewer examples than any other."""
    metrics = panels[0].metrics
    if len(metrics) == 1:
        return f"here the {metrics[0].words} alone"
    n = np.stack([np.concatenate([panel.n(metric) for panel in panels]) for metric in metrics])
    is_sooner = np.stack([(own < np.delete(n, at, axis=0)).all(axis=0) for at, own in enumerate(n)])
    neither = int((~is_sooner.any(axis=0) & ~np.isnan(n).any(axis=0)).sum())
    said = [f"for {metric.words} at {sooner.sum()}" for metric, sooner in zip(metrics, is_sooner, strict=True)]
    said += [f"for {'neither' if len(metrics) == 2 else 'none'} at {neither}"] * bool(neither)
    return f"fewer {', '.join(said)} of {words.counted(n.shape[1], 'step')}"


def _set_scales(axes: Axes, panels: list[_Panel]) -> None:
    everything = [panel.drawn(metric, how) for panel in panels for metric in panel.metrics for how in _HOW]
    sizes = [panel.cells["population_size"].to_numpy(dtype=np.float64) for panel in panels]
    style.log_axis(axes.xaxis, np.concatenate([panel.steps for panel in panels]), words.number, at_most=6)
    style.log_axis(axes.yaxis, np.concatenate([*everything, *sizes]), words.count, at_most=7)
    if np.isinf(np.concatenate(everything)).any():
        _make_strip(axes, f"over {words.count(panels[0].most)}\nor never" if any(p.is_cut for p in panels) else "never")


def _beyond(panel: _Panel) -> list[str]:
    """Say what the strip stands for: of each metric's paired test the numbers, and how many of the unpaired tests."""
    lines = []
    for metric in panel.metrics:
        n, said = panel.n(metric), []
        far = np.flatnonzero(np.isfinite(n) & (n > panel.most))
        if len(far):
            said.append(words.in_words([f"{words.estimated(n[at])} at {words.number(panel.steps[at])}" for at in far]))
        if np.isinf(n).any():
            said.append(f"none is enough at {words.in_words([words.number(x) for x in panel.steps[np.isinf(n)]])}")
        if said:
            lines.append(f"{metric.title}, paired: {'; '.join(said)}")
    unpaired = sum(int((panel.n(metric, "_unpaired") > panel.most).sum()) for metric in panel.metrics)
    return lines + [f"Unpaired: {unpaired:,} above the axis, not drawn"] * bool(unpaired)


def _draw_panel(axes: Axes, panel: _Panel) -> None:
    looks = looks_of(panel.metrics)
    for place, metric in enumerate(panel.metrics):
        colour, marker = looks[metric.column]
        for how, look in _HOW.items():
            n = panel.drawn(metric, how)
            # Matplotlib breaks a line at nan, so that no curve passes through a step without a number.
            n = np.where(np.isfinite(n), n, np.nan)
            axes.plot(panel.steps, n, color=colour, marker=marker, markersize=6.5, markeredgewidth=1.5, **look)
        # A height of its own for each metric: at a step that none sees, all are there.
        height = _STRIP + (1 - _STRIP) * (1 + place) / (1 + len(panel.metrics))
        _draw_never(axes, panel.steps[np.isinf(panel.drawn(metric))], height, color=colour, marker=marker)
    for n in np.unique(panel.cells["population_size"]):
        axes.axhline(n, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)


def _make_strip(axes: Axes, name: str) -> None:
    """Make room above the numbers for those that are infinite, or too many."""
    low, high = np.log10(axes.get_ylim())
    ticks = axes.get_yticks()
    axes.set_ylim(10**low, 10 ** (low + (high - low) / _STRIP))
    # A tick at the strip's edge would touch the strip's name.
    axes.set_yticks([tick for tick in ticks if tick <= 10 ** (high - 0.04 * (high - low))], minor=False)
    axes.axhspan(10**high, axes.get_ylim()[1], facecolor=style.BAND, alpha=0.5, linewidth=0, zorder=0)
    axes.annotate(
        name,
        (0, (1 + _STRIP) / 2),
        xycoords="axes fraction",
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
    )


def _draw_never(axes: Axes, steps: NDArray[np.float64], height: float, *, color: str, marker: str) -> None:
    axes.plot(
        steps,
        np.full(len(steps), height),
        transform=axes.get_xaxis_transform(),
        linestyle="",
        color=color,
        marker=marker,
        markersize=6.5,
        markeredgewidth=1.5,
        zorder=4,
    )


def _handles(panels: list[_Panel]) -> list[object]:
    from matplotlib.lines import Line2D

    handles: list[object] = []
    metrics = panels[0].metrics
    for metric, (colour, marker) in zip(metrics, looks_of(metrics).values(), strict=True):
        for how, said in (("", "paired (same rows)"), ("_unpaired", "unpaired (rows an arm)")):
            handles.append(Line2D([], [], color=colour, marker=marker, label=f"{metric.words}, {said}", **_HOW[how]))
    sizes = words.span(np.concatenate([panel.cells["population_size"].to_numpy() for panel in panels]), words.number)
    label = f"the {sizes} rows there are"
    handles.append(Line2D([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), label=label))
    return handles
