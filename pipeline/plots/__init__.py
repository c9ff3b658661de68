"""DataFrame to Figure, one file a plot; a new sweep plot is one file here and one entry below.

Matplotlib is imported when a figure is drawn, not before, and its global state is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.plots import cost, coverage, error, funnel

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SWEEP_PLOTS: dict[str, Callable[[pd.DataFrame, pd.DataFrame], Figure]] = {
    "funnel": funnel.draw,
    "error": error.draw,
    "cost": cost.draw,
    "coverage": coverage.draw,
}
