"""The forest plot of slices: each one's values or differences with their intervals, beside those of all rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..metric.base import Metric
from ..records.verdict import UNDECIDED, WORDS
from ..report import words
from ..report.slices import by_effect, known
from . import style
from .sweep_cells import looks_of
from .verdict import COLOURS, MARKERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 30
_LONGEST_NAME = 22
# Inches: of a row, of what the figure has besides, and what of that a panel has.
_ROW, _BESIDES, _PANEL = 0.3, 1.9, 1.1


def draw(
    slices: pd.DataFrame,
    whole: Mapping[str, float],
    about: str,
    confidence: float,
    *,
    by: str = "class",
    is_difference: bool = False,
    who: str = "",
    margins: Mapping[str, float] | None = None,
) -> Figure:
    """Draw a line a slice, the worst first, in a panel for each metric.

    Parameters
    ----------
    slices : DataFrame
        A slice each: its name first, ``rows, M, M_low, M_high``, and ``M_verdict`` where verdicts were given; at least
        one slice.
    whole : mapping of str to float
        Of all rows, by metric.
    about : str
        The data and the model.
    confidence : float
        Of the intervals.
    by : str
        What slices the rows.
    is_difference : bool
        Whether the values are differences, to be seen against 0.
    who : str
        Of whom and whom, where they are: ``new.csv minus old.csv``.
    margins : mapping of str to float, or None
        By how much a metric may be worse.
    """
    metrics = known(slices)
    own = by_effect(slices).head(_MOST)
    plural = "classes" if by == "class" else "slices"
    each = "each class" if by == "class" else f"by {by}"
    few = f"the {_MOST} worst of {len(slices):,} {plural}" if len(slices) > _MOST else each
    judged = any(f"{metric.column}_verdict" in own for metric in metrics)
    how = "verdicts with intervals by Holm" if judged else f"with {words.level(confidence)} % intervals"
    title = f"{about}: {few}{', ' + who if who else ''}, {how}"
    # More than two panels beside each other are too narrow for their words.
    figure, (axes,) = style.panel_grid(title, len(metrics), panel=_PANEL + _ROW * len(own), besides=_BESIDES - _PANEL)
    for i, (panel, metric) in enumerate(zip(axes, metrics, strict=True)):
        _panel(panel, own, metric, whole[metric.column], is_difference=is_difference)
        if margins is not None:
            margin = metric.factor * margins[metric.column] * (1 if metric.is_better_low else -1)
            panel.axvline(margin, color=style.QUIET, linewidth=1.6, linestyle=(0, (1, 1.5)), zorder=1)
        _name_rows(panel, own, f"{by} (rows)" if i % 2 == 0 else "")
    if judged:
        _legend(figure, own, metrics)
    return figure


def _panel(axes: Axes, own: pd.DataFrame, metric: Metric, everything: float, *, is_difference: bool) -> None:
    value, low, high = (
        metric.factor * own[f"{metric.column}{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high")
    )
    colour, marker = looks_of([metric])[metric.column]
    at = np.arange(len(own))[::-1]
    is_known, has_ends = np.isfinite(value), np.isfinite(low) & np.isfinite(high)
    if is_difference:
        axes.axvline(0, color=style.INK, linewidth=1.2, zorder=1)
    if np.isfinite(everything):
        axes.axvline(metric.factor * everything, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)
    if f"{metric.column}_verdict" in own:
        # A slice without a value has no verdict, and nothing of it is drawn.
        codes = own[f"{metric.column}_verdict"].fillna(UNDECIDED).astype(int).to_numpy()
        colours = np.array(COLOURS)[codes]
        axes.hlines(at[has_ends], low[has_ends], high[has_ends], color=colours[has_ends], linewidth=2)
        for code in np.unique(codes):
            now = is_known & (codes == code)
            axes.plot(value[now], at[now], linestyle="", marker=MARKERS[code], color=COLOURS[code], markersize=6)
    else:
        axes.hlines(at[has_ends], low[has_ends], high[has_ends], color=colour, linewidth=2)
        axes.plot(value[is_known], at[is_known], linestyle="", marker=marker, color=colour, markersize=6)
    better = f"{'left' if metric.is_better_low else 'right'} of 0: better; " if is_difference else ""
    unit = f" [{metric.error_unit}]" if metric.error_unit else ""
    label = f"difference of {metric.words}{unit}" if is_difference else metric.label
    style.name_panel(axes, title=f"{metric.title} ({better}dashed: all rows)", x=label, y="")
    axes.set_ylim(-0.6, len(own) - 0.4)
    axes.margins(x=0.05)


def _name_rows(axes: Axes, own: pd.DataFrame, label: str) -> None:
    """Name the slices at the first panel; the others have the same rows."""
    at = np.arange(len(own))[::-1]
    name = own.columns[0]
    names = [
        f"{words.shortened(str(row[name]), _LONGEST_NAME)} ({round(row['rows']):,})" for row in own.to_dict("records")
    ]
    axes.set_yticks(at, [style.plain(each) for each in names] if label else [""] * len(own))
    if label:
        axes.set_ylabel(style.plain(label), fontsize=style.NORMAL, color=style.INK)


def _legend(figure: Figure, own: pd.DataFrame, metrics: list[Metric]) -> None:
    from matplotlib.lines import Line2D

    there = sorted({int(code) for metric in metrics for code in own[f"{metric.column}_verdict"].dropna()})
    handles = [
        Line2D([], [], color=COLOURS[code], marker=MARKERS[code], linewidth=2, label=WORDS[code]) for code in there
    ]
    style.legend(figure, [*handles, Line2D([], [], color=style.QUIET, linestyle=(0, (1, 1.5)), label="the margin")])
