"""What draws of batches say: their means, their intervals, and how far they are from the value of all rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..estimation.draws import misses, variance_ratio
from ..estimation.scored_units import ScoredUnits
from ..records.batches import Estimate
from .whole import estimates_of_all

if TYPE_CHECKING:
    import pandas as pd

    from ..interval.base import Interval


def drawn_metrics(estimates: dict[str, Estimate]) -> dict[str, float]:
    """Return what the draws say by themselves: their mean, and the means of their intervals' ends."""
    metrics = {}
    for metric, estimate in estimates.items():
        half_width = (estimate.high - estimate.low) / 2
        metrics[f"{metric}/mean"] = float(estimate.value.mean())
        metrics[f"{metric}/low"] = float(estimate.low.mean())
        metrics[f"{metric}/high"] = float(estimate.high.mean())
        metrics[f"{metric}/half_width"] = float(half_width.mean())
    return metrics


def population_metrics(estimates: dict[str, Estimate], scored: ScoredUnits) -> dict[str, float]:
    """Hold the draws against the value of all units, which must all be scored."""
    metrics = {}
    for metric, estimate in estimates.items():
        truth, variance = scored.mean(metric), scored.error_variance(metric)
        with np.errstate(invalid="ignore"):
            error = estimate.value - truth
            above, below = misses(estimate.low, estimate.high, truth)
            metrics[f"{metric}/rmse"] = float(np.sqrt(np.mean(error**2)))
        metrics[f"{metric}/all"] = truth
        metrics[f"{metric}/se"] = math.sqrt(variance)
        metrics[f"{metric}/bias"] = float(error.mean())
        metrics[f"{metric}/coverage"] = float(np.mean(~(above | below)))
        metrics[f"{metric}/variance_ratio"] = variance_ratio(scored, metric)
    return metrics


def draws_frame(estimates: dict[str, Estimate]) -> pd.DataFrame:
    """Return a row a draw, as ``draws.parquet`` has it."""
    import pandas as pd

    columns: dict[str, object] = {"draw": np.arange(len(next(iter(estimates.values())).value))}
    for metric, estimate in estimates.items():
        columns |= {metric: estimate.value, f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
    return pd.DataFrame(columns)


def ends_of_all(scored: ScoredUnits, intervals: dict[str, Interval], seed: int, confidence: float) -> dict[str, float]:
    """Return the ends of the interval of all units, for the world that they are a sample of."""
    metrics = {}
    for metric, estimate in estimates_of_all(scored, intervals, seed=seed, confidence=confidence).items():
        metrics[f"{metric}/all_low"] = float(estimate.low[0])
        metrics[f"{metric}/all_high"] = float(estimate.high[0])
    return metrics
