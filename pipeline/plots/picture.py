"""A figure as the files and as the picture of a report: drawn once, saved twice, and described in words."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from ..report.page import Picture
from .style import silent_on_missing_glyphs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Where an SVG is larger, the PNG takes its place: that has about 150 kB.
_MOST_BYTES = 300_000
# A marker takes 130 bytes of an SVG. One with more of them is not even drawn, for the PNG is smaller.
_MOST_MARKERS = 1_000
# What each picture is, by the name of its file.
SHOWS = {
    "by_class": "The value of each class with its interval, beside that of all rows",
    "by_slice": "Each slice of the rows with its interval, beside all rows; worst first",
    "cost": "What each batch size buys: the error of a batch against the time that it takes",
    "coverage": "How often the intervals hold the value of all rows, by batch size",
    "designs": "The sampling designs side by side, at one batch size",
    "difference": "The differences between models, with their intervals",
    "error": "What a batch is off by, measured and by theory, by batch size",
    "funnel": "The funnel: the estimates of single batches around the value of all rows, by batch size",
    "gradient_noise": "The gradients of single rows, and what a batch size costs in steps and examples",
    "interval_coverage": "How often each interval holds the true value, by batch size",
    "interval_width": "How wide each interval is, by batch size",
    "label": "How narrow the intervals are, and will be, by the labels given",
    "landscape": "Loss and accuracy while the parameters move along a line",
    "landscape_plane": "Loss and accuracy while the parameters move along two lines at once",
    "learning_curve": "The training of the network: loss and accuracy by epoch",
    "plan": "How far an estimate may be off against the rows that are drawn, for each design",
    "sequence": "The difference of a candidate with its anytime interval, by the rows that were evaluated",
    "league": "Each model's place by each metric, and the ranks that are possible",
    "power": "The examples that each metric needs to see a change, by the size of the step",
    "rule_audit": "How often a rule lets a worse candidate pass and stops a good one, by the true difference",
    "verdict": "The differences of a candidate with their intervals, against 0 and the margin, and the verdicts",
    "trend": "The model over time: loss and accuracy of each file, with intervals, against the reference",
    "training_curves": "Loss and accuracy while training, for each batch size",
    "training_targets": "Steps, examples and time until a target is reached, by batch size",
    "until": "The intervals while rows are evaluated one after the other",
}


@dataclass(frozen=True, eq=False)
class Saved:
    """A figure that was drawn.

    Attributes
    ----------
    png : bytes
        The content of the file.
    picture : Picture
        The same for a report.
    """

    png: bytes
    picture: Picture


def saved(name: str, figure: Figure, *, as_svg: bool = True) -> Saved:
    """Draw a figure and return it as PNG and as picture of a report.

    The layout, most of the work, is found once. The canvases are called directly, because `Figure.savefig` draws
    everything twice.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    figure : Figure
        As `style.new_figure` makes it.
    as_svg : bool
        Whether the picture may be an SVG, which stays sharp and is small, but has to be drawn once more: 60 ms.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    file = BytesIO()
    with silent_on_missing_glyphs():
        FigureCanvasAgg(figure).print_png(file)
        svg = _svg(figure) if as_svg and _markers(figure) <= _MOST_MARKERS else b""
    is_small = 0 < len(svg) <= _MOST_BYTES
    uri = _uri("image/svg+xml", svg) if is_small else _uri("image/png", file.getvalue())
    return Saved(
        file.getvalue(), Picture(name, _sentence(figure.get_suptitle()), f"{described(name)}. {in_words(figure)}", uri)
    )


def saved_all(figures: Mapping[str, Figure], *, as_svg: bool = True) -> dict[str, Saved]:
    """Return figures by their names as `saved` draws them."""
    return {name: saved(name, figure, as_svg=as_svg) for name, figure in figures.items()}


def stored(name: str, png: bytes) -> Picture:
    """Return a PNG that a run has as a picture of a report; its own titles are in it as pixels alone."""
    return Picture(name, described(name), f"{described(name)}.", _uri("image/png", png))


def described(name: str) -> str:
    """Return what a picture is, by the name of its file; one of several, such as ``funnel_2``, is like the first."""
    own = max((known for known in SHOWS if name.startswith(known)), key=len, default="")
    return SHOWS.get(own, name.replace("_", " ").capitalize())


def in_words(figure: Figure) -> str:
    """Return what a picture shows, in the words that stand in it: title, panels with their axes, legend, notes."""
    # An axis at the other side of a panel, and the scale of colours, have no horizontal one.
    panels = [axes for axes in figure.axes if axes.get_title() or axes.get_xlabel()]
    said = [_sentence(figure.get_suptitle())]
    for i, axes in enumerate(panels, start=1):
        number = f"Panel {i} of {len(panels)}: " if len(panels) > 1 else ""
        said.append(_sentence(f"{number}{_panel(axes)}"))
        said += [_sentence(text.get_text()) for text in axes.texts if _is_note(text, axes)]
    labels = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    if labels:
        said.append(_sentence(f"Legend: {'; '.join(labels)}"))
    return " ".join(filter(None, said))


def _panel(axes: Axes) -> str:
    names = (("vertical", axes.get_ylabel()), ("horizontal", axes.get_xlabel()))
    named = [f"{which} axis: {label}" for which, label in names if label]
    return "; ".join(filter(None, [axes.get_title(), *named]))


def _is_note(text: Text, axes: Axes) -> bool:
    """Whether a text is about the whole panel: what `style.note` writes below it, and `style.empty` into it."""
    from matplotlib.text import Annotation

    return not isinstance(text, Annotation) or text.xycoords is axes.xaxis.label


def _sentence(text: str) -> str:
    r"""Return a text of a figure in one line that ends with a full stop; ``\$`` is a dollar sign there."""
    line = " ".join(text.replace(r"\$", "$").split())
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."


def _markers(figure: Figure) -> int:
    lines = [line for axes in figure.axes for line in axes.lines if line.get_marker() not in (None, "", " ", "None")]
    points = [shown.get_offsets() for axes in figure.axes for shown in axes.collections]
    return sum(np.size(line.get_xdata()) for line in lines) + sum(np.size(own) // 2 for own in points)


def _svg(figure: Figure) -> bytes:
    """Draw the figure, whose layout is final, with letters as text: paths would double the size."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    figure.set_layout_engine("none")
    dpi = figure.dpi
    file, nothing = BytesIO(), dict.fromkeys(("Creator", "Date", "Format", "Type"))
    # A fixed salt: the same figure gives the same ids, and so the same bytes.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "batchscope"}):
        FigureCanvasSVG(figure).print_svg(file, metadata=nothing)
    figure.dpi = dpi
    FigureCanvasAgg(figure)
    text = file.getvalue().decode()
    text = re.sub(r"font-family: [^;\"]*", "font-family: 'DejaVu Sans', Verdana, sans-serif", text)
    # Without the prologue, which names a document type by an address.
    return text[text.index("<svg") :].encode()


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
