"""How many examples each metric needs to see a change, against the step that makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXIS = "study.step"
_METRICS = ("loss", "accuracy")
_LOOK = {name: (style.COLOURS[i], style.MARKERS[i]) for i, name in enumerate(_METRICS)}
# The test: the paired one is drawn over the unpaired.
_HOW: dict[str, dict[str, Any]] = {
    "_unpaired": {"alpha": 0.45, "linestyle": "--", "markerfacecolor": "none", "linewidth": 1.2, "zorder": 2},
    "": {"linestyle": "-", "linewidth": 1.8, "zorder": 3},
}
_PANEL_HEIGHT = 4.9
# Where the strip of those that never see the change lies, as a share of the panel's height.
_STRIP = 0.9


@dataclass(frozen=True, eq=False)
class _Panel:
    """The cells of one group whose steps lead the same way."""

    name: str
    cells: pd.DataFrame

    @property
    def steps(self) -> NDArray[np.float64]:
        """Lengths, ascending."""
        return np.abs(self.cells[_AXIS].to_numpy(dtype=np.float64))

    def n(self, metric: str, how: str = "") -> NDArray[np.float64]:
        """Examples by step; inf where no number suffices."""
        return self.cells[f"{metric}/n_for_power{how}"].to_numpy(dtype=np.float64)


def draw(cells: pd.DataFrame, *, power: float, significance: float) -> Figure:
    """Draw the examples that a paired test of each metric needs against the step, log-log; faint the unpaired test's.

    Parameters
    ----------
    cells : DataFrame
        As :class:`pipeline.comparison.Comparison` has them, of a sweep over ``study.step`` with a step that is not 0.
    power, significance : float
        Of the test, for the labels.
    """
    panels = _panels(cells)
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = style.new_figure(_title(panels), rows=rows, columns=columns, height=0.9 + _PANEL_HEIGHT * rows)
    for panel, own in zip(panels, axes.flat, strict=False):
        style.name_panel(
            own,
            title="\n".join([panel.name, _sooner([panel])]) if len(panels) > 1 else panel.name,
            x="step along the direction (study.step)",
            y=f"examples for {100 * power:g} % power\nat the {100 * significance:g} % level",
        )
        # One scale for all panels, or a flat curve in one would look like a steep one in the next.
        _set_scales(own, panels)
        _draw_panel(own, panel)
    for unused in axes.flat[len(panels) :]:
        unused.set_visible(False)
    style.legend(figure, _handles(panels))
    return figure


def _panels(cells: pd.DataFrame) -> list[_Panel]:
    panels = []
    for name, group in cells.groupby("group", sort=False):
        for is_forward, where in ((True, ""), (False, "backwards (steps below 0)")):
            own = group[group[_AXIS] > 0] if is_forward else group[group[_AXIS] < 0]
            if len(own):
                order = own[_AXIS].abs().sort_values(kind="stable").index
                panels.append(_Panel(", ".join(filter(None, (str(name), where))), own.loc[order]))
    return panels


def _title(panels: list[_Panel]) -> str:
    return f"How many examples each metric needs to see a change this small:\n{_sooner(panels)}"


def _sooner(panels: list[_Panel]) -> str:
    """Count at how many steps which metric needs fewer examples."""
    loss, accuracy = (np.concatenate([panel.n(metric) for panel in panels]) for metric in _METRICS)
    counts = {"for loss": (loss < accuracy).sum(), "for accuracy": (accuracy < loss).sum()}
    neither = int((loss == accuracy).sum())
    said = [f"{who} at {count}" for who, count in counts.items()] + [f"for neither at {neither}"] * bool(neither)
    return f"fewer {', '.join(said)} of {style.counted(len(loss), 'step')}"


def _set_scales(axes: Axes, panels: list[_Panel]) -> None:
    everything = [panel.n(metric, how) for panel in panels for metric in _METRICS for how in _HOW]
    sizes = [panel.cells["population_size"].to_numpy(dtype=np.float64) for panel in panels]
    style.log_axis(axes.xaxis, np.concatenate([panel.steps for panel in panels]), _step, at_most=6)
    style.log_axis(axes.yaxis, np.concatenate([*everything, *sizes]), examples, at_most=7)
    if np.isinf(np.concatenate(everything)).any():
        _make_strip(axes)


def _draw_panel(axes: Axes, panel: _Panel) -> None:
    for metric in _METRICS:
        colour, marker = _LOOK[metric]
        for how, look in _HOW.items():
            n = panel.n(metric, how)
            # A value that is nan breaks the line, so that no curve runs through a step that has no number.
            n = np.where(np.isfinite(n), n, np.nan)
            axes.plot(panel.steps, n, color=colour, marker=marker, markersize=6.5, markeredgewidth=1.5, **look)
        _draw_never(axes, panel.steps[np.isinf(panel.n(metric))], metric)
    for n in np.unique(panel.cells["population_size"]):
        axes.axhline(n, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)


def _make_strip(axes: Axes) -> None:
    """Make room above the numbers for those that are infinite."""
    low, high = np.log10(axes.get_ylim())
    ticks = axes.get_yticks()
    axes.set_ylim(10**low, 10 ** (low + (high - low) / _STRIP))
    axes.set_yticks([tick for tick in ticks if tick <= 10**high], minor=False)
    axes.axhspan(10**high, axes.get_ylim()[1], facecolor=style.BAND, alpha=0.5, linewidth=0, zorder=0)
    axes.annotate(
        "never",
        (0, (1 + _STRIP) / 2),
        xycoords="axes fraction",
        xytext=(-6, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
    )


def _draw_never(axes: Axes, steps: NDArray[np.float64], metric: str) -> None:
    colour, marker = _LOOK[metric]
    # A height of its own for each metric: at a step that neither sees, both are there.
    height = _STRIP + (1 - _STRIP) * (1 + _METRICS.index(metric)) / (1 + len(_METRICS))
    axes.plot(
        steps,
        np.full(len(steps), height),
        transform=axes.get_xaxis_transform(),
        linestyle="",
        color=colour,
        marker=marker,
        markersize=6.5,
        markeredgewidth=1.5,
        zorder=4,
    )


def _step(value: float) -> str:
    return style.number(value) if 1e-5 <= value < 1e6 else f"{value:g}"


def examples(value: float) -> str:
    """Return a number of examples in few characters: ``1,234``, ``29 million``."""
    for unit, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if value >= unit:
            return f"{value / unit:,.0f} {name}" if value < 1e16 else f"{value:.0e}"
    return style.number(value)


def _handles(panels: list[_Panel]) -> list[object]:
    from matplotlib.lines import Line2D

    handles: list[object] = []
    for metric in _METRICS:
        colour, marker = _LOOK[metric]
        for how, said in (("", "paired (same rows)"), ("_unpaired", "unpaired (rows an arm)")):
            handles.append(Line2D([], [], color=colour, marker=marker, label=f"{metric}, {said}", **_HOW[how]))
    sizes = style.span(np.concatenate([panel.cells["population_size"].to_numpy() for panel in panels]), style.number)
    label = f"the {sizes} rows there are"
    handles.append(Line2D([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), label=label))
    return handles
