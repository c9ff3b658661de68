"""The base class of the readers of CSV and JSON Lines: files are parsed piece by piece, and types inferred as needed.

Arrow parses each piece with the types inferred so far. If it fails, a slower method parses the piece: either a line is
not valid, and the error names it, or the type of a column is widened, and the files are read again from the start.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from .budget import MOST_BYTES
from .inferred_types import OTHER, FirstNonNumber, Widened, arrow_type, wider
from .locations import Location
from .text_lines import Piece

if TYPE_CHECKING:
    import pyarrow as pa


class TextReader(ABC):
    """A reader of text files in which each line is a row.

    Parameters
    ----------
    most_bytes : int
        What a file in .gz may unpack to.

    Attributes
    ----------
    n_headings : int
        The number of lines before the first row.
    kinds : dict of str to str
        The type of each column, inferred from the pieces read so far.
    first_non_numbers : dict of str to FirstNonNumber
        The first value that is not a number, of each text column.
    """

    n_headings = 0

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self.kinds: dict[str, str] = {}
        self.first_non_numbers: dict[str, FirstNonNumber] = {}

    def tables(self, location: Location) -> Iterator[pa.Table]:
        """Yield the rows of a file in tables, with the columns of `kinds` except those of type OTHER.

        Raises
        ------
        BadInput
            If a line is not valid, or the columns differ from those of the first file.
        Widened
            If the type of a column was widened; `kinds` has the new type.
        """
        import pyarrow as pa

        for piece in self._pieces(location):
            found, types = None, self._types()
            with suppress(pa.ArrowException):
                found = self._parse_known(piece, types) if types else None
            # If the numbers of rows and lines differ, messages would name the wrong line.
            is_good = found is not None and found.num_rows == piece.n_lines
            if found is not None and is_good:
                self._check_parsed(piece, location)
                yield found
            else:
                yield self._parse_inferring(piece, location)

    @abstractmethod
    def _pieces(self, location: Location) -> Iterator[Piece]:
        """Yield the pieces of a file, without the lines before the first row."""

    @abstractmethod
    def _parse_known(self, piece: Piece, types: dict[str, pa.DataType]) -> pa.Table:
        """Parse a piece with Arrow as the given types; raise ArrowException if it does not fit."""

    @abstractmethod
    def _parse_inferring(self, piece: Piece, location: Location) -> pa.Table:
        """Parse a piece, infer its types, and name the line that is not valid; slower than `_parse_known`."""

    def _check_parsed(self, piece: Piece, location: Location) -> None:
        """Refuse what Arrow lets pass in a piece that it has parsed; by default nothing."""

    def _types(self) -> dict[str, pa.DataType]:
        return {name: arrow_type(kind) for name, kind in self.kinds.items() if kind != OTHER}

    def _widen(self, name: str, kind: str) -> None:
        """Widen the type of a column so that it includes `kind`."""
        self.kinds[name] = wider(self.kinds.get(name, kind), kind)

    def _check_unchanged(self, before: dict[str, str]) -> None:
        """Raise Widened if a type has changed, because the pieces parsed before have the old type."""
        if before and self.kinds != before:
            raise Widened
