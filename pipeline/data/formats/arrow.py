"""Tables in Arrow's file format (Feather version 2). A shard is a range of record batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .arrow_blocks import readable
from .arrow_files import ArrowFiles, Shard, refusing_damage
from .arrow_message import Batch, batch_of, blocks_of, refuse_unpacking
from .base import BLOCK_ROWS
from .budget import MOST_BYTES
from .locations import Location

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import ipc

# The first bytes of a file, and of files in other formats with the same endings.
_MAGIC = b"ARROW1"
_OTHER_FORMATS = {
    b"FEA1": "Feather version 1: write version 2",
    b"\xff\xff\xff\xff": "Arrow's stream format: write all files in one format",
    b"": "no byte: write it again",
}


class ArrowSource(ArrowFiles):
    """A table of Arrow files with one schema, memory-mapped if they are on this machine."""

    def __init__(self, name: str, locations: Sequence[Location], most_bytes: int = MOST_BYTES) -> None:
        self._places: dict[Location, list[int]] = {}
        super().__init__(name, locations, most_bytes)

    def _schema_and_rows(self, location: Location) -> tuple[pa.Schema, NDArray[np.int64]]:
        from pyarrow import ipc, types

        _check_magic(location)
        with opened(location) as handle:
            schema = readable(ipc.open_file(handle).schema)
            if not len(schema):
                raise BadInput(f"{location} must have columns; found none: write it again")
            # A batch must be read to count its rows; a column of a primitive type is the fastest to read.
            plain = [i for i, field in enumerate(schema) if types.is_primitive(field.type)]
            counted = plain[0] if plain else 0
            self._places[location] = self._checked_places(handle, schema, location)
            for place in self._places[location]:
                self._check(handle, place, schema, [schema.names[counted]], location)
            reader = _reader(handle, [counted])
            rows = [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)]
        return schema, np.array(rows, dtype=np.int64)

    def _cut_into_shards(self, file: int, rows: NDArray[np.int64]) -> list[Shard]:
        """Group record batches into shards of at least `BLOCK_ROWS` rows, except the last of the file."""
        # Batches without rows join the shard of their neighbours.
        ends = np.cumsum(rows)
        starts, done = [0], 0
        for number, end in enumerate(ends.tolist()):
            if end - done >= BLOCK_ROWS and end < ends[-1]:
                starts.append(number + 1)
                done = end
        return [Shard(file, start, stop) for start, stop in pairwise([*starts, len(rows)]) if rows[start:stop].any()]

    def _read_batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        from pyarrow import ipc

        location = self._locations[shard.file]
        with opened(location) as handle:
            schema = ipc.open_file(handle).schema
            reader = _reader(handle, [_field_index(schema, location, name) for name in columns])
            for number in range(shard.start, shard.stop):
                for place in self._places[location][number : number + 1]:
                    self._check(handle, place, schema, columns, location)
                yield checked_batch(reader.get_batch(number), location, int(self._rows[shard.file][number]))

    def _checked_places(self, handle: Any, schema: pa.Schema, location: Location) -> list[int]:
        """Return the places of the record batches, after checking the dictionaries, which are read with the first one.

        Empty for a file in an object store, where each look would be a request.
        """
        from pyarrow import ipc

        if location.uri is not None:
            return []
        dictionaries, batches = blocks_of(handle)
        sizes = []
        for place in dictionaries:
            handle.seek(place)
            sizes.append(batch_of(ipc.read_message(handle)))
        together = Batch(0, [sum(size.buffers) for size in sizes], any(size.is_packed for size in sizes))
        refuse_unpacking(together, schema, None, location, self._most_bytes)
        return batches

    def _check(self, handle: Any, place: int, schema: pa.Schema, columns: Sequence[str], location: Location) -> None:
        from pyarrow import ipc

        handle.seek(place)
        refuse_unpacking(batch_of(ipc.read_message(handle)), schema, columns, location, self._most_bytes)


@contextmanager
def opened(location: Location, kind: str = "Arrow") -> Iterator[Any]:
    """Open a file, memory-mapped if it is on this machine; damaged bytes raise BadInput that calls it a `kind` file."""
    import pyarrow as pa

    location.check()
    with (
        refusing_damage(location, kind),
        pa.memory_map(location.path) if location.uri is None else location.opened() as handle,
    ):
        yield handle


def _reader(handle: Any, fields: Sequence[int]) -> ipc.RecordBatchFileReader:
    from pyarrow import ipc

    return ipc.open_file(handle, options=ipc.IpcReadOptions(included_fields=sorted(set(fields)), use_threads=False))


def _field_index(schema: pa.Schema, location: Location, name: str) -> int:
    index = schema.get_field_index(name)
    if index < 0:
        raise BadInput(f"{location} must stay as it is while it is read; found no column {brief(name)!r}: start again")
    return index


def checked_batch(batch: pa.RecordBatch, location: Location, rows: int) -> pa.RecordBatch:
    """Return a batch after checking that it is sound, and has as many rows as when the file was opened."""
    # Arrow does not check memory-mapped data: offsets outside the file would crash this process.
    batch.validate(full=True)
    if batch.num_rows != rows:
        raise BadInput(f"{location} must stay as it is while it is read; found {batch.num_rows:,} rows for {rows:,}")
    return batch


def _check_magic(location: Location) -> None:
    with location.opened() as handle:
        start = handle.read(len(_MAGIC))
    if start != _MAGIC:
        found = next(
            (words for magic, words in _OTHER_FORMATS.items() if start[:4] == magic), "another: check the file"
        )
        raise BadInput(f"{location} must start as an Arrow file (Feather version 2) does; found {found}")
