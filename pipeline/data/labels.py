"""Checking labels and turning them from one encoding into another."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput

# How far the sum of a row of probabilities may be from 1: a softmax in float32 stays well within it.
TOLERANCE = 1e-4
# From here on a class number is taken for a mistake (an identifier): k decides how much memory logits take.
MOST_CLASSES = 1_000_000


def classes_of(values: NDArray[Any], *, source: str) -> NDArray[np.int64]:
    """Return integer classes, whatever real type they are stored as.

    Parameters
    ----------
    values : ndarray of bool, int or float, shape (n,)
        Class numbers from 0 up; floats must be whole.
    source : str
        What they are, for messages: ``t of FILE``.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    BadInput
        If one of them is no whole number, negative, or a million and more.

    Examples
    --------
    >>> classes_of(np.array([3.0, 0.0]), source="t")
    array([3, 0])
    """
    if values.dtype.kind == "f":
        # The limits below do not fit into every float. What goes beyond float64, or is a signalling NaN, is refused.
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float64)
            wrong = ~np.isfinite(values) | (values != np.floor(values))
        _refuse_row(wrong, values, source, "whole class numbers from 0 up")
    _refuse_row(values < 0, values, source, "whole class numbers from 0 up")
    _refuse_row(values >= MOST_CLASSES, values, source, f"class numbers below {MOST_CLASSES:,}")
    return values.astype(np.int64)


def check_range(classes: NDArray[np.integer[Any]], n_classes: int, *, source: str) -> None:
    """Refuse classes outside 0 … `n_classes` - 1.

    Raises
    ------
    BadInput
        Naming the first row that is out of range.
    """
    _refuse_row(
        (classes < 0) | (classes >= n_classes), classes, source, f"classes 0 … {n_classes - 1} (there are {n_classes})"
    )


def rows_to_labels(rows: NDArray[Any], *, source: str) -> NDArray[Any]:
    """Return integer classes where every row is one-hot, and the rows themselves where one is soft.

    Parameters
    ----------
    rows : ndarray of bool, int or float, shape (n, k)
        Probabilities of the k classes: none negative, each row's sum 1 within 1e-4.
    source : str
        What they are, for messages.

    Returns
    -------
    ndarray of int64, shape (n,), or of float32, shape (n, k)
        Soft rows are kept as they are, not scaled to a sum of exactly 1.

    Raises
    ------
    BadInput
        Naming the first row that is no distribution, and its sum.

    Examples
    --------
    >>> rows_to_labels(np.array([[0, 1, 0], [1, 0, 0]]), source="t")
    array([1, 0])
    """
    holds = "probabilities of the classes in each row"
    _refuse_row(~np.isfinite(rows).all(axis=1), rows, source, f"finite {holds}")
    _refuse_row(np.any(rows < 0, axis=1), rows, source, f"{holds}, none negative")
    with np.errstate(over="ignore"):
        sums = rows.sum(axis=1, dtype=np.float64)
    wrong = np.abs(sums - 1) > TOLERANCE
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"{source} must hold {holds}, with a sum of 1; found a sum of {sums[row]:.6g} in row {row:,}: "
            "mend that row, or give integer labels of shape (N,)"
        )
    if (np.count_nonzero(rows, axis=1) == 1).all() and (rows.max(axis=1) == 1).all():
        return rows.argmax(axis=1).astype(np.int64)
    return rows.astype(np.float32)


def one_hot(classes: NDArray[np.integer[Any]], n_classes: int) -> NDArray[np.float32]:
    """Return rows of zeros with a 1 at each row's class.

    Parameters
    ----------
    classes : ndarray of int, shape (n,)
        0 … `n_classes` - 1.
    n_classes : int
        The width k.

    Returns
    -------
    ndarray of float32, shape (n, k)

    Examples
    --------
    >>> one_hot(np.array([2, 0]), 3)
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)
    """
    rows = np.zeros((len(classes), n_classes), dtype=np.float32)
    rows[np.arange(len(classes)), classes] = 1
    return rows


def _refuse_row(wrong: NDArray[np.bool_], values: NDArray[Any], source: str, holds: str) -> None:
    """Raise for the first wrong row."""
    if wrong.any():
        row = int(wrong.argmax())
        found = np.array2string(values[row], max_line_width=10**6, threshold=12, edgeitems=4).replace("\n", " ")
        raise BadInput(f"{source} must hold {holds}; found {found} in row {row:,}: mend or remove that row")
