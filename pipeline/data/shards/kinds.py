"""What the columns of a text file hold, found out piece by piece, each kind giving way to a wider one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

NOTHING, TRUTH, WHOLE, NUMBER, TEXT, OTHER = "nothing", "truth", "whole", "number", "text", "other"
WHOLES, NUMBERS, NOTHINGS = "wholes", "numbers", "nothings"
_LISTS = (NOTHINGS, WHOLES, NUMBERS)
_SCALARS = (NOTHING, WHOLE, NUMBER)


class Odd(NamedTuple):
    """Why a column holds no numbers: the first value that is none, and its line."""

    line: int
    value: str


class Widened(Exception):
    """A column holds more than was thought: what has been converted is to be converted again."""


def wider(one: str, other: str) -> str:
    """Return the narrowest kind that holds both."""
    for order in (_SCALARS, _LISTS):
        if one in order and other in order:
            return max(one, other, key=order.index)
    if one == other or other == NOTHING:
        return one
    if one == NOTHING:
        return other
    return OTHER if {one, other} & {OTHER, *_LISTS} else TEXT


def arrow_type(kind: str) -> pa.DataType:
    """Return the type in which a kind is kept; a column of nothing but empty values is one of numbers."""
    import pyarrow as pa

    types = {
        TRUTH: pa.bool_(),
        WHOLE: pa.int64(),
        TEXT: pa.string(),
        WHOLES: pa.list_(pa.int64()),
        NUMBERS: pa.list_(pa.float64()),
        NOTHINGS: pa.list_(pa.float64()),
    }
    return types.get(kind, pa.float64())


def kind_of(found: pa.DataType) -> str:
    """Return the kind that Arrow's reader of CSV has taken a column for."""
    from pyarrow import types

    if types.is_null(found):
        return NOTHING
    if types.is_boolean(found):
        return TRUTH
    if types.is_integer(found):
        return WHOLE
    if types.is_floating(found):
        return NUMBER
    # Dates and times are texts that look like it.
    return TEXT
