"""Tables in Arrow's stream format, as `datasets.save_to_disk` writes them. A shard is a range of record batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .arrow import ArrowSource, checked_batch, opened
from .arrow_blocks import readable
from .arrow_files import Shard
from .arrow_message import batch_of, refuse_unpacking
from .locations import Location

if TYPE_CHECKING:
    import pyarrow as pa

# A stream begins with this, before the length of its schema.
STREAM_MAGIC = b"\xff\xff\xff\xff"
# The length 0 after it ends a stream; a file that was cut between two batches has no such end.
_END_BYTES = 8
# Batches of a stream are small (1,000 rows in `datasets`); so many rows are handed on together.
_ROWS_AT_ONCE = 1 << 14


class ArrowStreamSource(ArrowSource):
    """A table of Arrow streams with one schema, memory-mapped.

    A stream has no directory of its batches. So each file is walked through once, from header to header, and the
    places of its batches are kept.
    """

    def _schema_and_rows(self, location: Location) -> tuple[pa.Schema, NDArray[np.int64]]:
        from pyarrow import ipc

        if location.uri is not None:
            raise BadInput(
                f"an Arrow stream must be named by its path on this machine, to be memory-mapped; found {location}: "
                "copy it, or give Parquet"
            )
        _check_magic(location)
        with opened(location, "Arrow stream") as handle:
            schema = readable(ipc.read_schema(handle))
            if not len(schema):
                raise BadInput(f"{location} must have columns; found none: write it again")
            found = dict(_batches(handle, schema, location, self._most_bytes))
        self._places[location] = list(found)
        return schema, np.array(list(found.values()), dtype=np.int64)

    def _read_batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import ipc

        location = self._locations[shard.file]
        with opened(location, "Arrow stream") as handle:
            schema = readable(ipc.read_schema(handle))
            waiting: list[pa.RecordBatch] = []
            for number in range(shard.start, shard.stop):
                handle.seek(self._places[location][number])
                batch = ipc.read_record_batch(ipc.read_message(handle), schema).select(columns)
                waiting.append(checked_batch(batch, location, int(self._rows[shard.file][number])))
                if sum(each.num_rows for each in waiting) >= _ROWS_AT_ONCE or number + 1 == shard.stop:
                    yield pa.concat_batches(waiting)
                    waiting = []


def _batches(handle: Any, schema: pa.Schema, location: Location, most_bytes: int) -> Iterator[tuple[int, int]]:
    """Yield the place of each record batch in the file, in bytes, and its number of rows."""
    from pyarrow import ipc

    rows = 0
    while True:
        place = handle.tell()
        try:
            message = ipc.read_message(handle)
        except EOFError as error:
            if handle.tell() - place != _END_BYTES:
                raise BadInput(
                    f"{location} must be a whole Arrow stream; found no end of the stream after {rows:,} rows: write "
                    "it again"
                ) from error
            return
        if message.type == "dictionary":
            raise BadInput(
                f"{location} must have no dictionary columns (categories) to be read as an Arrow stream; found some: "
                "write them as text, or write Parquet"
            )
        batch = batch_of(message)
        # All columns are unpacked, whichever are asked for.
        refuse_unpacking(batch, schema, None, location, most_bytes)
        rows += batch.rows
        yield place, batch.rows


def _check_magic(location: Location) -> None:
    with location.opened() as handle:
        start = handle.read(len(STREAM_MAGIC))
    if start != STREAM_MAGIC:
        found = brief(start.decode("latin-1")) if start else "no byte"
        raise BadInput(f"{location} must start as an Arrow stream does; found {found}: write it again")
