"""Check labels, and convert them between integer classes and rows of label probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.probabilities import LABEL_TOLERANCE, is_off, row_sums
from .inputs import row_number

# Class numbers from here on are refused: they are probably identifiers, and logits take memory in proportion to k.
MOST_CLASSES = 1_000_000
_MEND = "mend or remove that row"


def classes_of(values: NDArray[Any], *, source: str, where: Callable[[int], str] = row_number) -> NDArray[np.int64]:
    """Return class numbers as int64, whatever real type they are stored as.

    Parameters
    ----------
    values : ndarray of bool, int or float, shape (n,)
        Class numbers from 0 up; floats must be whole.
    source : str
        What they are, for messages: ``t of FILE``.
    where : callable
        Names a row by its index in `values`, for messages.

    Returns
    -------
    ndarray of int64, shape (n,)

    Raises
    ------
    BadInput
        If one of them is not a whole number, is negative, or is a million or more.

    Examples
    --------
    >>> classes_of(np.array([3.0, 0.0]), source="t")
    array([3, 0])
    """
    if values.dtype.kind == "f":
        # float64, because float16 cannot hold the limits below. Signalling NaNs and values beyond float64 are refused.
        with np.errstate(over="ignore", invalid="ignore"):
            values = values.astype(np.float64)
            wrong = ~np.isfinite(values) | (values != np.floor(values))
        _refuse_row(wrong, values, source, "whole class numbers from 0 up", where)
    _refuse_row(values < 0, values, source, "whole class numbers from 0 up", where)
    _refuse_row(values >= MOST_CLASSES, values, source, f"class numbers below {MOST_CLASSES:,}", where)
    return values.astype(np.int64)


def check_range(
    classes: NDArray[Any],
    n_classes: int,
    *,
    source: str,
    where: Callable[[int], str] = row_number,
    remedy: str = _MEND,
) -> None:
    """Raise if a class is outside 0 … `n_classes` - 1.

    Parameters
    ----------
    classes : ndarray of bool or int, shape (n,)
        The labels.
    n_classes : int
        The number of classes k.
    source : str
        What they are, for messages: ``t of FILE``.
    where : callable
        Names a row by its index in `classes`, for messages.
    remedy : str
        What the user can do, for messages.

    Raises
    ------
    BadInput
        Naming the first row that is out of range.
    """
    # The extremes take no memory; nearly always they settle it.
    if len(classes) == 0 or (classes.min() >= 0 and classes.max() < n_classes):
        return
    holds = f"classes 0 … {n_classes - 1} (there are {n_classes})"
    _refuse_row((classes < 0) | (classes >= n_classes), classes, source, holds, where, remedy)


def rows_to_labels(rows: NDArray[Any], *, source: str) -> NDArray[Any]:
    """Return integer classes if every row is one-hot, otherwise the rows as float32.

    Parameters
    ----------
    rows : ndarray of bool, int or float, shape (n, k)
        Probabilities of the k classes: none negative, each row's sum 1 within 1e-4.
    source : str
        What they are, for messages.

    Returns
    -------
    ndarray of int64, shape (n,), or of float32, shape (n, k)
        Rows that are not one-hot are returned unchanged; they are not scaled to a sum of exactly 1.

    Raises
    ------
    BadInput
        Naming the first row that is not a distribution.

    Examples
    --------
    >>> rows_to_labels(np.array([[0, 1, 0], [1, 0, 0]]), source="t")
    array([1, 0])
    """
    holds = "probabilities of the classes in each row"
    _refuse_row(~np.isfinite(rows).all(axis=1), rows, source, f"finite {holds}")
    _refuse_row(np.any(rows < 0, axis=1), rows, source, f"{holds}, none negative")
    sums = row_sums(rows)
    wrong = is_off(sums, LABEL_TOLERANCE)
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


def _refuse_row(
    wrong: NDArray[np.bool_],
    values: NDArray[Any],
    source: str,
    holds: str,
    where: Callable[[int], str] = row_number,
    remedy: str = _MEND,
) -> None:
    """Raise for the first row in which `wrong` is true."""
    if wrong.any():
        row = int(wrong.argmax())
        found = np.array2string(values[row], max_line_width=10**6, threshold=12, edgeitems=4).replace("\n", " ")
        raise BadInput(f"{source} must hold {holds}; found {found} in {where(row)}: {remedy}")
