"""How a network that was trained here got where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..report import words
from . import style
from .names import titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..records.learning_curve import LearningCurve


def draw(curve: LearningCurve, about: str = "") -> Figure:
    """Draw the loss (of the batches, and of all training rows) and the accuracy by epoch.

    Parameters
    ----------
    curve : LearningCurve
        One entry an epoch, counted from 1; may be empty.
    about : str
        The data and the model.
    """
    figure, axes = style.new_figure(titled(about, _title(curve)), height=4.6)
    loss, accuracy = axes[0]
    style.name_panel(loss, title="Loss", x="epoch", y="loss [nats]")
    style.name_panel(accuracy, title="Accuracy", x="epoch", y="accuracy of all training rows [%]")
    if not len(curve.loss):
        for panel in axes[0]:
            style.empty(panel, "No epoch was run.")
        return figure
    batches = _line(loss, curve.batch_loss, style.COLOURS[1], "the epoch's batches, mean while training", "s")
    rows = _line(loss, curve.loss, style.COLOURS[0], "all training rows, after the epoch", "o")
    _line(accuracy, 100 * np.asarray(curve.accuracy), style.COLOURS[0], "", "o")
    style.legend(figure, [batches, rows])
    return figure


def _title(curve: LearningCurve) -> str:
    n = len(curve.loss)
    if not n:
        return "Nothing was learnt: no epoch was run"
    after = f"After {words.counted(n, 'epoch')}"
    if not np.isfinite(curve.loss[-1]):
        return f"{after} the loss of all training rows is not finite"
    loss, accuracy = words.significant(curve.loss[-1]), f"{100 * curve.accuracy[-1]:.4g}"
    return f"{after}: loss {loss} nats and accuracy {accuracy} % on all training rows"


def _line(axes: Axes, values: NDArray[np.float64], colour: str, label: str, marker: str) -> object:
    from matplotlib.ticker import MaxNLocator

    epochs = np.arange(1, len(values) + 1)
    seen = np.isfinite(values)
    (line,) = axes.plot(
        epochs[seen],
        np.asarray(values)[seen],
        color=colour,
        label=label,
        linewidth=1.8,
        # With many epochs the markers would merge into a thick line.
        marker=marker if len(values) <= 40 else "",
        markersize=4.5,
    )
    axes.set_xlim(0.5, len(values) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    if not seen.all():
        style.note(axes, [f"Not finite, not drawn: {np.count_nonzero(~seen)} of {len(values)} epochs"])
    return line
