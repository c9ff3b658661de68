"""What every table on disk is: named columns, in shards that are read one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import IntArray

# Rows of a shard that are in memory at once.
BLOCK_ROWS = 1 << 17


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    kind : str
        As NumPy's: ``i``, ``u``, ``f``, ``b``; ``U`` is text, ``O`` anything else.
    width : int or None
        Numbers in a row's list; None for one value a row.
    words : str
        The type, as the file has it.
    is_byte : bool
        Whether its numbers are of type uint8: pixels.
    """

    kind: str
    width: int | None
    words: str
    is_byte: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it holds one number a row."""
        return self.width is None and self.kind in "iuf"


class Source(ABC):
    """A table on disk.

    Attributes
    ----------
    name : str
        For people: the file's or the folder's name.
    columns : dict of str to Column
        By name, in order.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N.
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
        """What each shard holds: equal where it is the same, in whatever folder."""
        return [f"{self.digest} {shard}" for shard in range(len(self.bounds) - 1)]

    @abstractmethod
    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Read columns of a shard, in order, in blocks of at most `BLOCK_ROWS` rows.

        Returns
        -------
        iterator of dict of str to ndarray
            Shape (n,), or (n, width) for a list; text as objects.

        Raises
        ------
        BadInput
            If the shard is damaged or cut short, a value is missing, or lists differ in width.
        """

    @abstractmethod
    def where(self, row: int) -> str:
        """Say which row of which file a row is."""

    def __len__(self) -> int:
        return int(self.bounds[-1])

    def shard_of(self, row: int) -> int:
        """Return the shard that holds a row."""
        return int(np.searchsorted(self.bounds, row, side="right")) - 1

    def column(self, name: str) -> NDArray[Any]:
        """Read a whole column, shape (N,) or (N, width)."""
        parts = [block[name] for shard in range(len(self.bounds) - 1) for block in self.read(shard, [name])]
        return np.concatenate(parts)
