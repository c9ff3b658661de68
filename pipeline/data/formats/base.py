"""The base class of tables on disk: named columns, divided into shards of rows that are read one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...records.rows import IntArray

# The largest number of rows of a shard that are in memory at once.
BLOCK_ROWS = 1 << 17
# Deflate cannot compress further: 258 bytes into 2 bits  [zlib, "Technical details", "Maximum compression factor"].
MAX_DEFLATE_RATIO = 1032


class MissingValue(BadInput):
    """A column has no value in some row.

    Attributes
    ----------
    column : str
        Its name.
    """

    def __init__(self, message: str, column: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class Column:
    """The type of a column.

    Attributes
    ----------
    kind : str
        The kind of a NumPy type: ``i``, ``u``, ``f``, ``b``, ``M`` for dates, ``U`` for text, ``O`` for anything else.
    width : int or None
        The number of values in each row of a list column; None for one value a row.
    type_name : str
        The type as the file names it, for messages.
    is_byte : bool
        Whether its values are uint8, as pixels are.
    class_names : tuple of str or None
        The names of the classes 0 … k - 1, where the file says that its numbers are those of classes.
    """

    kind: str
    width: int | None
    type_name: str
    is_byte: bool = False
    class_names: tuple[str, ...] | None = None


class Source(ABC):
    """A table on disk.

    Attributes
    ----------
    name : str
        The name of the file or of the folder, for display.
    columns : dict of str to Column
        The columns by name, in order.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N at the end.
    digest : str
        SHA-256 (hex) of the content.
    """

    name: str
    columns: dict[str, Column]
    bounds: IntArray

    @property
    @abstractmethod
    def digest(self) -> str:
        """SHA-256 (hex) of the content."""

    @property
    def contents(self) -> list[str]:
        """A key of the content of each shard; equal content gives equal keys in every folder."""
        return [f"{self.digest} {shard}" for shard in range(len(self.bounds) - 1)]

    @abstractmethod
    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield columns of a shard, in order, in blocks of at most `BLOCK_ROWS` rows.

        Returns
        -------
        iterator of dict of str to ndarray
            Shape (n,), or (n, width) for a list column; text has the type object.

        Raises
        ------
        BadInput
            If the shard is damaged or incomplete, a value is missing, or lists differ in length.
        """

    @abstractmethod
    def where(self, row: int) -> str:
        """Name a row by its file and its number there, for messages."""

    def where_from(self, first: int) -> Callable[[int], str]:
        """Return a function that names rows as `where` does, counted from row `first`."""
        return lambda row: self.where(first + row)

    def __len__(self) -> int:
        return int(self.bounds[-1])

    def column(self, name: str) -> NDArray[Any]:
        """Read a whole column, shape (N,) or (N, width)."""
        parts = [block[name] for shard in range(len(self.bounds) - 1) for block in self.read(shard, [name])]
        return np.concatenate(parts)
