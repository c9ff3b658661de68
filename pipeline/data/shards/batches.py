"""Arrow's record batches to NumPy's arrays, with nothing missing and every list as wide as the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.archive import brief
from pipeline.data.shards.base import Column
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa


def column_of(field: pa.Field, first: pa.Array | None) -> Column:
    """Describe a column; `first`, its first row, tells how wide lists are."""
    from pyarrow import types

    kind = field.type
    if types.is_fixed_size_list(kind):
        return Column(_kind(kind.value_type), kind.list_size, str(kind))
    if types.is_list(kind) or types.is_large_list(kind):
        width = 0 if first is None or not len(first) or not first[0].is_valid else len(first[0])
        return Column(_kind(kind.value_type), width, str(kind))
    return Column(_kind(kind), None, str(kind))


def _kind(kind: pa.DataType) -> str:
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_boolean(kind):
        return "b"
    if types.is_floating(kind):
        return "f"
    if types.is_integer(kind):
        return "i" if types.is_signed_integer(kind) else "u"
    return "U" if types.is_string(kind) or types.is_large_string(kind) else "O"


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
    if found.null_count:
        row = int(found.is_null().to_numpy(zero_copy_only=False).argmax())
        raise BadInput(
            f"the column {brief(name)!r} must have a value in every row; found none in {where(row)}: fill it in, or "
            "leave that row out"
        )
    if column.width is None:
        return found.to_numpy(zero_copy_only=False)
    return _lists(found, name, column.width, where)


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
    if values.null_count:
        row = int(values.is_null().to_numpy(zero_copy_only=False).argmax()) // width
        raise BadInput(
            f"the column {brief(name)!r} must have numbers alone in every row; found an empty value in {where(row)}: "
            "fill it in, or leave that row out"
        )
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(len(found), width)
