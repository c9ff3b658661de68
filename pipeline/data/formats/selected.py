"""Some rows of a table on disk: those in which a column has a value, or those in which it has none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...runtime import files
from .arrow_files import ArrowFiles
from .base import Source


class Selected(Source):
    """The rows of a table in which one column has a value, or the others.

    Parameters
    ----------
    source : ArrowFiles
        The table.
    column : str
        The column, of one value a row; an empty text counts as none.
    has_value : bool
        Which rows are kept. Of the others the column is left out.

    Attributes
    ----------
    rows : ndarray of int, shape (n,)
        Their places in the table.
    """

    def __init__(self, source: ArrowFiles, column: str, *, has_value: bool) -> None:
        self._source, self._column, self._has_value = source, column, has_value
        self._keep = source.has_value(column) == has_value
        self.rows = np.flatnonzero(self._keep)
        self.name = source.name
        self.columns = {name: own for name, own in source.columns.items() if has_value or name != column}
        cuts = np.concatenate([[0], np.cumsum(self._keep)])[source.bounds]
        # A shard of which no row is kept is none.
        self._shards = np.flatnonzero(np.diff(cuts))
        self.bounds = np.concatenate([[0], cuts[1:][self._shards]]).astype(np.int64)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the whole table's content, and of which rows are kept."""
        return files.digest_of(self._source.digest, self._column, self._has_value)

    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield columns of a shard, in blocks."""
        return self._source.read(int(self._shards[shard]), columns, keep=self._keep)

    def where(self, row: int) -> str:
        """Name a row by its file and its number there, for messages."""
        return self._source.where(int(self.rows[row]))
