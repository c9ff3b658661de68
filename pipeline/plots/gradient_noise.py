"""How long the rows' gradients are, and what training with each batch size costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..report import words
from . import style
from .names import titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STEPS, _EXAMPLES, _JUDGE = style.COLOURS[0], style.COLOURS[1], style.COLOURS[2]
# Gradients shorter than this share of the root mean square share one bar: they do not contribute.
_SHORTEST = 1e-6
_BINS = 60


def draw(
    squared: NDArray[np.float64],
    metrics: Mapping[str, float],
    *,
    about: str,
    confidence: float,
    tolerance: float,
    subject: str = "",
) -> Figure:
    """Draw the rows' gradient norms, and steps and examples against the training batch size.

    Parameters
    ----------
    squared : ndarray of float, shape (n,)
        Squared gradient norms of the rows, not all 0.
    metrics : mapping
        Of a cell of ``study=gradient_noise``.
    about : str
        Whose rows.
    confidence, tolerance : float
        Of the intervals; of the judgement of the loss, nats.
    subject : str
        The data that are judged and the model, for the title.
    """
    scale, low, high = (metrics[f"gradient_noise/scale{end}"] for end in ("_debiased", "_low", "_high"))
    figure, axes = style.new_figure(titled(subject, _title(scale, low, high, f"{words.level(confidence)} %")))
    norms, costs = axes[0]
    handles = _norms(norms, squared, metrics["gradient/norm_squared"], about)
    handles += _costs(costs, (scale, low, high), len(squared), f"{words.level(confidence)} %")
    handles += _judged(costs, metrics["loss/n_for_tolerance"], tolerance, f"{words.level(confidence)} %")
    style.legend(figure, handles)
    return figure


def _title(scale: float, low: float, high: float, level: str) -> str:
    if math.isinf(high):
        return f"How large a training batch pays, the data cannot tell: {words.estimated(low)} rows or more ({level})"
    ends = f"{level}: {words.estimated(low)} to {words.estimated(high)}"
    return f"Larger training batches pay up to about {words.estimated(scale)} rows ({ends})"


def _norms(axes: Axes, squared: NDArray[np.float64], mean_squared: float, about: str) -> list[Any]:
    root, mean = math.sqrt(squared.mean()), math.sqrt(max(mean_squared, 0.0))
    least = _SHORTEST * root
    norms = np.sqrt(squared)
    share = _share_of_half(squared)
    style.name_panel(
        axes,
        title=f"{about}: {words.percent(share)} % of them make half of the sum of squared lengths",
        x="length of a row's gradient [nats per unit of weight]",
        y="rows",
    )
    shown = np.maximum(norms, least)
    ends = [value for value in (shown.min(), shown.max(), mean) if value > 0]
    style.log_axis(axes.xaxis, ends, words.number)
    axes.hist(
        shown, bins=np.geomspace(shown.min(), shown.max() * 1.0001, _BINS).tolist(), color=style.COLOURS[4], zorder=2
    )
    axes.yaxis.set_major_formatter(lambda value, _: words.number(value))
    if (norms < least).any():
        style.note(axes, [f"The first bar holds {np.count_nonzero(norms < least):,} rows whose gradient is shorter"])
    handles: list[Any] = [
        axes.axvline(root, color=style.INK, linewidth=1.6, label="root mean square of the rows' lengths")
    ]
    if mean > 0:
        line = axes.axvline(mean, color=style.INK, linewidth=1.6, linestyle="--", label="length of their mean gradient")
        handles.append(line)
    return handles


def _costs(axes: Axes, ends: tuple[float, float, float], n: int, level: str) -> list[Any]:
    from matplotlib.patches import Patch

    scale, low, high = ends
    style.name_panel(
        axes,
        title="A smaller batch takes more steps, a larger one more examples",
        x="training batch size b [rows]",
        y="to the same loss, × the fewest",
    )
    if not low > 0:
        style.empty(axes, "All rows have the same gradient: a batch of one row is as good as any.")
        return []
    # Without an upper end of the scale's interval, the curves are drawn for its lower end: they are bounds.
    is_known = math.isfinite(high)
    centre = scale if is_known else low
    most = max(float(n), 10 * centre)
    sizes = np.geomspace(1.0, most, 400)
    top = 1 + max(centre, most / low)
    style.log_axis(axes.xaxis, [1.0, most], words.count, at_most=5)
    style.log_axis(axes.yaxis, [1.0, top], words.count)
    axes.set_xlim(0.8, most)
    axes.set_ylim(0.85, top * 1.4)
    bounds = (
        (_STEPS, "steps", lambda b: 1 + b / sizes, "at least"),
        (_EXAMPLES, "examples", lambda b: 1 + sizes / b, "at most"),
    )
    handles: list[Any] = []
    for colour, what, multiple, bound in bounds:
        if is_known:
            axes.fill_between(sizes, multiple(low), multiple(high), color=colour, alpha=0.2, linewidth=0, zorder=1)
        label = f"{what}, with {level} interval" if is_known else f"{what}, {bound} ({level} interval)"
        look = "-" if is_known else "--"
        (line,) = axes.plot(sizes, multiple(centre), look, color=colour, linewidth=1.8, label=label, zorder=3)
        handles.append(line)
    axes.axvspan(low, min(high, most), color=style.BAND, alpha=0.6, linewidth=0, zorder=0)
    if is_known:
        axes.axvline(scale, color=style.INK, linewidth=1.2, zorder=2)
    found = f"{words.estimated(scale)} rows, and its" if is_known else f"{words.estimated(low)} rows or more,"
    handles.append(Patch(color=style.BAND, alpha=0.6, label=f"to train: noise scale {found} {level} interval"))
    return handles


def _judged(axes: Axes, size: float, tolerance: float, level: str) -> list[Any]:
    if not (math.isfinite(size) and axes.lines):
        return []
    label = f"to judge: {words.count(size)} rows tell the loss within ±{tolerance:g} nats ({level})"
    return [axes.axvline(size, color=_JUDGE, linewidth=1.8, linestyle=":", label=label, zorder=2)]


def _share_of_half(squared: NDArray[np.float64]) -> float:
    """The smallest share of the rows whose squared norms make up half of the sum."""
    sums = np.cumsum(np.sort(squared)[::-1])
    return float(np.searchsorted(sums, sums[-1] / 2) + 1) / len(squared)
