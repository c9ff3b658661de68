"""The content of a log of evaluated rows, in one form for every tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import brief

# The largest size of a text column: NumPy gives every value the width of the longest.
MAX_COLUMN_BYTES = 1 << 26

Scalar = str | int | float | bool


@dataclass(frozen=True, eq=False)
class Answers:
    """The content of a log of N rows.

    Attributes
    ----------
    loss : ndarray of float64, shape (N,), or None
        The cross-entropy in nats; None if the log has no loss.
    correct : ndarray of bool, shape (N,), or None
        Whether the answer to each row is correct.
    logits : ndarray of float64, shape (N, k), or None
        The log-likelihoods of the choices in nats; -inf for missing choices of a row that has fewer than k.
    labels : ndarray of int64, shape (N,), or None
        The correct choice, 0 to k - 1.
    columns : dict of str to ndarray, shape (N,)
        Further values of each row, of type bool, int64, float64 or text.
    note : str
        What was read from the log, in words, for display.
    """

    loss: NDArray[np.float64] | None
    correct: NDArray[np.bool_] | None
    logits: NDArray[np.float64] | None
    labels: NDArray[np.int64] | None
    columns: dict[str, NDArray[Any]]
    note: str


def scalars(fields: object, *, prefix: str) -> dict[str, Scalar]:
    """Return the fields of a mapping that are text or numbers, under prefixed names; empty if it is not a mapping.

    Examples
    --------
    >>> scalars({"subject": "law", "choices": ["a", "b"]}, prefix="doc.")
    {'doc.subject': 'law'}
    """
    if not isinstance(fields, Mapping):
        return {}
    return {f"{prefix}{name}": value for name, value in fields.items() if isinstance(value, Scalar)}


def columns_of(rows: Sequence[Mapping[str, Scalar]]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Turn rows of named values into columns.

    Parameters
    ----------
    rows : sequence of mappings, length N
        The values of each row, by name.

    Returns
    -------
    dict of str to ndarray, shape (N,)
        The columns that every row has, and whose values are all numbers or all text.
    list of str
        The names of the other columns: missing in a row, of mixed types, or text that would take more than 64 MiB.
    """
    columns: dict[str, NDArray[Any]] = {}
    left_out = []
    for name in dict.fromkeys(name for row in rows for name in row):
        column = _column([row[name] for row in rows if name in row], n_rows=len(rows))
        if column is None:
            left_out.append(name)
        else:
            columns[name] = column
    return columns, left_out


def _column(values: list[Scalar], *, n_rows: int) -> NDArray[Any] | None:
    kinds = {type(value) for value in values}
    if len(values) < n_rows:
        return None
    if kinds == {str}:
        widest = max(len(str(value)) for value in values)
        return np.array(values, dtype=np.str_) if 4 * widest * n_rows <= MAX_COLUMN_BYTES else None
    try:
        if kinds == {bool}:
            return np.array(values, dtype=np.bool_)
        if kinds == {int}:
            return np.array(values, dtype=np.int64)
        return np.array(values, dtype=np.float64) if kinds <= {int, float} else None
    # An integer may be too large for int64 or float64.
    except OverflowError:
        return None


def right_or_wrong(value: object) -> bool | None:
    """Return a score as a bool if it is 0 or 1, as a number, a bool or text; None for any other value.

    Examples
    --------
    >>> [right_or_wrong(value) for value in (1.0, "False", 0.5)]
    [True, False, None]
    """
    if isinstance(value, str):
        return {"True": True, "1": True, "1.0": True, "False": False, "0": False, "0.0": False}.get(value.strip())
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    return None


def listed(names: Sequence[str]) -> str:
    """Return the first ten names as text, separated by commas."""
    return brief(", ".join(names[:10]) + (", …" if len(names) > 10 else ""), most=200) or "none"
