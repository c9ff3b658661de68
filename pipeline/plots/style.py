"""The shared look: sizes, colours, axes that name plain numbers, and where text goes so that none collides."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox, BboxBase

    from pipeline.plots.frames import Group

# 10 in at 160 dpi are 1,600 px; MLflow's viewer shows that at half size or more, where 10 pt are still 11 px high.
WIDTH, DPI = 10.0, 160
SMALL, NORMAL, LARGE = 10.0, 11.0, 13.0
# Okabe & Ito (2008), told apart by colour-blind people too; the yellow is left out, too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "^", "D", "v", "P")
INK, QUIET, BAND = "#222222", "#666666", "#D0D0D0"
# Inches beside a panel for its tick labels and axis label; generous, so that labels planned to fit do.
_MARGIN = 1.0


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
    axes.set_xlabel(x, fontsize=NORMAL, color=INK)
    axes.set_ylabel(y, fontsize=NORMAL, color=INK)


def batch_size_axis(axes: Axes, sizes: ArrayLike) -> None:
    """Make x logarithmic with a tick at each batch size, labelled such as 60,000, in two lines where one is too tight.

    Parameters
    ----------
    axes : Axes
        The panel.
    sizes : array_like of int
        The swept batch sizes, rows; at least one.
    """
    place = axes.get_subplotspec()
    columns = 2 if place is None else place.get_gridspec().ncols
    at = np.unique(np.asarray(sizes, dtype=np.float64))
    room = max((at[-1] / at[0]) ** 0.06, 1.35) if len(at) > 1 else 3.0
    low, high = at[0] / room, at[-1] * room
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    labels = [f"{size:,.0f}" for size in at]
    inches = np.log(at / low) / np.log(high / low) * (WIDTH / columns - _MARGIN)
    lines = _lines(inches, [_label_width(label) for label in labels])
    # The second line is made of minor ticks, which have a distance of their own from the axis.
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
    # What is beyond cannot be drawn, for the room around it would be infinite or 0.
    known = known[(known > 1e-150) & (known < 1e150)]
    least, most = (known.min(), known.max()) if len(known) else (0.1, 1.0)
    # At least a factor of four, so that some round number is within.
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
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    ticks = decades
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), tuple(range(1, 10))):
        ticks = np.outer(decades, steps).ravel()
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) >= 3:
            break
    return ticks[:: int(np.ceil(len(ticks) / at_most)) or 1]


def number(value: float) -> str:
    """Write a number in full, without an exponent.

    Examples
    --------
    >>> number(0.0003), number(60000.0)
    ('0.0003', '60,000')
    """
    if abs(value) >= 1:
        return f"{value:,.6f}".rstrip("0").rstrip(".")
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")


def duration(seconds: float) -> str:
    """Write a time with the unit people would use.

    Examples
    --------
    >>> duration(2e-5), duration(0.0853), duration(12)
    ('20 µs', '85 ms', '12 s')
    """
    for unit, name in ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms"), (1.0, "s")):
        if seconds < 999.5 * unit or name == "s":
            break
    return f"{significant(seconds / unit).removesuffix('.0')} {name}"


def counted(n: float, one: str, many: str | None = None) -> str:
    """Write a number of things: 1 row, 1,000 rows."""
    return f"{n:,.0f} {one if n == 1 else many or one + 's'}"


def significant(value: float) -> str:
    """Write two significant digits in full, such as 0.067, 4.9, 130."""
    if not np.isfinite(value) or value == 0:
        return "0" if value == 0 else str(value)
    rounded = float(f"{value:.1e}")
    digits = 1 - int(np.floor(np.log10(abs(rounded))))
    return number(rounded) if digits < 0 else f"{rounded:.{digits}f}"


def span(values: ArrayLike, form: Callable[[float], str] = significant) -> str:
    """Write the least and the most of some finite values, once if they read the same.

    Examples
    --------
    >>> span([0.064, 0.0671]), span([1.7e-4, 1.9e-4], duration)
    ('0.064–0.067', '170–190 µs')
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return "an unknown number of"
    low, high = form(known.min()), form(known.max())
    if low == high:
        return low
    amount, _, unit = low.rpartition(" ")
    return f"{amount}–{high}" if amount and high.endswith(f" {unit}") else f"{low}–{high}"


def balanced(text: str, width: int) -> str:
    """Wrap each line to lines of near equal length, at most `width` characters where the words allow it."""
    wrapped = []
    for line in text.splitlines():
        fewest = len(textwrap.wrap(line, width))
        fits = [w for w in range(20, width + 1) if len(textwrap.wrap(line, w)) == fewest]
        wrapped.append(textwrap.fill(line, fits[0] if fits else width))
    return "\n".join(wrapped)


