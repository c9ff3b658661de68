"""Plots: functions from a DataFrame to a Figure, one file per plot; a new plot of sweeps needs one entry below too.

Matplotlib is imported only when a figure is drawn, and its global state is not changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import cost, coverage, error, funnel

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SWEEP_PLOTS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Figure]] = {
    "funnel": funnel.draw,
    "error": error.draw,
    "cost": cost.draw,
    "coverage": coverage.draw,
}
