"""What each interval really holds, against batch size; those that keep their promise lie on the line or above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.chosen import MAIN
from ..metric.columns import of_column
from ..report import words
from . import names, style
from .interval_curves import CURVE, REFERENCE, Curve, configured_handle, draw_panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Per cent added to the share of misses before its logarithm is taken, so that no misses at all can be drawn.
_NEAR_NONE = 0.3
# The least distance of two ticks, as a share of the height of a panel: closer labels would touch.
_APART = 0.1
_TOO_LOW: dict[str, Any] = {"color": style.COLOURS[1], "marker": "s", "markersize": 5.5, "linestyle": "", "zorder": 4}
# In order of importance: a later tick that would touch an earlier one is left out.
_TICKS = (95, 100, 90, 99, 80, 98, 60, 0, 40, 70, 20)


def draw(frame: pd.DataFrame, metrics: Sequence[str] = MAIN, *, unit: str = "row", about: str = "") -> Figure:
    """Draw the share held in a small panel per interval, beside the band in which chance alone would leave it.

    Parameters
    ----------
    frame : DataFrame
        ``coverage.csv`` of several batch sizes, with the columns ``batch_size`` and ``group``.
    metrics : sequence of str
        A block of panels each.
    unit : str
        What a batch size counts: row or group.
    about : str
        The data and the model.
    """
    drawn = frame[np.isfinite(frame["width_median"])]
    # The band at the promise is in view too.
    promised = chance(float(frame["confidence"].min()), int(frame["draws"].min()))
    least = 100 * min([promised[0], *drawn["coverage"]])
    handles = _handles(frame)

    def draw_panel(axes: Axes, curve: Curve) -> None:
        _set_scale(axes, least)
        nominal, draws = float(curve.rows["confidence"].iloc[0]), int(curve.rows["draws"].min())
        axes.axhspan(*(100 * end for end in chance(nominal, draws)), color=style.BAND, linewidth=0, zorder=0)
        axes.axhline(100 * nominal, zorder=1, **REFERENCE)
        _draw_curve(axes, curve)

    return draw_panels(
        frame,
        names.titled(about, _title(frame)),
        metrics=metrics,
        unit=unit,
        y="intervals that hold the value of all rows [% of draws, stretched near 100]",
        draw=draw_panel,
        gone=("no end",),
        handles=handles,
    )


def chance(nominal: float, draws: int) -> tuple[float, float]:
    """Return between which shares 95 % of the counts of so many draws lie, if the interval holds as often as promised.

    Quantiles of the binomial distribution.
    """
    from scipy.stats import binom

    low, high = binom.ppf([0.025, 0.975], draws, nominal) / draws
    return float(low), float(high)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    # An infinite interval holds every value, so its coverage says nothing.
    rows = curve.rows[np.isfinite(curve.rows["width_median"].to_numpy())]
    size, share = rows["batch_size"].to_numpy(), 100 * rows["coverage"].to_numpy(dtype=np.float64)
    axes.plot(size, share, **CURVE)
    low = rows["coverage_high"].to_numpy() < rows["confidence"].to_numpy()
    axes.plot(size[low], share[low], **_TOO_LOW)


def _set_scale(axes: Axes, least: float) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

    def forward(held: NDArray[np.float64]) -> NDArray[np.float64]:
        return -np.log(np.maximum(100 + _NEAR_NONE - held, 1e-9))

    def inverse(place: NDArray[np.float64]) -> NDArray[np.float64]:
        return 100 + _NEAR_NONE - np.exp(-place)

    axes.set_yscale("function", functions=(forward, inverse))
    bottom, top = forward(np.array([max(least, 0.0), 100.0]))
    ticks: list[float] = []
    for tick in _TICKS:
        place = forward(np.array([tick, *ticks]))
        if tick >= least - 5 and (np.abs(place[1:] - place[0]) > _APART * (top - bottom)).all():
            ticks.append(tick)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter([f"{tick}" for tick in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(*inverse(np.array([bottom - 0.06 * (top - bottom), top + 0.06 * (top - bottom)])))


def _title(frame: pd.DataFrame) -> str:
    low = frame[frame["coverage_high"] < frame["confidence"]]
    nominal = words.span(frame["confidence"].to_numpy(), words.level)
    if not len(low):
        return f"Every interval holds the {nominal} % that it promises"
    worst = low.iloc[int(low["coverage"].argmin())]
    metric = of_column(worst["metric"]).words
    return (
        f"Not every {nominal} % interval holds {nominal} %: {worst['interval']} ({metric}) holds "
        f"{words.percent(worst['coverage'])} % at b = {worst['batch_size']:,}"
    )


def _handles(frame: pd.DataFrame) -> list[object]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    nominal = words.span(frame["confidence"].to_numpy(), words.level)
    draws = words.span(frame["draws"].to_numpy(), words.number)
    handles: list[object] = [
        Line2D([], [], label=f"promised: {nominal} %", **REFERENCE),
        Patch(color=style.BAND, label=f"95 % of such shares of {draws} draws, if the promise is kept"),
        Line2D([], [], label="measured", **CURVE),
    ]
    if (frame["coverage_high"] < frame["confidence"]).any():
        handles.append(Line2D([], [], label="too low by more than chance", **_TOO_LOW))
    return [*handles, configured_handle()]
