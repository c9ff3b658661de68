"""The funnel: how the estimates of single batches close in on the value of all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..report import words
from ..report.words import in_words
from . import style
from .names import subject, titled
from .sweep_cells import Group, familiar_size, groups_of, has, metrics_in, missing, theory, unit_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_Z = 1.96
_QUANTILES = (0.025, 0.975)
_MOST_PANELS = 8
_SHOWN_DRAWS = 150
# Below 40 draws the 2.5 % quantile lies between the lowest two draws or under them.
_FEWEST_FOR_QUANTILES = 40
_SPREAD: dict[str, Any] = {
    "fmt": "none",
    "ecolor": style.INK,
    "elinewidth": 1.2,
    "capsize": 4.5,
    "capthick": 1.6,
    "zorder": 4,
}


def draw(cells: pd.DataFrame, draws: pd.DataFrame) -> Figure:
    """Draw the draws' estimates, and the band that theory gives, against batch size; with a row of panels per group.

    Parameters
    ----------
    cells, draws : DataFrame
        As :class:`pipeline.cell.comparison.Comparison` has them.
    """
    groups = groups_of(cells, draws)
    metrics = metrics_in(cells)
    shown = groups[: max(1, _MOST_PANELS // (2 * -(-len(metrics) // 2)))]
    title = _title(shown, metrics)
    if len(shown) < len(groups):
        title += f" (the first {len(shown)} of {len(groups)} groups)"
    frames = {metric.column: _shared_frame(shown, metric) for metric in metrics}
    figure, axes = style.panel_grid(titled(subject(cells), title), len(metrics), blocks=len(shown), besides=1.4)
    for group, panels in zip(shown, axes, strict=True):
        for panel, metric in zip(panels, metrics, strict=True):
            _panel(panel, group, metric, cells["batch_size"].to_numpy(), frames[metric.column])
    style.legend(figure, _handles([panel for own in axes for panel in own], shown, metrics))
    return figure


def _title(groups: list[Group], metrics: list[Metric]) -> str:
    narrower = []
    for group in groups:
        for metric in metrics:
            if not has(metric, group.cells):
                continue
            error = metric.error(group.cells)
            narrower.append(len(error) > 1 and bool(error[-1] < error[0]))
    size = words.span(np.concatenate([group.cells["population_size"].to_numpy() for group in groups]), words.number)
    names = in_words([metric.words for metric in metrics])
    if all(narrower):
        come = "comes to that" if len(metrics) == 1 else "come to those"
        return f"The larger the batch, the closer its {names} {come} of all {size} rows"
    return f"{names[:1].upper()}{names[1:]} of single batches, and of all {size} rows"


def _panel(axes: Axes, group: Group, metric: Metric, sizes: NDArray[np.int64], frame: tuple[float, float]) -> None:
    truth, se = metric.of(group.cells, "all"), metric.of(group.cells, "se")
    known = np.isfinite(truth)
    estimates = [_estimates(group, metric, size) for size in group.sizes]
    style.batch_size_axis(axes, sizes)
    style.name_panel(
        axes,
        title=_message(group, metric),
        x=f"batch size b [{unit_of(group.cells)}]",
        y=metric.label,
    )
    if not has(metric, group.cells):
        style.empty(axes, missing(metric, group.cells))
        return
    low, high = frame
    axes.set_ylim(low, high)
    if known.any():
        value = truth[known][0]
        grid, error = theory(group.sizes, se)
        axes.fill_between(grid, value - _Z * error, value + _Z * error, color=style.BAND, linewidth=0, zorder=1)
        axes.axhline(value, color=style.INK, linewidth=1.2, zorder=3)
    width = _jitter_width(sizes)
    for size, values in zip(group.sizes, estimates, strict=True):
        _scatter(axes, size, values[(low <= values) & (values <= high)], width, group.colour)
    _mark_spread(axes, group.sizes, estimates)
    lines = _mark_cut(axes, group.sizes, estimates, (low, high), group.colour)
    style.note(axes, lines)


def _estimates(group: Group, metric: Metric, size: int) -> NDArray[np.float64]:
    own = group.draws.loc[group.draws["batch_size"] == size, metric.column]
    return metric.factor * own.to_numpy(dtype=np.float64)


def _message(group: Group, metric: Metric) -> str:
    """Say how near the value of all rows most batches of a familiar size come."""
    prefix = f"{group.name}\n" if group.name else ""
    if not has(metric, group.cells):
        return f"{prefix}{metric.title}"
    reason = missing(metric, group.cells)
    if reason:
        return prefix + reason
    size = familiar_size(group.cells)
    truth = metric.of(group.cells[group.cells["batch_size"] == size], "all")[-1]
    off = np.abs(_estimates(group, metric, size) - truth)
    off = off[np.isfinite(off)]
    if len(off) < _FEWEST_FOR_QUANTILES:
        return f"{prefix}{metric.title}"
    if np.quantile(off, 0.95) <= 1e-12 * max(metric.factor, abs(truth)):
        return f"{prefix}{metric.title}: {size:,}-row batches give it exactly"
    reach = f"within ±{words.significant(np.quantile(off, 0.95))} {metric.short_unit}".rstrip()
    return f"{prefix}{metric.title}: 95 % of {size:,}-row batches {reach}"


def _shared_frame(groups: list[Group], metric: Metric) -> tuple[float, float]:
    """Return limits of y that hold the frames of all groups, so that they can be compared."""
    frames = []
    for group in groups:
        truth = metric.of(group.cells, "all")
        if has(metric, group.cells):
            estimates = [_estimates(group, metric, size) for size in group.sizes]
            se = metric.of(group.cells, "se")
            frames.append(_frame(estimates, truth[np.isfinite(truth)][:1], se, metric.bounds))
    return (min(low for low, _ in frames), max(high for _, high in frames)) if frames else (0.0, 1.0)


def _frame(
    estimates: list[NDArray[np.float64]],
    truth: NDArray[np.float64],
    se: NDArray[np.float64],
    bounds: tuple[float, float],
) -> tuple[float, float]:
    """Choose the limits of y.

    The smallest of four or more sizes does not count: a batch of one row strays up to ten nats, and a frame that held
    it would press the funnel flat. What falls outside is told in words.
    """
    first = 1 if len(estimates) >= 4 else 0
    ends = [*truth]
    for values, error in zip(estimates[first:], se[first:], strict=True):
        finite = values[np.isfinite(values)]
        if len(finite):
            ends += [*np.quantile(finite, list(_QUANTILES))]
        if len(truth) and np.isfinite(error):
            ends += [truth[0] - _Z * error, truth[0] + _Z * error]
    if not ends:
        return 0.0, 1.0
    low, high = max(min(ends), bounds[0]), min(max(ends), bounds[1])
    room = 0.05 * (high - low) or 0.05 * abs(high) or 0.05
    return low - room, high + room


def _jitter_width(sizes: NDArray[np.int64]) -> float:
    gaps = np.diff(np.log(np.unique(sizes)))
    return float(np.exp(min(0.25, 0.3 * gaps.min()))) if len(gaps) else 1.25


def _scatter(axes: Axes, size: int, values: NDArray[np.float64], width: float, colour: str) -> None:
    shown = values[:_SHOWN_DRAWS]
    if len(values) == 1:
        axes.plot([size], values, "o", color=colour, markersize=6, zorder=5)
        return
    # The golden ratio's multiples fill an interval evenly, without a random generator.
    place = 2 * (np.arange(len(shown)) * 0.6180339887 % 1) - 1
    axes.plot(size * width**place, shown, ".", color=colour, alpha=0.3, markersize=4, markeredgewidth=0, zorder=2)


def _mark_spread(axes: Axes, sizes: NDArray[np.int64], estimates: list[NDArray[np.float64]]) -> None:
    top = 2 * abs(axes.get_ylim()[1]) + 1
    marks = []
    for size, values in zip(sizes, estimates, strict=True):
        if len(values) < 2 or np.isnan(values).any():
            continue
        wanted = list(_QUANTILES) if len(values) >= _FEWEST_FOR_QUANTILES else [0.0, 1.0]
        # Order statistics, not interpolated quantiles, so that an infinite draw does not affect finite ones.
        low, high = np.quantile(values, wanted, method="inverted_cdf")
        if np.isfinite(low):
            # If the upper end is infinite, the bar extends beyond the frame.
            marks.append((size, low, high if np.isfinite(high) else top))
    if marks:
        x, low, high = np.array(marks, dtype=np.float64).T
        axes.errorbar(x, low, yerr=[0 * low, high - low], **_SPREAD)


def _mark_cut(
    axes: Axes,
    sizes: NDArray[np.int64],
    estimates: list[NDArray[np.float64]],
    frame: tuple[float, float],
    colour: str,
) -> list[str]:
    """Put an arrow inside the frame where draws lie beyond it, and return lines that say how many."""
    lines = []
    for sign, edge, marker, word in ((1, 0.98, "^", "above"), (-1, 0.02, "v", "below")):
        limit = frame[1] if sign > 0 else frame[0]
        counts = [int(np.count_nonzero(sign * values > sign * limit)) for values in estimates]
        cut = [(size, count, len(v)) for size, count, v in zip(sizes, counts, estimates, strict=True) if count]
        for size, _, _ in cut:
            axes.plot(
                [size], [edge], marker, transform=axes.get_xaxis_transform(), color=colour, clip_on=False, zorder=5
            )
        told = [f"{count:,} of {n:,} (b = {size:,})".replace(" ", "\u00a0") for size, count, n in cut]
        if len(told) > 2:
            told = [told[0], f"{sum(count for _, count, _ in cut[1:]):,} at larger b".replace(" ", "\u00a0")]
        if told:
            lines.append(f"{'▲' if sign > 0 else '▼'} draws {word} the frame: {', '.join(told)}")
    return lines


def _handles(panels: list[Axes], groups: list[Group], metrics: list[Metric]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    counts = np.concatenate([group.cells["draws"].to_numpy() for group in groups])
    bars = next((list(panel.containers) for panel in panels if panel.containers), [])[:1]
    most = int(counts.max())
    shown = f"one batch ({_SHOWN_DRAWS} of {words.span(counts, words.number)} drawn)"
    colour = groups[0].colour if len(groups) == 1 else style.QUIET
    handles: list[Any] = [
        Line2D([], [], marker="o", linestyle="", color=colour, alpha=0.7, markersize=5),
        *bars,
    ]
    spread = "2.5–97.5 % of them" if counts.min() >= _FEWEST_FOR_QUANTILES else "lowest to highest"
    labels = [
        shown if most > _SHOWN_DRAWS else "one batch",
        *[spread for _ in bars],
    ]
    if any(np.isfinite(metric.of(group.cells, "all")).any() for group in groups for metric in metrics):
        handles += [Line2D([], [], color=style.INK, linewidth=1.2), Patch(color=style.BAND)]
        labels += ["all rows", "theory: ±1.96 standard errors"]
    for handle, label in zip(handles, labels, strict=True):
        handle.set_label(label)
    return handles
