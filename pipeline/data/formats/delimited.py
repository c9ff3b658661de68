"""Parse CSV and TSV files, piece by piece, into Arrow tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ...errors import BadInput, brief
from .budget import MOST_BYTES
from .inferred_types import TEXT, FirstNonNumber, kind_of
from .locations import Location
from .text_lines import Piece, pieces_of
from .text_reader import TextReader

if TYPE_CHECKING:
    import pyarrow as pa

# What stands between columns in other files: Excel writes a semicolon where the decimal point is a comma.
_OTHER_DELIMITERS = (";", "\t", "|", ",")
_MISSING_VALUES = ["", "NA", "N/A", "null", "NULL", "None"]


class Delimited(TextReader):
    """A reader of CSV or TSV. The first line names the columns; each further line is a row.

    A value with a line break in it is refused, because a row could then not be named by its line.

    Parameters
    ----------
    delimiter : str
        The character between values.
    most_bytes : int
        What a file in .gz may unpack to.
    """

    n_headings = 1

    def __init__(self, delimiter: str, most_bytes: int = MOST_BYTES) -> None:
        super().__init__(most_bytes)
        self._delimiter = delimiter
        self._names: list[str] = []

    def _pieces(self, location: Location) -> Iterator[Piece]:
        pieces = pieces_of(location, self._most_bytes)
        # An empty file yields no piece: it has neither names nor rows.
        for piece in islice(pieces, 1):
            heading, _, rest = piece.data.partition(b"\n")
            self._set_names(heading.decode().removesuffix("\r"), location)
            if rest:
                yield Piece(rest, piece.first + 1)
        yield from pieces

    def _set_names(self, heading: str, location: Location) -> None:
        names = self._split(heading)
        if not names:
            raise BadInput(f"{location} must name its columns in line 1; found no name there: write them down")
        other = next((each for each in _OTHER_DELIMITERS if each != self._delimiter and each in heading), None)
        if len(names) == 1 and other is not None:
            raise BadInput(
                f"{location} must have {_in_words(self._delimiter)} between its columns; found one column "
                f"{brief(names[0])!r}: write it again with pandas.read_csv({location.name!r}, sep={other!r})"
                f".to_csv({location.name!r}, {'' if self._delimiter == ',' else 'sep=' + repr(self._delimiter) + ', '}"
                "index=False)"
            )
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise BadInput(f"{location} must name each column once; found {brief(twice)!r} twice: rename one")
        if self._names and names != self._names:
            raise BadInput(
                f"{location} must have the columns {brief(', '.join(self._names))}, as the first file has; found "
                f"{brief(', '.join(names))}: write all files with the same first line"
            )
        self._names = names

    def _parse_known(self, piece: Piece, types: dict[str, pa.DataType]) -> pa.Table:
        import pyarrow as pa
        from pyarrow import csv as pc

        return pc.read_csv(
            pa.BufferReader(piece.data),
            # One block, because Arrow infers types from the first block alone; no threads, which may outlive an error.
            read_options=pc.ReadOptions(column_names=self._names, block_size=len(piece.data) + 1, use_threads=False),
            parse_options=pc.ParseOptions(delimiter=self._delimiter, ignore_empty_lines=False),
            convert_options=pc.ConvertOptions(
                column_types=types, null_values=_MISSING_VALUES, strings_can_be_null=False
            ),
        )

    def _parse_inferring(self, piece: Piece, location: Location) -> pa.Table:
        import pyarrow as pa

        before = dict(self.kinds)
        try:
            # Without given types, Arrow infers them.
            found = self._parse_known(piece, {})
            self._check_lines(found, piece, location)
            for field in found.schema:
                self._widen(field.name, kind_of(field.type))
            self.first_non_numbers |= self._find_non_numbers(piece)
            self._check_unchanged(before)
            return self._parse_known(piece, self._types())
        except pa.ArrowInvalid as error:
            self._check_widths(piece, location)
            raise BadInput(
                f"{piece.where} of {location} must be rows of values; found: {brief(error)}: mend them"
            ) from error

    def _check_lines(self, found: pa.Table, piece: Piece, location: Location) -> None:
        if found.num_rows != piece.n_lines:
            self._check_widths(piece, location)
            raise BadInput(
                f"{location} must have a row a line; found a value with a line break in {piece.where}: remove it"
            )

    def _find_non_numbers(self, piece: Piece) -> dict[str, FirstNonNumber]:
        """Return the first value that is not a number, of each text column for which none is known yet."""
        names = [name for name, kind in self.kinds.items() if kind == TEXT and name not in self.first_non_numbers]
        positions = {name: self._names.index(name) for name in names}
        first_non_numbers: dict[str, FirstNonNumber] = {}
        for number, line in piece.lines() if names else ():
            values = self._split(line)
            for name, at in positions.items():
                if name not in first_non_numbers and at < len(values) and not _is_number(values[at]):
                    first_non_numbers[name] = FirstNonNumber(number, values[at])
            if len(first_non_numbers) == len(names):
                break
        return first_non_numbers

    def _split(self, line: str) -> list[str]:
        try:
            return next(csv.reader([line], delimiter=self._delimiter), [])
        # A value is longer than the csv module allows, so it is not a number.
        except csv.Error:
            return [line]

    def _check_widths(self, piece: Piece, location: Location) -> None:
        """Raise for the first line whose number of values differs from the number of columns."""
        for number, line in piece.lines():
            try:
                values = next(csv.reader([line], delimiter=self._delimiter, strict=True), [])
            except csv.Error as error:
                raise BadInput(
                    f"line {number:,} of {location} must be values between {self._delimiter!r}; found: {brief(error)} "
                    "(a value with a line break in it is not read): mend that line"
                ) from error
            if len(values) != len(self._names) and not (len(self._names) == 1 and not values):
                raise BadInput(
                    f"line {number:,} of {location} must have {len(self._names)} values, as the first line has names; "
                    f"found {len(values)}: mend that line"
                )


def _in_words(delimiter: str) -> str:
    return {",": "commas", "\t": "tabs"}[delimiter]


def _is_number(value: str) -> bool:
    if value in _MISSING_VALUES:
        return True
    try:
        float(value)
    except ValueError:
        return False
    return True