def plain(text: str) -> str:
    """Keep matplotlib from reading dollar signs as mathematics."""
    return text.replace("$", r"\$")


def note(axes: Axes, lines: Sequence[str]) -> None:
    """Write what is not drawn under a panel's axis label, where it covers no data."""
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


def empty(axes: Axes, why: str) -> None:
    """Say in a panel's middle why there is nothing in it."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        plain(balanced(why, 40)),
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=NORMAL,
        color=QUIET,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 4.0},
    )


def legend(figure: Figure, handles: Sequence[Any]) -> None:
    """Put one legend for all panels below them, where it covers no data; the figure grows by its further lines."""
    for handle in handles:
        handle.set_label(_shortened(plain(handle.get_label())))
    columns = _legend_columns([len(handle.get_label()) + 7 for handle in handles])
    further = -(-len(handles) // columns) - 1
    figure.set_figheight(figure.get_figheight() + 1.6 * SMALL / 72 * further)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, fontsize=SMALL, frameon=False)


def plot_points(axes: Axes, group: Group, x: ArrayLike, y: ArrayLike, *, linewidth: float = 0.0) -> None:
    """Draw a group's points with its colour and marker, joined by a line if that has a width."""
    axes.plot(
        np.asarray(x),
        np.asarray(y),
        marker=group.marker,
        color=group.colour,
        markerfacecolor=group.fill,
        markeredgewidth=1.5,
        markersize=6.5,
        linestyle="-" if linewidth else "",
        linewidth=linewidth,
        zorder=3,
    )


def group_handles(groups: Sequence[Group], *, at_most: int = 9) -> list[Any]:
    """Return legend entries that name the groups; none if there is but one."""
    from matplotlib.lines import Line2D

    if len(groups) < 2:
        return []
    handles = [
        Line2D([], [], color=g.colour, marker=g.marker, markerfacecolor=g.fill, markeredgewidth=1.5, label=g.name)
        for g in groups[:at_most]
    ]
    if len(groups) > at_most:
        handles.append(Line2D([], [], linestyle="", label=f"… and {len(groups) - at_most} more groups"))
    return handles


def lay_out(figure: Figure) -> None:
    """Give the panels their places, which drawing would do too late for texts that depend on them."""
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)


def label_points(axes: Axes, points: Sequence[tuple[float, float, str]]) -> None:
    """Write a text beside each point of a falling curve where it covers neither a point nor another text.

    The figure must be complete otherwise, and laid out. A text that fits nowhere, or stands near by
    already for another group's point, is left out.
    """
    from matplotlib.transforms import Bbox

    if not points:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    pixel = figure.dpi / 72
    centres = axes.transData.transform([(x, y) for x, y, _ in points])
    near = [Bbox([centre - 3.5 * pixel, centre + 3.5 * pixel]) for centre in centres]
    # A text close to another size's point would be read as that one's.
    wide = [Bbox([centre - 7 * pixel, centre + 7 * pixel]) for centre in centres]
    taken: list[Bbox] = []
    said: list[tuple[str, NDArray[np.float64]]] = []
    for (x, y, text), centre in zip(points, centres, strict=True):
        if any(text == other and np.hypot(*(centre - at)) < 14 * pixel for other, at in said):
            continue
        label = axes.annotate(text, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=SMALL, color=INK)
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.4})
        label.set_in_layout(False)
        own = [other == text for _, _, other in points]
        points_in_the_way = [near[j] if own[j] else wide[j] for j in range(len(points))]
        box = _placed(label, axes.bbox, [*points_in_the_way, *taken])
        if box is None:
            label.remove()
        else:
            taken.append(box)
            said.append((text, centre))


def _placed(label: Annotation, frame: BboxBase, taken: Sequence[BboxBase]) -> Bbox | None:
    """Move a label to where it is inside the frame and covers nothing; None if there is no such place."""
    # A falling curve leaves the upper right and the lower left of each point free.
    for dx, dy, ha, va in (
        (5, 3, "left", "bottom"),
        (-5, -3, "right", "top"),
        (9, 0, "left", "center"),
        (-9, 0, "right", "center"),
    ):
        label.xyann = (dx, dy)
        label.set(ha=ha, va=va)
        box = label.get_window_extent()
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        if inside and not box.count_overlaps(list(taken)):
            return box
    return None


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


def _shortened(label: str, at_most: int = 100) -> str:
    return label if len(label) <= at_most else f"{label[: at_most // 2]} … {label[-at_most // 2 :]}"
