"""Groups and weights of a data set's rows, checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.errors import BadInput
from pipeline.records import Population

P = TypeVar("P", bound=Population)


def with_columns(dataset: P, *, group: NDArray[Any] | None = None, weight: NDArray[Any] | None = None) -> P:
    """Return the data set with groups and weights, which its digest covers.

    Parameters
    ----------
    dataset : Population
        N rows.
    group : ndarray, shape (N,), or None
        Equal values belong together: numbers or text.
    weight : ndarray of real numbers, shape (N,), or None
        Above 0.

    Raises
    ------
    BadInput
        If a column is not one value a row, has NaN, or a weight is not above 0 and finite, or there is but one group.
    """
    if group is None and weight is None:
        return dataset
    parts = [dataset.digest.encode()]
    codes = None if group is None else _codes(group, dataset)
    weights = None if weight is None else _weights(weight, dataset)
    for name, column in (("groups", codes), ("weights", weights)):
        if column is not None:
            parts += [name.encode(), column.tobytes()]
    return replace(  # type: ignore[type-var]
        dataset,
        groups=dataset.groups if codes is None else codes,
        weights=dataset.weights if weights is None else weights,
        digest=files.content_digest(*parts),
    )


def _codes(group: NDArray[Any], dataset: Population) -> NDArray[np.int64]:
    _check_length(group, "data.group", dataset)
    if group.dtype.kind == "f" and np.isnan(group).any():
        row = int(np.isnan(group).argmax())
        raise BadInput(
            f"data.group must say for each row which group it belongs to; found NaN in row {row}: fill it in, or leave "
            "the row out"
        )
    named, codes = np.unique(group, return_inverse=True)
    if len(named) < 2:
        raise BadInput(f"data.group must tell at least 2 groups apart; found one, {named[0]!r}: choose another column")
    return codes.astype(np.int64)


def _weights(weight: NDArray[Any], dataset: Population) -> NDArray[np.float64]:
    _check_length(weight, "data.weight", dataset)
    if weight.dtype.kind not in "biuf":
        raise BadInput(f"data.weight must be a column of numbers; found type {weight.dtype}: choose another column")
    # A signalling NaN, or what goes beyond float64, is refused below.
    with np.errstate(over="ignore", invalid="ignore"):
        weights = weight.astype(np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"data.weight must be above 0 and finite in every row; found {weights[row]:g} in row {row}, and "
            f"{int(wrong.sum()):,} such rows: leave rows that count nothing out of the file"
        )
    return weights


def _check_length(column: NDArray[Any], key: str, dataset: Population) -> None:
    if column.shape != (len(dataset),):
        raise BadInput(f"{key} must have one value for each of the {len(dataset):,} rows; found shape {column.shape}")
