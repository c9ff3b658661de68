"""CSV and TSV: pieces of a file to Arrow's tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.data.archive import brief
from pipeline.data.shards.kinds import TEXT, Odd, Widened, arrow_type, kind_of, wider
from pipeline.data.shards.lines import Piece, pieces_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

_EMPTY = ["", "NA", "N/A", "null", "NULL", "None"]


class Delimited:
    """A reader of rows whose values stand between delimiters, with the columns' names in the first line.

    Parameters
    ----------
    delimiter : str
        One character.

    Attributes
    ----------
    kinds : dict of str to str
        What each column holds, as far as is known.
    odd : dict of str to Odd
        Of columns of text, the first value that is no number.
    """

    # Lines before the first row.
    n_headings = 1

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._names: list[str] = []
        self.kinds: dict[str, str] = {}
        self.odd: dict[str, Odd] = {}

    def tables(self, place: Place) -> Iterator[pa.Table]:
        """Read a file; every table has the columns of `kinds`.

        Raises
        ------
        BadInput
            If a line has more or fewer values than the first, or the file's columns are not those of the first file.
        Widened
            If a column turns out to hold more than was thought; `kinds` has it by then.
        """
        is_first = True
        for piece in pieces_of(place):
            rows = piece
            if is_first:
                heading, _, rest = piece.data.partition(b"\n")
                self._take_names(heading.decode().removesuffix("\r"), place)
                rows, is_first = Piece(rest, piece.first + 1), False
            if rows.data:
                yield self._table(rows, place)

    def _take_names(self, heading: str, place: Place) -> None:
        names = self._values(heading)
        if not names:
            raise BadInput(f"{place} must name its columns in line 1; found no name there: write them down")
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadInput(f"{place} must name each column once; found {brief(twice)!r} twice: rename one")
        if self._names and names != self._names:
            raise BadInput(
                f"{place} must have the columns {brief(', '.join(self._names))}, as the first file has; found "
                f"{brief(', '.join(names))}: write the files with one first line"
            )
        self._names = names

    def _table(self, piece: Piece, place: Place) -> pa.Table:
        import pyarrow as pa

        try:
            if not self.kinds:
                self._widen(piece, place)
            found = self._parsed(piece, {name: arrow_type(kind) for name, kind in self.kinds.items()})
        except pa.ArrowInvalid as error:
            self._check_widths(piece, place)
            before = dict(self.kinds)
            try:
                self._widen(piece, place)
            except pa.ArrowInvalid:
                self.kinds = before
            if self.kinds == before:
                raise BadInput(
                    f"lines {piece.first:,} to {piece.first + piece.n_lines - 1:,} of {place} must be rows of values; "
                    f"found: {brief(error)}: mend them"
                ) from error
            raise Widened from error
        if found.num_rows != piece.n_lines:
            self._check_widths(piece, place)
            raise BadInput(
                f"{place} must have a row a line; found a value with a line break in lines {piece.first:,} to "
                f"{piece.first + piece.n_lines - 1:,}: take it out"
            )
        return found

    def _parsed(self, piece: Piece, types: dict[str, pa.DataType] | None = None) -> pa.Table:
        import pyarrow as pa
        from pyarrow import csv as pc

        return pc.read_csv(
            pa.BufferReader(piece.data),
            # In one block, for kinds are seen from the first block alone; without threads, which may outlive an error.
            read_options=pc.ReadOptions(column_names=self._names, block_size=len(piece.data) + 1, use_threads=False),
            parse_options=pc.ParseOptions(delimiter=self._delimiter, ignore_empty_lines=False),
            convert_options=pc.ConvertOptions(column_types=types, null_values=_EMPTY, strings_can_be_null=False),
        )

    def _widen(self, piece: Piece, place: Place) -> None:
        """Look at what the columns of a piece hold."""
        found = self._parsed(piece)
        for name, kind in zip(found.schema.names, map(kind_of, found.schema.types), strict=True):
            self.kinds[name] = wider(self.kinds.get(name, kind), kind)
        new = [name for name, kind in self.kinds.items() if kind == TEXT and name not in self.odd]
        self.odd |= self._first_odd(piece, new)

    def _first_odd(self, piece: Piece, names: list[str]) -> dict[str, Odd]:
        places = {name: self._names.index(name) for name in names}
        odd: dict[str, Odd] = {}
        for number, line in piece.lines() if names else ():
            values = self._values(line)
            for name, at in places.items():
                if name not in odd and at < len(values) and not _is_number(values[at]):
                    odd[name] = Odd(number, values[at])
            if len(odd) == len(names):
                break
        return odd

    def _values(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._delimiter), [])
        # A value is longer than the module takes: it is no number.
        except csv.Error:
            return [line]

    def _check_widths(self, piece: Piece, place: Place) -> None:
        """Refuse the first line that has another number of values than the first line of the file."""
        for number, line in piece.lines():
            try:
                values = next(csv.reader([line], delimiter=self._delimiter, strict=True), [])
            except csv.Error as error:
                raise BadInput(
                    f"line {number:,} of {place} must be values between {self._delimiter!r}; found: {brief(error)} "
                    "(a value with a line break in it is not read): mend that line"
                ) from error
            if len(values) != len(self._names) and not (len(self._names) == 1 and not values):
                raise BadInput(
                    f"line {number:,} of {place} must have {len(self._names)} values, as the first line has names; "
                    f"found {len(values)}: mend that line"
                )


def _is_number(value: str) -> bool:
    if value in _EMPTY:
        return True
    try:
        float(value)
    except ValueError:
        return False
    return True
