"""Arrow's record batches to NumPy's arrays, with nothing missing and every list as wide as the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.archive import brief
from pipeline.data.shards.base import Column
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa


def column_of(field: pa.Field, first: pa.Array | None) -> Column:
    """Describe a column; `first`, its first row, tells how wide lists are."""
    from pyarrow import types

    kind = _storage(field.type)
    if types.is_fixed_size_list(kind):
        return _column(kind.value_type, kind.list_size, kind)
    if is_list(kind):
        first = _unwrapped(first)
        width = 0 if first is None or not len(first) or not first[0].is_valid else len(first[0])
        return _column(kind.value_type, width, kind)
    return _column(kind, None, kind)


def _column(numbers: pa.DataType, width: int | None, kind: pa.DataType) -> Column:
    import pyarrow as pa

    return Column(_kind(numbers), width, str(kind), is_byte=numbers == pa.uint8())


def damage() -> tuple[type[Exception], ...]:
    """Return what Arrow, Thrift and the codecs raise where bytes are damaged."""
    import pyarrow as pa

    return OSError, ValueError, LookupError, TypeError, MemoryError, pa.ArrowException


def readable(schema: pa.Schema) -> pa.Schema:
    """Return a schema whose names are text; raises what `damage` lists of any other."""
    # Names are decoded when they are asked for.
    _ = schema.names
    return schema


def schema_of(schemas: Sequence[pa.Schema], rows: Sequence[int], places: Sequence[Place]) -> pa.Schema:
    """Return what files have in common: their columns, in whatever order.

    Parameters
    ----------
    schemas, rows, places : sequence of Schema, int, Place
        The files'. One without rows may say anything: pandas does not know what its columns would have held.

    Raises
    ------
    BadInput
        With the first column that differs, or columns of the same name.
    """
    told = [file for file, count in enumerate(rows) if count] or [0]
    first = told[0]
    for file in told[1:]:
        _check_same(schemas[first], schemas[file], places[first], places[file])
    names = schemas[first].names
    if len(set(names)) != len(names):
        raise BadInput(
            f"{places[first]} must name each column once; found {brief(', '.join(names))}: rename the columns"
        )
    return schemas[first]


def _check_same(first: pa.Schema, schema: pa.Schema, at: Place, place: Place) -> None:
    ours, theirs = ({field.name: str(field.type) for field in each} for each in (first, schema))
    for name in [*ours, *theirs]:
        if ours.get(name) != theirs.get(name):
            found, wanted = (each.get(name, "none") for each in (theirs, ours))
            raise BadInput(
                f"{place} must have the columns of {at.name}; found the column {brief(name)!r} of type {brief(found)} "
                f"instead of {brief(wanted)}: write the shards with one schema"
            )


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list whose width each row has for itself."""
    from pyarrow import types

    return types.is_list(_storage(kind)) or types.is_large_list(_storage(kind))


def _kind(kind: pa.DataType) -> str:
    from pyarrow import types

    kind = _storage(kind)
    if types.is_dictionary(kind):
        return _kind(kind.value_type)
    if types.is_boolean(kind):
        return "b"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "f"
    if types.is_integer(kind):
        return "i" if types.is_signed_integer(kind) else "u"
    if types.is_date(kind) or types.is_timestamp(kind):
        return "M"
    return "U" if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind) else "O"


def _storage(kind: pa.DataType) -> pa.DataType:
    """What a type that somebody has added to Arrow's is stored as: a tensor is a list."""
    import pyarrow as pa

    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _unwrapped(found: pa.Array | None) -> pa.Array | None:
    import pyarrow as pa

    return found.storage if isinstance(found, pa.ExtensionArray) else found


def arrays_of(
    batch: pa.RecordBatch, columns: dict[str, Column], where: Callable[[int], str]
) -> dict[str, NDArray[Any]]:
    """Return the columns of a batch as arrays; `where` says which row of the file one of the batch is.

    Raises
    ------
    BadInput
        If a value is missing or a list has another width.
    """
    return {
        name: _array(batch.column(i), name, columns[name], where)
        for i, name in enumerate(batch.schema.names)
        if name in columns
    }


def _array(found: pa.Array, name: str, column: Column, where: Callable[[int], str]) -> NDArray[Any]:
    found = _unwrapped(found)
    missing = _missing(found)
    if missing is not None:
        raise BadInput(
            f"the column {brief(name)!r} must have a value in every row; found none in {where(int(missing.argmax()))}: "
            "fill it in, or leave that row out"
        )
    return _plain(found) if column.width is None else _lists(found, name, column.width, where)


def _lists(found: pa.Array, name: str, width: int, where: Callable[[int], str]) -> NDArray[Any]:
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
            f"{where(int(missing.argmax()) // width)}: fill it in, or leave that row out"
        )
    return np.asarray(_plain(values)).reshape(len(found), width)


def _missing(found: pa.Array) -> NDArray[np.bool_] | None:
    """Tell which values are missing; None where none is."""
    from pyarrow import types

    gone = found.is_null().to_numpy(zero_copy_only=False) if found.null_count else None
    if types.is_dictionary(found.type) and found.dictionary.null_count:
        # The dictionary itself may hold what is no value.
        none = found.dictionary.is_null().to_numpy(zero_copy_only=False)
        of_rows = none[found.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        gone = of_rows if gone is None else gone | of_rows
    return gone if gone is not None and gone.any() else None


def _plain(found: pa.Array) -> NDArray[Any]:
    """Values, none of them missing, as NumPy has them: decimals as float64."""
    import pyarrow as pa
    from pyarrow import types

    if types.is_dictionary(found.type):
        # By reference: a long text stands once in the dictionary and may stand in every row.
        return _plain(found.dictionary)[found.indices.to_numpy()]
    if types.is_decimal(found.type):
        found = found.cast(pa.float64())
    return found.to_numpy(zero_copy_only=False)
