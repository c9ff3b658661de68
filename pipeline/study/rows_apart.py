"""The rows on which two models differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..experiment import Stages
from ..records.rows import IntArray
from ..records.scores import Scores
from .paired.pair import Pair
from .row_results import row_frame

if TYPE_CHECKING:
    import pandas as pd

# What a comparison of finished cells reads again.
TABLE = "furthest.parquet"
# Rows that are shown, and rows of a column that are read at a time.
SHOWN = 10
_AT_ONCE = 1 << 20


def furthest(pair: Pair, name: str, count: int = SHOWN) -> IntArray:
    """Return the rows whose values of a metric differ most, the largest difference first, whatever its sign.

    Parameters
    ----------
    pair : Pair
        Both models' scores.
    name : str
        The metric.
    count : int
        How many, at most.

    Returns
    -------
    ndarray of int, shape (at most count,)
        Rows that differ alike in their order. Rows that do not differ, or have no difference (∞ - ∞), are none of them.
    """
    before, after = (np.asarray(column) for column in pair.columns(name))
    kept_values, kept = np.empty(0), np.empty(0, dtype=np.intp)
    for start in range(0, len(before), _AT_ONCE):
        block = slice(start, start + _AT_ONCE)
        with np.errstate(invalid="ignore"):
            own = np.abs(np.subtract(after[block], before[block], dtype=np.float64))
        rows = np.flatnonzero(own > 0)
        values, rows = np.concatenate([kept_values, own[rows]]), np.concatenate([kept, start + rows])
        order = np.argsort(-values, kind="stable")[:count]
        kept_values, kept = values[order], rows[order]
    return kept


def rows_apart(stages: Stages, pair: Pair) -> pd.DataFrame | None:
    """Return the rows that differ most in the first metric that is a mean; None where there is none, or none differs.

    Parameters
    ----------
    stages : Stages
        The rows, and the first model.
    pair : Pair
        Both models' scores.

    Returns
    -------
    DataFrame or None
        ``id, label`` (where it is known), as text; ``model_a, model_b``, what the two are called; and of the metric M
        ``M_a, M_b`` and ``M_difference``, of the other model minus the first.
    """
    metric = next((own for own in pair.metrics.values() if not (own.is_share or own.is_together)), None)
    rows = np.empty(0, dtype=np.intp) if metric is None else furthest(pair, metric.column)
    if metric is None or not len(rows):
        return None
    name = metric.column
    frame = row_frame(stages, Scores.of({name: pair.before.columns[name]}), rows)
    before, after = (np.asarray(column[rows], dtype=np.float64) for column in pair.columns(name))
    # As text, which every table on disk can hold.
    return (
        frame[[known for known in ("id", "label") if known in frame]]
        .astype(str)
        .assign(
            model_a=pair.names[0],
            model_b=pair.names[1],
            **{f"{name}_a": before, f"{name}_b": after, f"{name}_difference": after - before},
        )
    )
