"""Convert Arrow record batches to NumPy arrays. Missing values, and lists of different lengths, are refused."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .base import Column, MissingValue
from .locations import Location

if TYPE_CHECKING:
    import pyarrow as pa


def column_of(field: pa.Field, width: int) -> Column:
    """Return the type of a column; `width` is the length of its lists, if they may differ in length."""
    from pyarrow import types

    kind = _storage_type(field.type)
    if types.is_fixed_size_list(kind):
        return _column(kind.value_type, kind.list_size, kind)
    if is_list(kind):
        return _column(kind.value_type, width, kind)
    return _column(kind, None, kind)


def _column(numbers: pa.DataType, width: int | None, kind: pa.DataType) -> Column:
    import pyarrow as pa

    return Column(_numpy_kind(numbers), width, str(kind), is_byte=numbers == pa.uint8())


def damage_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that Arrow, Thrift and the codecs raise for damaged bytes."""
    import pyarrow as pa

    return OSError, ValueError, LookupError, TypeError, MemoryError, EOFError, struct.error, pa.ArrowException


def readable(schema: pa.Schema) -> pa.Schema:
    """Return the schema; raise one of `damage_errors` if its names are not valid text."""
    # Arrow decodes the names at this access.
    _ = schema.names
    return schema


def schema_of(schemas: Sequence[pa.Schema], rows: Sequence[int], locations: Sequence[Location]) -> pa.Schema:
    """Return the schema of all files, after checking that they have the same columns, in any order.

    Parameters
    ----------
    schemas, rows, locations : sequence of Schema, int, Location
        The schema, the number of rows and the location of each file. Files without rows are not checked, because pandas
        writes arbitrary types for empty columns.

    Raises
    ------
    BadInput
        Naming the first column that differs, or if two columns have the same name.
    """
    told = [file for file, count in enumerate(rows) if count] or [0]
    first = told[0]
    for file in told[1:]:
        _check_same(schemas[first], schemas[file], locations[first], locations[file])
    names = schemas[first].names
    if len(set(names)) != len(names):
        raise BadInput(
            f"{locations[first]} must name each column once; found {brief(', '.join(names))}: rename the columns"
        )
    return schemas[first]


def _check_same(first: pa.Schema, schema: pa.Schema, at: Location, location: Location) -> None:
    ours, theirs = ({field.name: str(field.type) for field in each} for each in (first, schema))
    for name in [*ours, *theirs]:
        if ours.get(name) != theirs.get(name):
            found, wanted = (each.get(name, "none") for each in (theirs, ours))
            raise BadInput(
                f"{location} must have the columns of {at.name}; found the column {brief(name)!r} of type "
                f"{brief(found)} instead of {brief(wanted)}: write the shards with one schema"
            )


def list_length(found: pa.Array) -> int:
    """Return the length of the first list of an array; 0 if there is none."""
    found = _storage_array(found)
    return len(found[0]) if len(found) and found[0].is_valid else 0


def is_list(kind: pa.DataType) -> bool:
    """Return whether a type is a list type whose rows may differ in length."""
    from pyarrow import types

    return types.is_list(_storage_type(kind)) or types.is_large_list(_storage_type(kind))


def _numpy_kind(kind: pa.DataType) -> str:
    from pyarrow import types

    kind = _storage_type(kind)
    if types.is_dictionary(kind):
        return _numpy_kind(kind.value_type)
    if types.is_boolean(kind):
        return "b"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "f"
    if types.is_integer(kind):
        return "i" if types.is_signed_integer(kind) else "u"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "M"
    return "U" if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) else "O"


def _storage_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that an extension type is stored as (a tensor as a list); other types unchanged."""
    import pyarrow as pa

    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _storage_array(found: pa.Array) -> pa.Array:
    import pyarrow as pa

    return found.storage if isinstance(found, pa.ExtensionArray) else found


def arrays_of(
    batch: pa.RecordBatch, columns: dict[str, Column], where: Callable[[int], str]
) -> dict[str, NDArray[Any]]:
    """Return the columns of a batch as arrays; `where` names a row of the batch, for messages.

    Raises
    ------
    BadInput
        If a value is missing, or a list has another length than the column.
    """
    return {
        name: _array(batch.column(i), name, columns[name], where)
        for i, name in enumerate(batch.schema.names)
        if name in columns
    }


def _array(found: pa.Array, name: str, column: Column, where: Callable[[int], str]) -> NDArray[Any]:
    found = _storage_array(found)
    missing = _missing(found)
    if missing is not None:
        raise MissingValue(
            f"the column {brief(name)!r} must have a value in every row; found none in {where(int(missing.argmax()))}: "
            "fill it in, or leave that row out",
            name,
        )
    return _to_numpy(found) if column.width is None else _list_rows(found, name, column.width, where)


def _list_rows(found: pa.Array, name: str, width: int, where: Callable[[int], str]) -> NDArray[Any]:
    from pyarrow import compute, types

    if not types.is_fixed_size_list(found.type):
        lengths = compute.list_value_length(found).to_numpy(zero_copy_only=False)
        wrong = lengths != width
        if wrong.any():
            row = int(wrong.argmax())
            raise BadInput(
                f"the column {brief(name)!r} must have {width} values in every row, as in the first; found "
                f"{lengths[row]} in {where(row)}: mend that row"
            )
    values = found.flatten()
    missing = _missing(values)
    if missing is not None:
        raise BadInput(
            f"the column {brief(name)!r} must have numbers alone in every row; found an empty value in "
            f"{where(int(missing.argmax()) // width)}: fill it in, or leave that row out (pandas writes NaN as empty)"
        )
    return np.asarray(_to_numpy(values)).reshape(len(found), width)


def has_value(found: pa.Array) -> NDArray[np.bool_]:
    """Return which values there are, shape (n,); an empty text is none."""
    from pyarrow import compute, types

    found = _storage_array(found)
    missing = _missing(found)
    there = np.ones(len(found), dtype=np.bool_) if missing is None else ~missing
    kind = found.type.value_type if types.is_dictionary(found.type) else found.type
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        texts = compute.equal(found.cast(kind) if kind is not found.type else found, "")
        there &= ~np.asarray(texts.fill_null(False).to_numpy(zero_copy_only=False))
    elif types.is_floating(kind):
        there &= ~np.asarray(compute.is_nan(found).fill_null(False).to_numpy(zero_copy_only=False))
    return there


def _missing(found: pa.Array) -> NDArray[np.bool_] | None:
    """Return which values are missing; None if no value is."""
    from pyarrow import types

    gone = found.is_null().to_numpy(zero_copy_only=False) if found.null_count else None
    if types.is_dictionary(found.type) and found.dictionary.null_count:
        # The dictionary itself may contain missing values.
        none = found.dictionary.is_null().to_numpy(zero_copy_only=False)
        of_rows = none[found.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        gone = of_rows if gone is None else gone | of_rows
    return gone if gone is not None and gone.any() else None


def _to_numpy(found: pa.Array) -> NDArray[Any]:
    """Convert values, none of them missing, to a NumPy array; decimals become float64."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(found.type):
        # Indexed, so that a long text that repeats in every row is kept once in memory.
        return _to_numpy(found.dictionary)[found.indices.to_numpy()]
    if types.is_decimal(found.type):
        found = found.cast(pa.float64())
    return found.to_numpy(zero_copy_only=False)
