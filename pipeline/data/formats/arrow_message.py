"""The headers of Arrow's messages, which declare how large record batches are once they are unpacked.

pyarrow does not tell it, and makes room for whatever a compressed batch declares.

References
----------
Arrow, "Columnar format", "Serialization and Interprocess Communication", and its files Message.fbs and File.fbs;
FlatBuffers, "FlatBuffer Internals".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import BadInput
from .locations import Location

if TYPE_CHECKING:
    import pyarrow as pa

DICTIONARY = 2
# The fields of the tables in Message.fbs and File.fbs, by their place.
_MESSAGE_TYPE, _MESSAGE_HEADER, _DICTIONARY_DATA = 1, 2, 1
_LENGTH, _BUFFERS, _COMPRESSION = 0, 2, 3
_FOOTER_DICTIONARIES, _FOOTER_BATCHES = 2, 3
_BLOCK_BYTES, _BUFFER_BYTES = 24, 16
# A compressed buffer begins with its unpacked length; -1 says that it is not compressed.
_LENGTH_BYTES = 8


class Batch(NamedTuple):
    """What the header of a record batch declares.

    Attributes
    ----------
    rows : int
        The number of rows.
    buffers : list of int
        The size of each buffer in bytes, unpacked.
    is_packed : bool
        Whether its buffers are compressed.
    """

    rows: int
    buffers: list[int]
    is_packed: bool


class _Table(NamedTuple):
    """A table of a FlatBuffer: its bytes, and its place in them."""

    data: memoryview
    at: int

    def field(self, index: int) -> int | None:
        """Return the place of a field; None if it is not there."""
        vtable = self.at - _number("<i", self.data, self.at)
        entry = 4 + 2 * index
        offset = _number("<H", self.data, vtable + entry) if entry < _number("<H", self.data, vtable) else 0
        return self.at + offset if offset else None

    def number(self, index: int, form: str) -> int:
        """Return a number; 0 if it is not there."""
        place = self.field(index)
        return 0 if place is None else _number(form, self.data, place)

    def table(self, index: int) -> _Table | None:
        """Return a table within; None if it is not there."""
        place = self.field(index)
        return None if place is None else _Table(self.data, place + _number("<I", self.data, place))

    def structs(self, index: int, size: int, form: str) -> list[tuple[int, ...]]:
        """Return the structs of a vector, each unpacked."""
        place = self.field(index)
        if place is None:
            return []
        start = place + _number("<I", self.data, place)
        count = _number("<I", self.data, start)
        if start + 4 + size * count > len(self.data):
            raise ValueError("a vector that goes beyond the message")
        return [struct.unpack_from(form, self.data, start + 4 + size * i) for i in range(count)]


def _number(form: str, data: memoryview, place: int) -> int:
    if place < 0:
        raise ValueError("an offset before the message")
    return int(struct.unpack_from(form, data, place)[0])


def batch_of(message: pa.Message) -> Batch:
    """Return what the message of a record batch or of a dictionary declares.

    Raises
    ------
    ValueError, struct.error
        If the message is damaged.
    """
    data = memoryview(message.metadata)
    root = _Table(data, _number("<I", data, 0))
    header = root.table(_MESSAGE_HEADER)
    if header is not None and root.number(_MESSAGE_TYPE, "<B") == DICTIONARY:
        header = header.table(_DICTIONARY_DATA)
    if header is None:
        raise ValueError("a message without a record batch")
    rows = header.number(_LENGTH, "<q")
    if rows < 0:
        raise ValueError(f"a record batch of {rows:,} rows")
    buffers = header.structs(_BUFFERS, _BUFFER_BYTES, "<qq")
    if header.table(_COMPRESSION) is None:
        return Batch(rows, [length for _, length in buffers], is_packed=False)
    body = memoryview(message.body)
    return Batch(rows, [_unpacked(body, offset, length) for offset, length in buffers], is_packed=True)


def _unpacked(body: memoryview, offset: int, length: int) -> int:
    if length < _LENGTH_BYTES:
        return max(0, length)
    if offset > len(body):
        raise ValueError("a buffer beyond its record batch")
    declared = _number("<q", body, offset)
    return declared if declared >= 0 else length


def blocks_of(handle: Any) -> tuple[list[int], list[int]]:
    """Return the places of the dictionaries and of the record batches of an Arrow file, in bytes.

    Raises
    ------
    ValueError, struct.error
        If the footer is damaged.
    """
    end = handle.seek(0, 2)
    handle.seek(end - 10)
    size = struct.unpack("<i", handle.read(4))[0]
    if not 0 < size <= end - 10:
        raise ValueError(f"a footer of {size:,} bytes")
    handle.seek(end - 10 - size)
    data = memoryview(handle.read(size))
    root = _Table(data, _number("<I", data, 0))
    both = (root.structs(index, _BLOCK_BYTES, "<qi4xq") for index in (_FOOTER_DICTIONARIES, _FOOTER_BATCHES))
    dictionaries, batches = ([place for place, _, _ in blocks] for blocks in both)
    return dictionaries, batches


def refuse_unpacking(
    batch: Batch, schema: pa.Schema, columns: Sequence[str] | None, location: Location, most_bytes: int
) -> None:
    """Refuse a compressed record batch whose columns take too much memory.

    Parameters
    ----------
    batch, schema : Batch, pyarrow.Schema
        What its header declares, and the columns of the file.
    columns : sequence of str or None
        The columns that are to be read; None for all of them, or for a dictionary.
    location : Location
        The file, for the message.
    most_bytes : int
        What may be unpacked at once.

    Raises
    ------
    BadInput
        If more than that is declared.
    """
    declared = sum(batch.buffers) if columns is None else unpacked_bytes(batch, schema, columns)
    if batch.is_packed and declared > most_bytes:
        raise BadInput(
            f"a record batch of {location} must unpack to at most data.max_bytes={most_bytes:,}; found {declared:,} "
            "bytes declared: write it with smaller batches, or raise data.max_bytes"
        )


def unpacked_bytes(batch: Batch, schema: pa.Schema, columns: Sequence[str]) -> int:
    """Return how many bytes columns of a batch take once they are unpacked.

    Where a type is too new to know how many buffers it has, it is those of all columns.
    """
    counts = [_n_buffers(field.type) for field in schema]
    if None in counts or sum(count or 0 for count in counts) != len(batch.buffers):
        return sum(batch.buffers)
    sizes = iter(batch.buffers)
    by_name = {field.name: sum(_next(sizes, count or 0)) for field, count in zip(schema, counts, strict=True)}
    return sum(by_name[name] for name in columns)


def _next(sizes: Iterator[int], count: int) -> list[int]:
    return [next(sizes) for _ in range(count)]


def _n_buffers(kind: pa.DataType) -> int | None:
    """Return the number of buffers of a type in a message; None if it is not known."""
    import pyarrow as pa
    from pyarrow import types

    if isinstance(kind, pa.BaseExtensionType):
        return _n_buffers(kind.storage_type)
    if types.is_null(kind):
        return 0
    if types.is_primitive(kind) or types.is_decimal(kind) or types.is_dictionary(kind):
        return 2
    if types.is_fixed_size_binary(kind):
        return 2
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_string(kind) or types.is_large_string(kind):
        return 3
    if types.is_list(kind) or types.is_large_list(kind) or types.is_map(kind):
        own = 2
    elif types.is_fixed_size_list(kind) or types.is_struct(kind):
        own = 1
    else:
        return None
    parts = [_n_buffers(kind.field(i).type) for i in range(kind.num_fields)]
    return None if None in parts else own + sum(part or 0 for part in parts)
