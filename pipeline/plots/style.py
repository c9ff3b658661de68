"""The shared style of all plots: sizes, colours, panels, legends, and axes with plain numbers."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..report import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure


# 10 in at 160 dpi are 1,600 px; MLflow's viewer shows that at half size or more, where 10 pt are still 11 px high.
WIDTH, DPI = 10.0, 160
SMALL, NORMAL, LARGE = 10.0, 11.0, 13.0
# Okabe & Ito (2008), told apart by colour-blind people too; the yellow is left out, too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, QUIET, BAND = "#222222", "#666666", "#D0D0D0"
# A design has the same colour in every picture. Where a key has several of these parts, the longest counts. The colours
# that Okabe & Ito do not have are of Paul Tol's muted scheme, made for the same purpose.
DESIGNS = {
    "with_replacement": "#0072B2",
    "without_replacement": "#D55E00",
    "epoch": "#882255",
    "blocks": "#661100",
    "stratified": "#009E73",
    "stratified_label": "#117733",
    "neyman_loss": "#CC79A7",
    "neyman_accuracy": "#332288",
    "importance": "#56B4E9",
    "importance_entropy": "#44AA99",
    "systematic": "#E69F00",
    "systematic_stored": "#999933",
    "difference": "#CC6677",
}
# Characters of an entry of the legend.
_LONGEST_LABEL = 100
# Inches beside a panel for its tick labels and axis label; rather too many, so that labels which are planned to fit do.
_MARGIN = 1.0


def design_colour(key: str) -> str:
    """Return the colour of a design, by its name or its key; one that is not in the table is grey.

    Examples
    --------
    >>> design_colour("importance_confidence") == design_colour("importance"), design_colour("mine")
    (True, '#666666')
    """
    parts = [part for part in DESIGNS if part in key]
    return DESIGNS[max(parts, key=len)] if parts else QUIET


@contextmanager
def silent_on_missing_glyphs() -> Iterator[None]:
    """Say nothing of letters that the font has not: the picture has boxes in their place, and the tables the names."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from", UserWarning)
        yield


def new_figure(title: str, *, rows: int = 1, columns: int = 2, height: float = 5.4) -> tuple[Figure, NDArray[Any]]:
    """Return a figure of `rows` x `columns` panels and its axes, without pyplot.

    Parameters
    ----------
    title : str
        The message, a sentence.
    rows, columns : int
        How many panels.
    height : float
        Of the figure, inches.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08)
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    figure.suptitle(plain(balanced(title, 92)), fontsize=LARGE, fontweight="bold", color=INK)
    axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        each.tick_params(labelsize=SMALL, colors=INK)
        each.spines[["top", "right"]].set_visible(False)
        each.grid(color="#EBEBEB", linewidth=0.8)
        each.set_axisbelow(True)
    return figure, axes


def panel_grid(
    title: str, n: int, *, blocks: int = 1, panel: float = 4.2, besides: float = 1.2
) -> tuple[Figure, list[list[Axes]]]:
    """Return a figure of `n` panels, two side by side unless there is but one, and its axes; for each block anew.

    Parameters
    ----------
    title : str
        The message, a sentence.
    n : int
        Panels of a block, at least 1.
    blocks : int
        Blocks, one below the other.
    panel, besides : float
        Height of a panel, and of what stands above and below all of them, inches.
    """
    columns, rows = min(n, 2), -(-n // 2)
    figure, axes = new_figure(title, rows=blocks * rows, columns=columns, height=besides + panel * blocks * rows)
    found = [list(axes[block * rows : (block + 1) * rows].flat) for block in range(blocks)]
    for own in found:
        for left_over in own[n:]:
            left_over.remove()
    return figure, [own[:n] for own in found]


def name_panel(axes: Axes, *, title: str, x: str, y: str) -> None:
    """Set a panel's title (wrapped to its width) and its axis labels, which state the units."""
    axes.set_title(plain(balanced(title, 54)), fontsize=NORMAL, color=INK)
    axes.set_xlabel(plain(x), fontsize=NORMAL, color=INK)
    axes.set_ylabel(plain(y), fontsize=NORMAL, color=INK)


def batch_size_axis(axes: Axes, sizes: ArrayLike, *, beside: float = _MARGIN) -> None:
    """Make x logarithmic with a tick at each batch size, labelled such as 60,000, in two lines where one is too tight.

    Parameters
    ----------
    axes : Axes
        The panel.
    sizes : array_like of int
        The swept batch sizes, rows; at least one.
    beside : float
        Inches beside the panel for its tick labels and axis label.
    """
    place = axes.get_subplotspec()
    columns = 2 if place is None else place.get_gridspec().ncols
    at = np.unique(np.asarray(sizes, dtype=np.float64))
    room = max((at[-1] / at[0]) ** 0.06, 1.35) if len(at) > 1 else 3.0
    low, high = at[0] / room, at[-1] * room
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    labels = [f"{size:,.0f}" for size in at]
    inches = np.log(at / low) / np.log(high / low) * (WIDTH / columns - beside)
    lines = _lines(inches, [_label_width(label) for label in labels])
    # Minor ticks make the second line, since their labels can have another distance from the axis.
    first = ["" if line < 0 else label for label, line in zip(labels, lines, strict=True) if line != 1]
    second = [label for label, line in zip(labels, lines, strict=True) if line == 1]
    _set_ticks(axes.xaxis, at[lines != 1], first)
    _set_ticks(axes.xaxis, at[lines == 1], second, minor=True)
    axes.tick_params(axis="x", which="both", length=4.0, width=0.8, labelsize=SMALL, labelcolor=INK, color=INK)
    axes.tick_params(axis="x", which="minor", pad=3.5 + 1.3 * SMALL)
    axes.grid(axis="x", which="both", color="#EBEBEB", linewidth=0.8)


