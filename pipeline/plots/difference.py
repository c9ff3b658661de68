"""By how much other models differ from the first, metric by metric, and how many examples show it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.plots import style
from pipeline.plots.power import examples

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# By metric: what a panel is called, the axis, and what its values are multiplied by.
_METRICS = {
    "loss": ("loss (left of 0: better)", "difference of mean loss, nats", 1.0),
    "accuracy": ("accuracy (right of 0: better)", "difference of accuracy, percentage points", 100.0),
}
_ROW, _BESIDES = 0.55, 2.6
_LONGEST_NAME = 26


def draw(rows: pd.DataFrame, *, power: float, significance: float) -> Figure | None:
    """Draw each comparison's difference with its interval; beside it the examples that a paired test of it needs.

    Parameters
    ----------
    rows : DataFrame
        A comparison each: ``label``, ``confidence``, and the metrics of a cell.
    power, significance : float
        Of the test, for the labels.

    Returns
    -------
    Figure or None
        None where no metric has a finite difference.
    """
    known = [metric for metric in _METRICS if _is_drawn(rows, metric)]
    if not known:
        return None
    what = f"with {100 * float(rows['confidence'].iloc[0]):g} % intervals"
    title = f"The other model minus the first, {what}" if len(rows) == 1 else f"Other models minus the first, {what}"
    figure, axes = style.new_figure(
        title, rows=len(known), columns=1, height=(_BESIDES + _ROW * len(rows)) * len(known)
    )
    for metric, own in zip(known, axes[:, 0], strict=True):
        _draw_panel(own, rows, metric, f"examples for {100 * power:g} % power\nat the {100 * significance:g} % level")
    return figure


def _is_drawn(rows: pd.DataFrame, metric: str) -> bool:
    name = f"{metric}/difference"
    return name in rows and bool(np.isfinite(rows[name].to_numpy(dtype=np.float64)).any())


def _draw_panel(axes: Axes, rows: pd.DataFrame, metric: str, needed: str) -> None:
    called, said, times = _METRICS[metric]
    place = list(_METRICS).index(metric)
    value, low, high = (
        times * rows[f"{metric}/difference{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high")
    )
    at = np.arange(len(rows))[::-1]
    is_known = np.isfinite(value)
    has_interval = is_known & np.isfinite(low) & np.isfinite(high)
    axes.axvline(0, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)
    axes.hlines(at[has_interval], low[has_interval], high[has_interval], color=style.COLOURS[place], linewidth=2)
    axes.plot(
        value[is_known],
        at[is_known],
        linestyle="",
        marker=style.MARKERS[place],
        color=style.COLOURS[place],
        markersize=8,
    )
    style.name_panel(axes, title=called, x=said, y="")
    axes.set_ylabel("against", fontsize=style.NORMAL, color=style.INK)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks(at, _names(rows["label"].tolist()))
    axes.margins(x=0.08)
    beside = axes.secondary_yaxis("right")
    beside.set_yticks(at, [_needed(n) for n in rows.get(f"{metric}/n_for_power", [math.nan] * len(rows))])
    beside.set_ylabel(needed, fontsize=style.SMALL, color=style.INK)
    beside.tick_params(labelsize=style.SMALL, colors=style.INK, length=0)
    beside.spines["right"].set_visible(False)


def _names(labels: Sequence[object]) -> list[str]:
    names = [style.plain(str(label)) for label in labels]
    half = _LONGEST_NAME // 2
    return [name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half + 1 :]}" for name in names]


def _needed(n: float) -> str:
    if math.isnan(n):
        return "—"
    return "never" if math.isinf(n) else examples(n)
