"""Check the group and weight columns, and attach them to a population."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.rows import Population
from ..runtime import files

P = TypeVar("P", bound=Population)


def with_columns(dataset: P, *, group: NDArray[Any] | None = None, weight: NDArray[Any] | None = None) -> P:
    """Return the data set with groups and weights; its new digest depends on them.

    Parameters
    ----------
    dataset : Population
        N rows.
    group : ndarray, shape (N,), or None
        Group identifiers, numbers or text; rows with equal values form a group.
    weight : ndarray of real numbers, shape (N,), or None
        Row weights, above 0.

    Raises
    ------
    BadInput
        If a column does not have one value a row, a group is NaN, all rows are in one group, or a weight is not above 0
        and finite.
    """
    if group is None and weight is None:
        return dataset
    parts = [dataset.digest.encode()]
    codes = None if group is None else _group_codes(group, dataset)
    weights = None if weight is None else _checked_weights(weight, dataset)
    for name, column in (("groups", codes), ("weights", weights)):
        if column is not None:
            parts += [name.encode(), column.tobytes()]
    return replace(  # type: ignore[type-var]
        dataset,
        groups=dataset.groups if codes is None else codes,
        weights=dataset.weights if weights is None else weights,
        digest=files.content_digest(*parts),
    )


def _group_codes(group: NDArray[Any], dataset: Population) -> NDArray[np.int64]:
    _check_length(group, "data.group", dataset)
    if group.dtype.kind == "f" and np.isnan(group).any():
        row = int(np.isnan(group).argmax())
        raise BadInput(
            f"data.group must have a group for every row; found NaN in row {row}: fill it in, or leave the row out"
        )
    named, codes = np.unique(group, return_inverse=True)
    if len(named) < 2:
        raise BadInput(f"data.group must have at least 2 groups; found one, {named[0]}: choose another column")
    return codes.astype(np.int64)


def _checked_weights(weight: NDArray[Any], dataset: Population) -> NDArray[np.float64]:
    _check_length(weight, "data.weight", dataset)
    if weight.dtype.kind not in "biuf":
        raise BadInput(f"data.weight must be a column of numbers; found type {weight.dtype}: choose another column")
    # A signalling NaN, or a value beyond float64, would warn here; both are refused below.
    with np.errstate(over="ignore", invalid="ignore"):
        weights = weight.astype(np.float64)
    wrong = ~(np.isfinite(weights) & (weights > 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise BadInput(
            f"data.weight must be above 0 and finite in every row; found {weights[row]:g} in row {row}, and "
            f"{int(wrong.sum()):,} such rows: leave rows of weight 0 out of the file"
        )
    return weights


def _check_length(column: NDArray[Any], key: str, dataset: Population) -> None:
    if column.shape != (len(dataset),):
        raise BadInput(f"{key} must have one value for each of the {len(dataset):,} rows; found shape {column.shape}")
