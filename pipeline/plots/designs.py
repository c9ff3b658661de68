"""The designs side by side: how much smaller each makes the variance, dots on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_LOOK = {"loss": (style.COLOURS[0], "o", -0.17), "accuracy": (style.COLOURS[1], "s", 0.17)}


def draw(ratios: pd.DataFrame, about: str) -> Figure:
    """Draw a row a design: dots for the variance ratios from the population, bars behind them for those from the draws.

    Parameters
    ----------
    ratios : DataFrame
        ``design, words, metric, is_configured, variance_ratio, drawn_ratio, drawn_ratio_error``: a row a design and
        metric.
    about : str
        The population, the batch size, the draws.
    """
    order = ratios.groupby("design")["variance_ratio"].max().sort_values(kind="stable").index.tolist()
    figure, axes = style.new_figure(_title(ratios), columns=1, height=1.9 + 0.37 * len(order))
    own = axes[0, 0]
    style.name_panel(
        own, title=about, x="variance ratio: a simple random sample's variance over the design's", y="design"
    )
    place = {design: at for at, design in enumerate(order)}
    looks = {metric: look for metric, look in _LOOK.items() if (ratios["metric"] == metric).any()}
    for metric, (colour, marker, aside) in looks.items():
        rows = ratios[ratios["metric"] == metric]
        # Beside the other metric's, where there is one.
        y = rows["design"].map(place).to_numpy(dtype=np.float64) - (aside if len(looks) > 1 else 0.0)
        drawn, error = (rows[name].to_numpy(dtype=np.float64) for name in ("drawn_ratio", "drawn_ratio_error"))
        low = np.maximum(drawn - 1.96 * error, drawn / 10)
        own.hlines(y, low, drawn + 1.96 * error, color=colour, linewidth=5.0, alpha=0.3, zorder=2)
        own.plot(
            rows["variance_ratio"].to_numpy(dtype=np.float64),
            y,
            linestyle="",
            marker=marker,
            color=colour,
            markersize=6.5,
            zorder=3,
        )
    own.axvline(1.0, color=style.INK, linewidth=1.2, dashes=(5, 3), zorder=1)
    style.log_axis(own.xaxis, np.append(ratios["variance_ratio"].to_numpy(dtype=np.float64), 1.0), style.number)
    words = ratios.drop_duplicates("design").set_index("design")
    own.set_yticks(range(len(order)), [_label(words.loc[design]) for design in order], fontsize=style.SMALL)
    own.set_ylim(-0.6, len(order) - 0.4)
    own.set_ylabel("")
    style.legend(figure, _handles(looks))
    return figure


def _label(row: pd.Series[str]) -> str:
    return f"{row['words']} *" if row["is_configured"] else str(row["words"])


def _title(ratios: pd.DataFrame) -> str:
    practical = ratios[~ratios["design"].str.endswith("_ideal") & np.isfinite(ratios["variance_ratio"])]
    parts = []
    for metric in _LOOK:
        own = practical[practical["metric"] == metric]
        if len(own):
            best = own.iloc[int(own["variance_ratio"].argmax())]
            parts.append(f"{metric} {100 / best['variance_ratio']:.0f} ({best['words']})")
    return f"Rows that tell as much as 100 of a simple random sample, at best: {', '.join(parts)}"


def _handles(looks: Mapping[str, tuple[str, str, float]]) -> list[object]:
    from matplotlib.lines import Line2D

    handles: list[object] = [
        Line2D([], [], linestyle="", marker=marker, color=colour, label=f"{metric}, from the population's scores")
        for metric, (colour, marker, _) in looks.items()
    ]
    handles.append(Line2D([], [], color=style.QUIET, linewidth=5.0, alpha=0.4, label="from the draws, 95 %"))
    handles.append(Line2D([], [], color=style.INK, linewidth=1.2, dashes=(5, 3), label="a simple random sample"))
    handles.append(Line2D([], [], linestyle="", marker="$*$", color=style.INK, label="the configured sampling"))
    return handles
