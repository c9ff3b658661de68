"""Arrow's file format (Feather version 2): one file or a folder of many; a shard is a run of record batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.shards.base import BLOCK_ROWS, Source
from pipeline.data.shards.batches import arrays_of, column_of, damage, is_list, readable, schema_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import ipc

# What a file starts with, and files of other formats that are called the same.
_MAGIC = b"ARROW1"
_OTHERS = {
    b"FEA1": "Feather version 1: write version 2",
    b"\xff\xff\xff\xff": "Arrow's stream format, which has no directory: write it with pyarrow.ipc.new_file",
    b"": "no byte: write it again",
}


class _Shard(NamedTuple):
    """Record batches `start` to `stop` of a file."""

    file: int
    start: int
    stop: int


class ArrowSource(Source):
    """Arrow files with one schema, memory-mapped where they lie on this machine.

    Parameters
    ----------
    name : str
        For people.
    places : sequence of Place
        The files, in order.

    Raises
    ------
    BadInput
        If a file is damaged or of another format, or its columns are not those of the first.
    """

    def __init__(self, name: str, places: Sequence[Place]) -> None:
        self.name, self._places = name, list(places)
        schemas, self._rows = zip(*(_contents(place) for place in places), strict=True)
        self._schema = schema_of(schemas, [int(rows.sum()) for rows in self._rows], self._places)
        self._first_rows = np.cumsum([0, *(int(rows.sum()) for rows in self._rows)])
        self._shards = [shard for file, rows in enumerate(self._rows) for shard in _runs(file, rows)]
        sizes = [int(self._rows[file][start:stop].sum()) for file, start, stop in self._shards]
        self.bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        first = self._first_row()
        self.columns = {field.name: column_of(field, first.get(field.name)) for field in self._schema}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the files' content."""
        return files.content_digest(*(place.digest.encode() for place in self._places))

    @property
    def contents(self) -> list[str]:
        """What each run of record batches holds."""
        return [f"{self._places[shard.file].digest} {shard.start} {shard.stop}" for shard in self._shards]

    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Read columns of a run of record batches."""
        first = int(self.bounds[shard])
        known = {name: self.columns[name] for name in columns}
        for batch in self._batches(self._shards[shard], columns):
            for start in range(0, batch.num_rows, BLOCK_ROWS):
                block = batch.slice(start, BLOCK_ROWS)
                yield arrays_of(block, known, lambda row, first=first: self.where(first + row))  # type: ignore[misc]
                first += block.num_rows

    def where(self, row: int) -> str:
        """Say which row of which file a row is."""
        file = int(np.searchsorted(self._first_rows, row, side="right")) - 1
        return f"row {row - self._first_rows[file]:,} of {self._places[file]}"

    def _batches(self, shard: _Shard, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        place = self._places[shard.file]
        with _opened(place) as handle:
            reader = _reader(handle, [_field(handle, place, name) for name in columns])
            for number in range(shard.start, shard.stop):
                yield _batch(reader, number, place, int(self._rows[shard.file][number]))

    def _first_row(self) -> dict[str, pa.Array]:
        lists = [field.name for field in self._schema if is_list(field.type)]
        for shard in self._shards if lists else []:
            batch = next(iter(self._batches(shard, lists)))
            return {name: batch.column(i)[:1] for i, name in enumerate(batch.schema.names)}
        return {}


def _runs(file: int, rows: NDArray[np.int64]) -> list[_Shard]:
    """Record batches put together to shards of at least `BLOCK_ROWS` rows, but for a file's last."""
    # Batches without rows go with their neighbours.
    ends = np.cumsum(rows)
    starts, done = [0], 0
    for number, end in enumerate(ends.tolist()):
        if end - done >= BLOCK_ROWS and end < ends[-1]:
            starts.append(number + 1)
            done = end
    return [_Shard(file, start, stop) for start, stop in pairwise([*starts, len(rows)]) if rows[start:stop].any()]


@contextmanager
def _opened(place: Place) -> Iterator[Any]:
    import pyarrow as pa

    place.check()
    try:
        with pa.memory_map(place.path) if place.uri is None else place.opened() as handle:
            yield handle
    except BadInput:
        raise
    # Damaged bytes raise what Arrow and the codecs raise; a file that cannot be reached is another matter.
    except damage() as error:
        if place.is_out_of_reach(error):
            raise
        raise BadInput(f"{place} must be a whole Arrow file; found: {brief(error)}: write it again") from error


def _reader(handle: Any, fields: Sequence[int]) -> ipc.RecordBatchFileReader:
    from pyarrow import ipc

    return ipc.open_file(handle, options=ipc.IpcReadOptions(included_fields=sorted(set(fields)), use_threads=False))


def _field(handle: Any, place: Place, name: str) -> int:
    from pyarrow import ipc

    names = ipc.open_file(handle).schema.names
    if name not in names:
        raise BadInput(f"{place} must stay as it is while it is read; found no column {brief(name)!r}: start again")
    return names.index(name)


def _batch(reader: ipc.RecordBatchFileReader, number: int, place: Place, rows: int) -> pa.RecordBatch:
    batch = reader.get_batch(number)
    # What is read by memory map is taken as it is: offsets that lead out of the file would end this process.
    batch.validate(full=True)
    if batch.num_rows != rows:
        raise BadInput(f"{place} must stay as it is while it is read; found {batch.num_rows:,} rows for {rows:,}")
    return batch


def _contents(place: Place) -> tuple[pa.Schema, NDArray[np.int64]]:
    """The schema, and the rows of each record batch."""
    from pyarrow import ipc, types

    _check_magic(place)
    with _opened(place) as handle:
        schema = readable(ipc.open_file(handle).schema)
        if not len(schema):
            raise BadInput(f"{place} must have columns; found none: write it again")
        # To count its rows, a batch must be read: by the column that is the cheapest to read.
        plain = [i for i, field in enumerate(schema) if types.is_primitive(field.type)]
        reader = _reader(handle, [plain[0] if plain else 0])
        rows = [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)]
    return schema, np.array(rows, dtype=np.int64)


def _check_magic(place: Place) -> None:
    with place.opened() as handle:
        start = handle.read(len(_MAGIC))
    if start != _MAGIC:
        found = next((words for magic, words in _OTHERS.items() if start[:4] == magic), "another: check the file")
        raise BadInput(f"{place} must start as an Arrow file (Feather version 2) does; found {found}")
