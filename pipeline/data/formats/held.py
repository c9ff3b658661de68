"""A table that is in memory already: arrays, or the columns of a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from ...runtime import files
from .base import BLOCK_ROWS, Column, Source

_KINDS = "biufM"


class HeldSource(Source):
    """Columns of one length, read without a copy.

    Parameters
    ----------
    name : str
        For display.
    arrays : mapping of str to array_like, shape (N,) or (N, width)
        The columns. One of lists or of arrays of one length counts as shape (N, width).

    Raises
    ------
    BadInput
        If a column is no such array, or they differ in length.
    """

    def __init__(self, name: str, arrays: Mapping[str, Any]) -> None:
        self.name = name
        self._arrays = {key: _as_array(values, key) for key, values in arrays.items()}
        lengths = {key: len(values) for key, values in self._arrays.items()}
        first = next(iter(lengths), "")
        for key, n in lengths.items():
            if n != lengths[first]:
                raise BadInput(
                    f"{brief(key)} must have a value for each row; found {n:,}, and {lengths[first]:,} of "
                    f"{brief(first)}: give arrays of the same rows"
                )
        if not lengths.get(first):
            raise BadInput(f"{name} must have a row at least; found none: give some")
        self.columns = {key: _column(values) for key, values in self._arrays.items()}
        self.bounds = np.append(np.arange(0, lengths[first], BLOCK_ROWS), lengths[first]).astype(np.int64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the content."""
        parts = [f"{key} {values.dtype.str} {values.shape};".encode() for key, values in self._arrays.items()]
        return files.content_digest(*parts, *map(_as_bytes, self._arrays.values()))

    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield the rows of a shard, as one block."""
        start, stop = (int(bound) for bound in self.bounds[shard : shard + 2])
        yield {name: self._arrays[name][start:stop] for name in columns}

    def where(self, row: int) -> str:
        """Name a row, for messages."""
        return f"row {row:,} of {self.name}"


def _as_array(values: Any, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
        if array.dtype == object and array.ndim == 1 and len(array) and np.ndim(array[0]) == 1:
            array = np.stack([np.asarray(row) for row in array])
    except ValueError as error:
        raise BadInput(
            f"{brief(name)} must have rows of one length; found: {brief(error)}: give one number a class in every row"
        ) from error
    if array.ndim not in (1, 2):
        raise BadInput(f"{brief(name)} must have shape (n,) or (n, k); found {array.shape}: reshape it")
    if array.dtype.kind == "U":
        # Text is of the type object, as the readers of files give it.
        array = array.astype(object)
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _column(values: NDArray[Any]) -> Column:
    kind = values.dtype.kind
    if kind == "O" and all(isinstance(value, str) for value in values.flat):
        kind = "U"
    elif kind not in _KINDS:
        kind = "O"
    return Column(kind, values.shape[1] if values.ndim == 2 else None, str(values.dtype), values.dtype == np.uint8)


def _as_bytes(values: NDArray[Any]) -> bytes | memoryview:
    return repr(values.tolist()).encode() if values.dtype.hasobject else files.as_bytes(np.ascontiguousarray(values))
