"""How the differences of a gate became certain while rows were evaluated, against 0 and the margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..metric.base import Metric
from ..records.verdict import Finding, Judgement
from ..report import words
from ..report.gate_sequence import after
from . import style
from .names import titled
from .verdict import COLOURS, MARKERS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The panel reaches this many times as far from the middle as what must be seen: 0, the margin, and the intervals of the
# last looks, of which this is the share: the very last one may have no width.
_REACH, _SEEN = 1.5, 0.25


def draw(looks: pd.DataFrame, judgement: Judgement, metrics: Mapping[str, Metric], about: str = "") -> Figure:
    """Draw a panel for each metric.

    Parameters
    ----------
    looks : DataFrame
        As ``looks.csv`` has it; at least one row.
    judgement : Judgement
        With a stop.
    metrics : mapping of str to Metric
        At least one, by column.
    about : str
        The data, and the baseline where these are something else.
    """
    assert judgement.stop is not None
    title = titled(about, f"{judgement.verdict.capitalize()} {after(judgement.stop)}: candidate minus baseline")
    figure, axes = style.panel_grid(title, len(metrics), besides=1.0)
    for panel, finding in zip(axes[0], judgement.findings, strict=True):
        _panel(panel, looks, finding, metrics[finding.metric])
    style.legend(figure, _handles(has_margin=any(finding.margin for finding in judgement.findings)))
    return figure


def _panel(axes: Axes, looks: pd.DataFrame, finding: Finding, metric: Metric) -> None:
    n = looks["n"].to_numpy(dtype=np.float64)
    value, low, high = (
        metric.factor * looks[f"{metric.column}{end}"].to_numpy(dtype=np.float64) for end in ("", "_low", "_high")
    )
    limit = metric.factor * finding.margin * (1 if metric.is_better_low else -1)
    colour = COLOURS[finding.code]
    side = "below" if metric.is_better_low else "above"
    style.name_panel(
        axes,
        title=f"{metric.title}: {finding.verdict} (better: {side} 0)",
        x="rows evaluated",
        y=f"difference of {metric.words}" + (f" [{metric.error_unit}]" if metric.error_unit else ""),
    )
    style.log_axis(axes.xaxis, n, words.number, at_most=6)
    axes.axhline(0, color=style.INK, linewidth=1.2, zorder=2)
    if limit:
        axes.axhline(limit, color=style.INK, linewidth=1.6, linestyle=(0, (4, 2)), zorder=2)
    axes.fill_between(n, low, high, color=colour, alpha=0.25, linewidth=0, zorder=1)
    axes.plot(n, value, color=colour, linewidth=1.6, zorder=3)
    if len(n) == 1:
        # A single look has no area.
        axes.vlines(n, low, high, color=colour, linewidth=1.6, zorder=3)
    axes.plot(n[-1], value[-1], marker=MARKERS[finding.code], color=colour, markersize=9, linestyle="", zorder=4)
    _limits(axes, n, low, high, limit)


def _limits(axes: Axes, n: Any, low: Any, high: Any, limit: float) -> None:
    """Keep the first, wide intervals from making a line of what matters; what is cut off is said."""
    seen = -1 - int(_SEEN * len(low))
    ends = np.array([low[seen], high[seen], low[-1], high[-1], 0.0, limit])
    # Nothing differs, and all rows are evaluated, where there is no width at all.
    middle, half = (ends.max() + ends.min()) / 2, (ends.max() - ends.min()) / 2 or 0.01
    axes.set_ylim(
        max(middle - _REACH * half, min(low.min(), ends.min()) - 0.1 * half),
        min(middle + _REACH * half, max(high.max(), ends.max()) + 0.1 * half),
    )
    bottom, top = axes.get_ylim()
    cut = n[(low < bottom) | (high > top)]
    if len(cut):
        style.note(axes, [f"Up to {cut[-1]:,.0f} rows the interval reaches beyond the panel"])


def _handles(*, has_margin: bool) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    margin = Line2D([], [], color=style.INK, linestyle=(0, (4, 2)), linewidth=1.6, label="the margin")
    return [
        Line2D([], [], color=style.QUIET, linewidth=1.4, label="difference of the rows so far"),
        Patch(color=style.QUIET, alpha=0.35, label="interval, valid at every look"),
        *([margin] if has_margin else []),
    ]
