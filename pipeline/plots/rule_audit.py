"""How often a rule fails a candidate, and how often the gate calls it worse, by how much worse it truly is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..records.verdict import Audit
from ..report.words import count
from . import style
from .names import titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours of the rule, of the gate's "worse", and of all that the gate does not pass.
_RULE, _GATE, _HELD = style.COLOURS[1], style.COLOURS[0], style.COLOURS[4]


def draw(
    metric: Metric,
    audit: Audit,
    gain: NDArray[np.float64],
    fails: NDArray[np.float64],
    worse: NDArray[np.float64],
    undecided: NDArray[np.float64],
    about: str = "",
) -> Figure:
    """Draw the shares over the true difference; a perfect rule would fail all on one side and none on the other.

    Parameters
    ----------
    metric : Metric
        Of the rule.
    audit : Audit
        The rule.
    gain, fails, worse, undecided : ndarray of float64, shape (points,)
        See `estimation.redraws.Rates`.
    about : str
        The data, and the baseline where these are something else.
    """
    sign = -1.0 if metric.is_better_low else 1.0
    figure, axes = style.new_figure(
        titled(about, f"the rule {audit.rule} beside the gate with the same margin, by the true difference"),
        columns=1,
        height=5.6,
    )
    panel = axes[0, 0]
    x = metric.factor * sign * gain
    limit = -sign * metric.factor * audit.threshold
    panel.plot(
        x, 100 * fails, color=_RULE, linewidth=2.2, marker="s", markersize=4, label=f"the rule {audit.rule} fails it"
    )
    panel.plot(x, 100 * worse, color=_GATE, linewidth=2.2, marker="o", markersize=4, label="the gate calls it worse")
    panel.plot(
        x, 100 * (worse + undecided), color=_HELD, linewidth=1.6, linestyle=(0, (4, 2)),
        label="the gate does not pass it: worse or undecided",
    )  # fmt: skip
    panel.axvline(limit, color=style.INK, linewidth=1.2, linestyle=(0, (2, 1.5)))
    panel.axvline(0, color=style.INK, linewidth=0.9)
    unit = f", {metric.error_unit}" if metric.error_unit else ""
    style.name_panel(
        panel,
        title=f"Share of {count(audit.draws)} samples of known difference",
        x=f"true difference of {metric.words}, candidate minus baseline{unit}",
        y="% of samples",
    )
    panel.set_ylim(-3, 112)
    panel.set_yticks(range(0, 101, 20))
    _name_sides(panel, x, limit, sign)
    style.legend(figure, panel.get_lines()[:3])
    return figure


def _name_sides(axes: Axes, x: NDArray[np.float64], limit: float, sign: float) -> None:
    """Name what a failure is on either side of the threshold, above the curves."""
    low, high = float(x.min()), float(x.max())
    bad, good = ((low + limit) / 2, (limit + high) / 2) if sign > 0 else ((limit + high) / 2, (low + limit) / 2)
    for at, said in ((bad, "should fail: a pass is a miss"), (good, "should pass: a failure is a false alarm")):
        axes.text(
            at, 107, said, ha="center", va="center", fontsize=style.SMALL, color=style.QUIET, backgroundcolor="white"
        )
