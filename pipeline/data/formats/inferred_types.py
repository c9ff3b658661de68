"""The types of the columns of a text file. They are inferred piece by piece, and widened when a value does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY, BOOLEAN, INTEGER, FLOAT, TEXT, OTHER = "empty", "boolean", "integer", "float", "text", "other"
INTEGERS, FLOATS, EMPTIES = "integers", "floats", "empties"
_LISTS = (EMPTIES, INTEGERS, FLOATS)
_SCALARS = (EMPTY, INTEGER, FLOAT)


class FirstNonNumber(NamedTuple):
    """The first value of a column that is not a number, and its line; used in messages about the type of the column."""

    line: int
    value: str


class Widened(Exception):
    """The type of a column was widened, so that the pieces converted before must be converted again."""


def wider(one: str, other: str) -> str:
    """Return the narrowest type that holds the values of both types."""
    for order in (_SCALARS, _LISTS):
        if one in order and other in order:
            return max(one, other, key=order.index)
    if one == other or other == EMPTY:
        return one
    if one == EMPTY:
        return other
    return OTHER if {one, other} & {OTHER, *_LISTS} else TEXT


def arrow_type(kind: str) -> pa.DataType:
    """Return the Arrow type that a column is converted to. A column of empty values alone becomes float64."""
    import pyarrow as pa

    types = {
        BOOLEAN: pa.bool_(),
        INTEGER: pa.int64(),
        TEXT: pa.string(),
        INTEGERS: pa.list_(pa.int64()),
        FLOATS: pa.list_(pa.float64()),
        EMPTIES: pa.list_(pa.float64()),
    }
    return types.get(kind, pa.float64())


def kind_of(found: pa.DataType) -> str:
    """Return the inferred type for a type that Arrow's CSV reader has chosen."""
    from pyarrow import types

    if types.is_null(found):
        return EMPTY
    if types.is_boolean(found):
        return BOOLEAN
    if types.is_integer(found):
        return INTEGER
    if types.is_floating(found):
        return FLOAT
    # Dates and times, which Arrow recognises, are kept as text.
    return TEXT
