"""From a column's values to slices of the rows: checked, and with rare values pooled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief
from ..records.rows import Population
from ..records.slices import Slices
from ..runtime.memo import once
from .base import Data

MOST = 1_000
# A slice of fewer rows has no interval worth reading.
FEWEST_ROWS = 10


def slices_of(data: Data, rows: Population) -> Slices | None:
    """Return the rows by the values of ``data.by``, once in a process; None where it is not given.

    Raises
    ------
    BadInput
        If the column makes no slices.
    """
    if data.by is None:
        return None
    return once(f"slices {data!r} {data.stamp()} {rows.digest}", lambda: _slices_by(str(data.by), data, rows))


def _slices_by(by: str, data: Data, rows: Population) -> Slices:
    if by != "label":
        return slices_of_values(data.column(data.split, by, key="data.by"), by, len(rows))
    labels = rows.labels
    if labels is None or not rows.n_classes:
        raise BadInput(f"data.by=label must go with rows that have classes; found none in {rows.name}: name a column")
    classes = (labels.argmax(axis=1) if labels.ndim == 2 else labels).astype("int64")
    return slices_of_classes(classes, rows.class_names or [str(k) for k in range(rows.n_classes)])


def slices_of_values(values: NDArray[Any], column: str, size: int) -> Slices:
    """Return the slices of a column.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Texts, numbers or booleans; rows with equal values make a slice.
    column : str
        Its name.
    size : int
        N.

    Raises
    ------
    BadInput
        If a row has no value, all rows have the same, or there are more than 1,000 values.
    """
    if values.shape != (size,):
        raise BadInput(f"data.by must have one value for each of the {size:,} rows; found shape {values.shape}")
    _refuse_missing(values, column)
    found, codes = np.unique(values, return_inverse=True)
    if len(found) < 2:
        raise BadInput(
            f"data.by={column} must have at least 2 values; found one, {brief(_text(found[0]))}: name another column"
        )
    if len(found) > MOST:
        raise BadInput(
            f"data.by={column} must have at most {MOST:,} values; found {len(found):,}: name a column of categories, "
            "or put the numbers into ranges"
        )
    return pooled(column, [_text(value) for value in found], codes.astype(np.int64))


def slices_of_classes(classes: NDArray[np.int64], names: Sequence[str]) -> Slices:
    """Return the slices of the true classes.

    Parameters
    ----------
    classes : ndarray of int64, shape (N,)
        0 … k - 1.
    names : sequence of str, of length k

    Raises
    ------
    BadInput
        If there are more than 1,000 classes, or one has no row.
    """
    if len(names) > MOST:
        raise BadInput(f"data.by=label must be of at most {MOST:,} classes; found {len(names):,}: name another column")
    counts = np.bincount(classes, minlength=len(names))
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise BadInput(
            f"data.by=label must have rows of every class; found none of {brief(names[int(empty[0])])}, and "
            f"{len(empty):,} such of {len(names):,} classes: leave data.by out, or name another column"
        )
    return pooled("class", names, classes)


def pooled(column: str, names: Sequence[str], codes: NDArray[np.int64]) -> Slices:
    """Return slices of which those below ten rows are one, the last.

    Raises
    ------
    BadInput
        If fewer than two slices are left.
    """
    counts = np.bincount(codes, minlength=len(names))
    is_rare = counts < FEWEST_ROWS
    kept: list[int] = np.flatnonzero(~is_rare).tolist()
    if len(kept) + is_rare.any() < 2:
        raise BadInput(
            f"data.by={'label' if column == 'class' else column} must have a slice of {FEWEST_ROWS} rows or more; "
            f"found {len(names):,} values, each in fewer: name another column"
        )
    if not is_rare.any():
        return Slices(column, tuple(names), codes)
    new = np.full(len(names), len(kept), dtype=np.int64)
    new[kept] = np.arange(len(kept))
    rare = tuple(names[i] for i in np.flatnonzero(is_rare).tolist())
    last = rare[0] if len(rare) == 1 else f"{len(rare):,} rare values"
    return Slices(column, (*(names[i] for i in kept), last), new[codes], rare)


def _refuse_missing(values: NDArray[Any], column: str) -> None:
    is_missing = np.zeros(len(values), dtype=np.bool_)
    if values.dtype.kind == "f":
        is_missing = np.isnan(values)
    elif values.dtype.kind == "U":
        is_missing = np.strings.str_len(np.strings.strip(values)) == 0
    if is_missing.any():
        raise BadInput(
            f"data.by={column} must have a value in every row; found none in row {int(is_missing.argmax())}, and "
            f"{int(is_missing.sum()):,} such rows: fill them in with a value of their own"
        )


def _text(value: Any) -> str:
    found = value.item() if isinstance(value, np.generic) else value
    if isinstance(found, bytes):
        return found.decode("utf-8", "replace")
    return f"{found:g}" if isinstance(found, float) else str(found)
