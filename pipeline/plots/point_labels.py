"""Labels beside points, placed where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from . import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox, BboxBase


@style.silent_on_missing_glyphs()
def lay_out(figure: Figure) -> None:
    """Lay out the panels now: texts are placed by the panels' positions, which drawing would set too late."""
    engine = figure.get_layout_engine()
    assert engine is not None
    engine.execute(figure)


@style.silent_on_missing_glyphs()
def label_points(axes: Axes, points: Sequence[tuple[float, float, str]], *, uprights: Sequence[float] = ()) -> None:
    """Write a text beside each point of a falling curve where it covers no point, no other text and no upright line.

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
    # A label close to the point of another size would be taken for that one's label.
    wide = [Bbox([centre - 7 * pixel, centre + 7 * pixel]) for centre in centres]
    taken: list[Bbox] = [_upright(axes, x) for x in uprights]
    said: list[tuple[str, NDArray[np.float64]]] = []
    for (x, y, text), centre in zip(points, centres, strict=True):
        if any(text == other and np.hypot(*(centre - at)) < 14 * pixel for other, at in said):
            continue
        label = axes.annotate(
            text, (x, y), xytext=(0, 0), textcoords="offset points", fontsize=style.SMALL, color=style.INK
        )
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


def _upright(axes: Axes, x: float) -> Bbox:
    from matplotlib.transforms import Bbox

    at = axes.transData.transform((x, axes.get_ylim()[0]))[0]
    return Bbox([(at - 1, axes.bbox.y0), (at + 1, axes.bbox.y1)])


def _placed(label: Annotation, frame: BboxBase, taken: Sequence[BboxBase]) -> Bbox | None:
    """Move a label to where it is inside the frame and covers nothing; None if there is no such place."""
    # The curve falls, so the space to the upper right and the lower left of each point is free.
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