def log_axis(axis: Axis, values: ArrayLike, form: Callable[[float], str], *, at_most: int = 8) -> None:
    """Make an axis logarithmic around `values` with few ticks, written by `form`.

    Parameters
    ----------
    axis : Axis
        ``axes.xaxis`` or ``axes.yaxis``.
    values : array_like of float
        What must be seen; those that are not positive, or beyond 1e-150 … 1e150, are passed over.
    form : callable
        Writes a tick's value.
    at_most : int
        How many ticks there is room for.
    """
    known = np.asarray(values, dtype=np.float64)
    # Larger and smaller values cannot be drawn: the margin around them would overflow or vanish.
    known = known[(known > 1e-150) & (known < 1e150)]
    least, most = (known.min(), known.max()) if len(known) else (0.1, 1.0)
    # The axis spans at least a factor of four, so that it contains a round number.
    room = max((most / least) ** 0.09, 2.0 / np.sqrt(most / least), 1.25)
    low, high = least / room, most * room
    if axis is axis.axes.xaxis:
        axis.axes.set_xscale("log")
        axis.axes.set_xlim(low, high)
    else:
        axis.axes.set_yscale("log")
        axis.axes.set_ylim(low, high)
    ticks = log_ticks(low, high, at_most=at_most)
    _set_ticks(axis, ticks, [form(tick) for tick in ticks])
    _set_ticks(axis, np.empty(0), [], minor=True)


def log_ticks(low: float, high: float, *, at_most: int = 8) -> NDArray[np.float64]:
    """Return round numbers within `low` … `high`, both positive: decades if there are three, else finer steps."""
    from matplotlib.ticker import LogLocator

    ticks = np.empty(0)
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), tuple(range(1, 10))):
        # The locator skips decades evenly if there are too many, and divides less than one decade into equal steps.
        ticks = np.asarray(LogLocator(subs=steps, numticks=at_most).tick_values(low, high))
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) >= 3:
            break
    return ticks[:: int(np.ceil(len(ticks) / at_most)) or 1]


def balanced(text: str, width: int) -> str:
    """Wrap each line to lines of near equal length, at most `width` characters where the words allow it."""
    wrapped = []
    for line in text.splitlines():
        fewest = len(textwrap.wrap(line, width))
        fits = [w for w in range(20, width + 1) if len(textwrap.wrap(line, w)) == fewest]
        wrapped.append(textwrap.fill(line, fits[0] if fits else width))
    return "\n".join(wrapped)


def plain(text: str) -> str:
    """Escape dollar signs, which matplotlib would read as mathematics."""
    return text.replace("$", r"\$")


def note(axes: Axes, lines: Sequence[str]) -> None:
    """Write lines below a panel's axis label, where they cover no data."""
    if not lines:
        return
    axes.annotate(
        plain("\n".join(balanced(line, 60) for line in lines)),
        (0.5, 0.0),
        xycoords=axes.xaxis.label,
        xytext=(0, -4),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=SMALL,
        color=QUIET,
        linespacing=1.3,
    )


def empty(axes: Axes, why: str, *, width: int = 40) -> None:
    """Write in the middle of a panel, in lines of at most `width` characters, why it is empty."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        plain(balanced(why, width)),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=NORMAL,
        color=QUIET,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 4.0},
    )


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """Put one legend below all panels, where it covers no data; the figure's height grows with the legend's lines."""
    for handle in handles:
        handle.set_label(plain(words.shortened(handle.get_label(), _LONGEST_LABEL)))
    columns = _legend_columns([len(handle.get_label()) + 7 for handle in handles])
    further = -(-len(handles) // columns) - 1
    figure.set_figheight(figure.get_figheight() + 1.6 * SMALL / 72 * further)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=SMALL, frameon=False)


def _set_ticks(axis: Axis, at: NDArray[np.float64], labels: list[str], *, minor: bool = False) -> None:
    from matplotlib.ticker import FixedFormatter, FixedLocator

    # Not Axis.set_ticks: on a log axis it may widen the limits.
    (axis.set_minor_locator if minor else axis.set_major_locator)(FixedLocator(at.tolist()))
    (axis.set_minor_formatter if minor else axis.set_major_formatter)(FixedFormatter(labels))


def _lines(centres: NDArray[np.float64], widths: Sequence[float]) -> NDArray[np.int64]:
    """Line 0 or 1 of each label, -1 where it fits neither; the last and the first are placed before the others."""
    n = len(centres)
    lines = np.full(n, -1)
    for i in dict.fromkeys([n - 1, 0, *range(n)]):
        for line in (0, 1):
            others = np.flatnonzero(lines == line)
            if all(abs(centres[i] - centres[j]) >= (widths[i] + widths[j]) / 2 for j in others.tolist()):
                lines[i] = line
                break
    return lines


def _label_width(label: str) -> float:
    # DejaVu Sans: a digit is 0.64 em wide, a comma half of that; and a gap of half a digit.
    return (0.64 * len(label) - 0.32 * label.count(",") + 0.35) * SMALL / 72


def _legend_columns(widths: Sequence[int], at_most: int = 118) -> int:
    """How many columns of a legend, which is filled column by column, fit in a width counted in characters."""
    for columns in range(len(widths), 1, -1):
        if sum(column.max() for column in np.array_split(np.array(widths), columns)) <= at_most:
            return columns
    return 1
