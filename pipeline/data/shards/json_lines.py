"""JSON Lines: pieces of a file to Arrow's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline.data.archive import brief
from pipeline.data.shards.kinds import (
    NOTHING,
    NOTHINGS,
    NUMBER,
    NUMBERS,
    OTHER,
    TEXT,
    TRUTH,
    WHOLE,
    WHOLES,
    Odd,
    Widened,
    arrow_type,
    wider,
)
from pipeline.data.shards.lines import Piece, pieces_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa


class JsonLines:
    """A reader of JSON objects, one a line; the columns are the keys of the first piece of the first file.

    Attributes
    ----------
    kinds : dict of str to str
        What each column holds, as far as is known.
    odd : dict of str to Odd
        Of columns of text, the first value that is no number.
    """

    # Lines before the first row.
    n_headings = 0

    def __init__(self) -> None:
        self.kinds: dict[str, str] = {}
        self.odd: dict[str, Odd] = {}

    def tables(self, place: Place) -> Iterator[pa.Table]:
        """Read a file; every table has the columns of `kinds` that are kept.

        Raises
        ------
        BadInput
            If a line is no JSON object.
        Widened
            If a column turns out to hold more than was thought; `kinds` has it by then.
        """
        for piece in pieces_of(place):
            yield self._table(piece, place)

    def _table(self, piece: Piece, place: Place) -> pa.Table:
        import pyarrow as pa

        # What the keys hold is for Python to find out: Arrow would follow nested lists until the stack ends.
        if self._fields():
            with suppress(pa.ArrowException):
                found = _parsed(piece, pa.schema(self._fields()))
                if found.num_rows == piece.n_lines:
                    return found.select([name for name, _ in self._fields()])
        # Arrow's reader is strict in other ways than Python's, and says less of where it stopped.
        return self._by_python(piece, place)

    def _fields(self) -> list[tuple[str, pa.DataType]]:
        return [(name, arrow_type(kind)) for name, kind in self.kinds.items() if kind != OTHER]

    def _by_python(self, piece: Piece, place: Place) -> pa.Table:
        import pyarrow as pa

        records = [(number, _record(line, number, place)) for number, line in piece.lines()]
        before = dict(self.kinds)
        names = list(before) or list(dict.fromkeys(_whole(name) for _, record in records for name in record))
        for number, record in records:
            for name in names:
                self._take(name, record.get(name), number)
        if before and self.kinds != before:
            raise Widened
        if not self._fields():
            raise BadInput(
                f"{place} must have keys whose values are numbers, texts or lists of numbers; found none in lines "
                f"{piece.first:,} to {piece.first + piece.n_lines - 1:,}: check the file"
            )
        columns = {
            name: pa.array([_as(kind, record.get(name)) for _, record in records], type=arrow_type(kind))
            for name, kind in self.kinds.items()
            if kind != OTHER
        }
        return pa.table(columns)

    def _take(self, name: str, value: Any, line: int) -> None:
        kind = _kind(value)
        self.kinds[name] = wider(self.kinds.get(name, kind), kind)
        if kind in (TEXT, OTHER) and name not in self.odd:
            self.odd[name] = Odd(line, json.dumps(value)[:80])


def _parsed(piece: Piece, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa
    from pyarrow import json as pj

    return pj.read_json(
        pa.BufferReader(piece.data),
        read_options=pj.ReadOptions(block_size=len(piece.data) + 1, use_threads=False),
        parse_options=pj.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _record(line: str, number: int, place: Place) -> dict[str, Any]:
    try:
        found = json.loads(line)
    # JSONDecodeError is a ValueError, as is an integer of too many digits.
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"line {number:,} of {place} must be a JSON object; found {brief(line, most=60) or 'an empty line'} "
            f"({brief(error, most=80)}): mend or remove that line"
        ) from error
    if not isinstance(found, dict):
        raise BadInput(
            f"line {number:,} of {place} must be a JSON object, names with values; found {brief(line, most=60)}: mend "
            "or remove that line"
        )
    return found


def _kind(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int):
        return WHOLE if -(1 << 63) <= value < 1 << 63 else NUMBER if abs(value) < 1 << 1023 else TEXT
    if isinstance(value, float):
        return NUMBER
    if isinstance(value, list):
        inner = NOTHING
        for each in value:
            inner = wider(inner, OTHER if isinstance(each, list | dict) else _kind(each))
        return {NOTHING: NOTHINGS, WHOLE: WHOLES, NUMBER: NUMBERS}.get(inner, OTHER)
    return TEXT if isinstance(value, str) else OTHER


def _as(kind: str, value: Any) -> Any:
    """A value as its column keeps it."""
    if value is None:
        return None
    if kind == TEXT:
        return _whole(value) if isinstance(value, str) else json.dumps(value)
    if kind == NUMBER:
        return float(value)
    return [None if each is None else float(each) for each in value] if kind == NUMBERS else value


def _whole(text: str) -> str:
    """A text without halves of characters, which JSON can write and UTF-8 cannot."""
    return text.encode(errors="replace").decode()
