"""Parse JSON Lines files, piece by piece, into Arrow tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...errors import BadInput, brief
from .inferred_types import (
    BOOLEAN,
    EMPTIES,
    EMPTY,
    FLOAT,
    FLOATS,
    INTEGER,
    INTEGERS,
    OTHER,
    TEXT,
    FirstNonNumber,
    wider,
)
from .locations import Location
from .text_lines import Piece, pieces_of
from .text_reader import TextReader

if TYPE_CHECKING:
    import pyarrow as pa


# The types of a piece are inferred from its first lines if these suffice, because Python parses 20 times slower than
# Arrow.
_FIRST_LINES = 1000
# What ends a key, and seldom stands in a text, where quotes have a backslash before them.
_KEY_ENDS = b'":'


class JsonLines(TextReader):
    """A reader of JSON objects, one a line. The columns are the keys in the first piece of the first file."""

    def _pieces(self, location: Location) -> Iterator[Piece]:
        return pieces_of(location, self._most_bytes)

    def _parse_known(self, piece: Piece, types: dict[str, pa.DataType], other_keys: str = "ignore") -> pa.Table:
        import pyarrow as pa
        from pyarrow import json as pj

        # Types are always given, because Arrow overflows the stack when it infers the types of deeply nested lists.
        found = pj.read_json(
            pa.BufferReader(piece.data),
            read_options=pj.ReadOptions(block_size=len(piece.data) + 1, use_threads=False),
            parse_options=pj.ParseOptions(explicit_schema=pa.schema(types), unexpected_field_behavior=other_keys),
        )
        return found.select(list(types))

    def _check_parsed(self, piece: Piece, location: Location) -> None:
        """Refuse a key that stands twice in a line, of which Arrow takes one."""
        first, data = piece.data.partition(b"\n")[0], piece.data
        _record(first.decode().removesuffix("\r"), piece.first, location)
        # As many keys in every line as in the first, as a rule. Otherwise each key is counted.
        if data.count(_KEY_ENDS) == piece.n_lines * first.count(_KEY_ENDS):
            return
        if any(data.count(json.dumps(name, ensure_ascii=False).encode()) > piece.n_lines for name in self.kinds):
            _records(piece, location)

    def _parse_inferring(self, piece: Piece, location: Location) -> pa.Table:
        found = None if self.kinds else self._parse_like_first_lines(piece, location)
        return self._parse_with_python(piece, location) if found is None else found

    def _parse_like_first_lines(self, piece: Piece, location: Location) -> pa.Table | None:
        """Parse a piece with the types of its first lines; None if other lines have wider types or other keys."""
        import pyarrow as pa

        *head, rest = piece.data.split(b"\n", _FIRST_LINES)
        if not rest:
            return None
        self._infer(_records(Piece(b"\n".join([*head, b""]), piece.first), location))
        if not {EMPTY, EMPTIES, OTHER} & set(self.kinds.values()):
            with suppress(pa.ArrowException):
                found = self._parse_known(piece, self._types(), other_keys="error")
                if found.num_rows == piece.n_lines:
                    self._check_parsed(piece, location)
                    return found
        self.kinds, self.first_non_numbers = {}, {}
        return None

    def _parse_with_python(self, piece: Piece, location: Location) -> pa.Table:
        # Python's reader decides what is valid JSON, because Arrow's does not name the line that it fails on.
        import pyarrow as pa

        records, before = _records(piece, location), dict(self.kinds)
        self._infer(records)
        self._check_unchanged(before)
        types = self._types()
        if not types:
            raise BadInput(
                f"{location} must have keys whose values are numbers, texts or lists of numbers; found none in "
                f"{piece.where}: check the file"
            )
        columns = {
            name: pa.array([_converted(self.kinds[name], record.get(name)) for _, record in records], type=arrow)
            for name, arrow in types.items()
        }
        return pa.table(columns)

    def _infer(self, records: list[tuple[int, dict[str, Any]]]) -> None:
        """Widen the types to include the values of the records. The first records decide which columns there are."""
        names = list(self.kinds) or list(
            dict.fromkeys(_without_surrogates(name) for _, record in records for name in record)
        )
        for number, record in records:
            for name in names:
                value = record.get(name)
                kind = _kind(value)
                self._widen(name, kind)
                if kind in (TEXT, OTHER) and name not in self.first_non_numbers:
                    self.first_non_numbers[name] = FirstNonNumber(number, json.dumps(value)[:80])


def _records(piece: Piece, location: Location) -> list[tuple[int, dict[str, Any]]]:
    return [(number, _record(line, number, location)) for number, line in piece.lines()]


class KeyTwice(Exception):
    """A key that stands twice in an object."""


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object that the pairs make, for `json.loads`; raise KeyTwice if a key stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise KeyTwice(next(key for key in keys if keys.count(key) > 1))
    return found


def _record(line: str, number: int, location: Location) -> dict[str, Any]:
    try:
        found = json.loads(line, object_pairs_hook=each_key_once)
    except KeyTwice as twice:
        raise BadInput(
            f"line {number:,} of {location} must name each key once; found {brief(twice)!r} twice: mend that line"
        ) from None
    # JSONDecodeError is a ValueError, as is an integer of too many digits.
    except (ValueError, RecursionError) as error:
        _refuse_whole_file(line, number, location)
        raise BadInput(
            f"line {number:,} of {location} must be a JSON object; found {brief(line, most=60) or 'an empty line'} "
            f"({brief(error, most=80)}): mend or remove that line"
        ) from error
    if isinstance(found, list):
        _refuse_whole_file(line, number, location)
    if not isinstance(found, dict):
        raise BadInput(
            f"line {number:,} of {location} must be a JSON object, names with values; found {brief(line, most=60)}: "
            "mend or remove that line"
        )
    return found


def _refuse_whole_file(line: str, number: int, location: Location) -> None:
    """Raise if the first line begins one JSON value of many lines, or an array of all rows."""
    start = line.strip()
    if number == 1 and (start.startswith("[") or start == "{"):
        what = "an array" if start.startswith("[") else "an object of many lines"
        raise BadInput(
            f"{location} must hold a JSON object a line; found {what}: write it again with pandas.read_json("
            f"{location.name!r}).to_json({location.name!r}, orient='records', lines=True)"
        )


def _kind(value: Any) -> str:
    if value is None:
        return EMPTY
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int):
        return INTEGER if -(1 << 63) <= value < 1 << 63 else FLOAT if abs(value) < 1 << 1023 else TEXT
    if isinstance(value, float):
        return FLOAT
    if isinstance(value, list):
        inner = EMPTY
        for each in value:
            inner = wider(inner, OTHER if isinstance(each, list | dict) else _kind(each))
        return {EMPTY: EMPTIES, INTEGER: INTEGERS, FLOAT: FLOATS}.get(inner, OTHER)
    return TEXT if isinstance(value, str) else OTHER


def _converted(kind: str, value: Any) -> Any:
    """Convert a value to the type of its column."""
    if value is None:
        return None
    if kind == TEXT:
        return _without_surrogates(value) if isinstance(value, str) else json.dumps(value)
    if kind == FLOAT:
        return float(value)
    return [None if each is None else float(each) for each in value] if kind == FLOATS else value


def _without_surrogates(text: str) -> str:
    """Replace lone surrogates in a text: JSON can write them, but UTF-8 cannot."""
    return text.encode(errors="replace").decode()
