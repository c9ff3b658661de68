"""By how much other models differ from the first, metric by metric, and how many examples show it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..metric.base import Metric
from ..metric.columns import in_order
from ..report import words
from . import style
from .names import titled
from .sweep_cells import looks_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FIGURE = "/difference"
# Inches: of a row, of what a panel has besides, of what the figure has besides.
_ROW, _BESIDES, _TITLE = 0.45, 1.5, 0.9
_LONGEST_NAME = 20
# Characters of an axis label's line.
_LONGEST_LABEL = 50


def draw(rows: pd.DataFrame, *, power: float, significance: float, title: str = "") -> Figure | None:
    """Draw each comparison's difference with its interval; beside it the examples that a paired test of it needs.

    Parameters
    ----------
    rows : DataFrame
        A comparison each: ``label``, ``confidence``, ``population``, ``model_name``, ``groups`` where these are the
        units, and the metrics of a cell.
    power, significance : float
        Of the test, for the labels.
    title : str
        Empty makes one from the rows.

    Returns
    -------
    Figure or None
        None where no metric has a finite difference that is not 0 throughout.
    """
    names = [name.removesuffix(_FIGURE) for name in map(str, rows) if name.endswith(_FIGURE)]
    known = [metric for metric in in_order(names) if _is_drawn(rows, metric)]
    if not known:
        return None
    figure, axes = style.panel_grid(
        title or _title(rows, known), len(known), panel=_BESIDES + _ROW * len(rows), besides=_TITLE
    )
    for metric, own, look in zip(known, axes[0], looks_of(known).values(), strict=True):
        _draw_panel(own, rows, metric, look)
    needed = f"a paired test of {words.level(power)} % power at the {words.level(significance)} % level"
    style.legend(figure, _handles(rows, known, needed))
    return figure


def _is_drawn(rows: pd.DataFrame, metric: Metric) -> bool:
    """Whether some difference is finite; where none is anything but 0, there is nothing to see either."""
    values = rows[f"{metric.column}{_FIGURE}"].to_numpy(dtype=np.float64)
    width = metric.of(rows, "difference_high") - metric.of(rows, "difference_low")
    return bool((np.isfinite(values) & ((values != 0) | (width > 0))).any())


def _first(rows: pd.DataFrame) -> tuple[str, str]:
    """What the first model is called, and the data where these are something else."""
    row = rows.iloc[0]
    population, model = str(row.get("population", "")), str(row.get("model_name", ""))
    return (model, population) if model not in ("", population) else (population, "")


def _title(rows: pd.DataFrame, known: list[Metric]) -> str:
    first, about = _first(rows)
    if len(rows) > 1:
        others = words.counted(len(rows), "model")
        return titled(about, f"{others} against {first or 'the first'}: the differences, with their intervals")
    row = rows.iloc[0]
    said = []
    for metric in known:
        value, low, high = (float(metric.of(rows, f"difference{end}")[0]) for end in ("", "_low", "_high"))
        found = words.with_interval(value, low, high, metric.short_unit, signed=True).replace("-", "−")
        # A value is not torn from its interval where the title is wrapped.
        said.append(f"{metric.words} {found}".replace(" ", "\u00a0"))
    name = words.shortened(str(row["label"]), 2 * _LONGEST_NAME)
    return titled(about, f"{name} minus {first or 'the first'}: {', '.join(said)}")


def _draw_panel(axes: Axes, rows: pd.DataFrame, metric: Metric, look: tuple[str, str]) -> None:
    value, low, high = (metric.of(rows, f"difference{end}") for end in ("", "_low", "_high"))
    colour, marker = look
    at = np.arange(len(rows))[::-1]
    is_known = np.isfinite(value)
    has_interval = is_known & np.isfinite(low) & np.isfinite(high)
    axes.axvline(0, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)
    axes.hlines(at[has_interval], low[has_interval], high[has_interval], color=colour, linewidth=2)
    axes.plot(value[is_known], at[is_known], linestyle="", marker=marker, color=colour, markersize=8)
    first = words.shortened(_first(rows)[0] or "the first", _LONGEST_NAME)
    unit = f" [{metric.error_unit}]" if metric.error_unit else ""
    mean = "" if metric.is_share or metric.is_together else "mean "
    is_known_better = metric.is_better_low is not None
    better = f" ({'left' if metric.is_better_low else 'right'} of 0: better)" if is_known_better else ""
    style.name_panel(
        axes,
        title=metric.title + better,
        x=style.balanced(f"{mean}{metric.row_words} minus that of {first}{unit}", _LONGEST_LABEL),
        y="",
    )
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks(at, [style.plain(words.shortened(str(label), _LONGEST_NAME)) for label in rows["label"]])
    axes.locator_params(axis="x", nbins=5)
    axes.margins(x=0.08)
    beside = axes.secondary_yaxis("right")
    sizes = rows.get(f"{metric.column}/n_for_power", [math.nan] * len(rows))
    beside.set_yticks(at, [words.NONE if math.isnan(n) else words.estimated(n) for n in sizes])
    beside.tick_params(labelsize=style.SMALL, colors=style.INK, length=0)
    beside.spines["right"].set_visible(False)


def _handles(rows: pd.DataFrame, known: list[Metric], needed: str) -> list[object]:
    from matplotlib.lines import Line2D

    level = words.level(float(rows["confidence"].iloc[0]))
    units = "groups" if "groups" in rows and rows["groups"].notna().all() else "examples"
    handles: list[object] = [
        Line2D([], [], color=colour, marker=marker, linewidth=2, label=f"{metric.words}, {level} % interval")
        for metric, (colour, marker) in zip(known, looks_of(known).values(), strict=True)
    ]
    return [*handles, Line2D([], [], linestyle="", label=f"at the right: {units} that {needed} needs")]
