"""Results row by row: the rows with the largest losses, and the table of rows that is written to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.predictions import Predictions
from ..experiment import Stages
from ..records.rows import IntArray
from ..records.scores import Scores
from ..scoring.outputs import CONFIDENCE, PREDICTED
from .paired.pair import Pair

if TYPE_CHECKING:
    import pandas as pd

# Rows of a column that are read at a time.
_AT_ONCE = 1 << 20


def hardest(scores: Scores, count: int) -> IntArray:
    """Return the rows with the largest losses, largest first; where losses are not known, the first wrong rows.

    Parameters
    ----------
    scores : Scores
        Of all rows.
    count : int
        How many, at most.

    Returns
    -------
    ndarray of int, shape (at most count,)
        Rows of equal losses in their order.
    """
    name = "loss" if "loss" in scores.metrics else "accuracy"
    if count == 0 or name not in scores.metrics:
        return np.empty(0, dtype=np.intp)
    kept_values, kept = np.empty(0), np.empty(0, dtype=np.intp)
    for start in range(0, len(scores), _AT_ONCE):
        column = np.asarray(scores.columns[name][start : start + _AT_ONCE])
        own = column.astype(np.float64) if name == "loss" else 1.0 - column
        values, rows = np.concatenate([kept_values, own]), np.concatenate([kept, start + np.arange(len(own))])
        order = np.argsort(-values, kind="stable")[:count]
        kept_values, kept = values[order], rows[order]
    return kept if name == "loss" else kept[kept_values > 0]


def class_numbers(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Return the class of each row, shape (n,); of label probabilities the largest, the lowest class on a tie."""
    return np.asarray(labels.argmax(axis=1) if labels.ndim == 2 else labels).astype(np.int64)


def row_frame(stages: Stages, scores: Scores, rows: IntArray | None = None) -> pd.DataFrame:
    """Return a row each, with what was found of it.

    Parameters
    ----------
    stages : Stages
        The rows; ``data.id`` names the column of their ids, else it is a file's column ``id``, else they are counted
        from 0.
    scores : Scores
        Of all rows, with the columns of `scoring.outputs.SAID` where the model's outputs tell them.
    rows : ndarray of int, shape (n,), or None
        Which rows, in which order; None is all.

    Returns
    -------
    DataFrame
        ``id, label, predicted, confidence, loss, correct`` and further metrics, as far as they are known; classes by
        their names, where they have names.
    """
    import pandas as pd

    population, names = stages.rows, stages.rows.class_names
    at = np.arange(len(population)) if rows is None else rows
    columns: dict[str, Any] = {"id": _ids(stages)[at]}
    labels = population.labels if rows is None else population.take(at).labels
    if labels is not None:
        columns["label"] = _named(class_numbers(labels), names)
    return pd.DataFrame(columns | _said(scores.take(at), names))


def pair_frame(stages: Stages, pair: Pair) -> pd.DataFrame:
    """Return a row each, with what two models say of it.

    Parameters
    ----------
    stages : Stages
        The rows, and the first model.
    pair : Pair
        Both models' scores.

    Returns
    -------
    DataFrame
        ``id, label``; for each column of `row_frame` two, ending in ``_a`` for the first model and ``_b`` for the
        other; and for each metric a third one, ending in ``_difference``, of the other minus the first.
    """
    known = [name for name, metric in pair.metrics.items() if not metric.is_together] or [PREDICTED]
    frame = row_frame(stages, Scores.of({name: pair.before.columns[name] for name in known}))
    frame = frame[[name for name in ("id", "label") if name in frame]].copy()
    found = [_said(own, names) for own, names in zip((pair.before, pair.after), pair.classes, strict=True)]
    for name in found[0]:
        if name in found[1]:
            frame[f"{name}_a"], frame[f"{name}_b"] = found[0][name], found[1][name]
            if name not in (PREDICTED, CONFIDENCE):
                frame[f"{name}_difference"] = np.subtract(found[1][name], found[0][name], dtype=np.float64)
    return frame


def _said(scores: Scores, names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the columns of scores as they are called in a table of rows."""
    own = scores.columns
    columns: dict[str, Any] = {}
    if PREDICTED in own:
        columns[PREDICTED] = _named(np.asarray(own[PREDICTED]).astype(np.int64), names)
    if CONFIDENCE in own:
        columns[CONFIDENCE] = np.asarray(own[CONFIDENCE])
    rest = {"correct" if name == "accuracy" else name: np.asarray(own[name]) for name in own if name not in columns}
    return columns | rest


def _named(classes: NDArray[np.int64], names: tuple[str, ...] | None) -> Any:
    import pandas as pd

    return classes if names is None else pd.Categorical.from_codes(classes, categories=pd.Index(names))


def _ids(stages: Stages) -> NDArray[Any]:
    data = stages.experiment.data
    column = getattr(data, "id", None)
    if column is None and isinstance(data, Predictions) and "id" in data.source.columns:
        column = "id"
    if column is not None:
        return data.column(data.split, column, key="data.id")
    # Rows that were left out, for want of a label, are counted too: the ids are those of the file.
    return data.places if isinstance(data, Predictions) else np.arange(len(stages.rows))
