"""Tables in Parquet. A shard is a row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from ...runtime import memory
from .arrow_blocks import list_length, readable
from .arrow_files import ArrowFiles, Shard, refusing_damage
from .base import BLOCK_ROWS
from .budget import BLOCK_BYTES, MOST_BYTES, MOST_OF_A_ROW, NUMBER_BYTES, refuse_expansion, rows_within
from .locations import Location

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq


# Numbers decoded at once; more are decoded no faster.
_NUMBERS_AT_ONCE = 1 << 21
# Lists of the first row that are read together, in bytes of their column chunks; the buffers of all columns together.
_CHUNKS_AT_ONCE = _BUFFERS = 1 << 26
# Of each column a page is in memory, which writers end at this size in bytes.
_PAGE = 1 << 20
# Rows decoded at once where many columns of numbers are read, for each array costs some microseconds.
_MANY_COLUMNS, _ROWS_OF_MANY = 4096, 1024
# Bytes of a column read at once: they fit into a core's cache.
_BUFFER, _LEAST_BUFFER = 1 << 17, 1 << 12


class _Chunk(NamedTuple):
    """What a file declares of a column in a row group: how many values, and the bytes of its pages."""

    name: str
    values: int
    unpacked: int
    packed: int


class ParquetSource(ArrowFiles):
    """A table of Parquet files with one schema."""

    def __init__(self, name: str, locations: Sequence[Location], most_bytes: int = MOST_BYTES) -> None:
        self._metadata: list[pq.FileMetaData] = []
        self._top_names: list[list[str]] = []
        # The column chunks that pyarrow has opened without an error: row group and column.
        self._sound: set[tuple[Shard, str]] = set()
        super().__init__(name, locations, most_bytes)

    @property
    def contents(self) -> list[str]:
        """A key of the content of each row group: the digest of its file, and its index."""
        return [f"{self._locations[shard.file].digest} {shard.start}" for shard in self._shards]

    def _schema_and_rows(self, location: Location) -> tuple[pa.Schema, NDArray[np.int64]]:
        with (
            refusing_damage(location, "Parquet"),
            location.opened() as handle,
            _parquet(handle, location=location) as opened,
        ):
            metadata = opened.metadata
            schema = readable(metadata.schema.to_arrow_schema())
            rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
            # Only damaged metadata declares this.
            if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
                raise ValueError(f"{metadata.num_rows:,} rows declared, and {sum(rows):,} in its row groups")
        self._metadata.append(metadata)
        self._top_names.append(_top_names(schema, metadata))
        return schema, np.array(rows, dtype=np.int64)

    def _cut_into_shards(self, file: int, rows: NDArray[np.int64]) -> list[Shard]:
        return [Shard(file, group, group + 1) for group in np.flatnonzero(rows).tolist()]

    def _read_batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        location, group = self._locations[shard.file], shard.start
        declared, found = int(self._rows[shard.file][group]), 0
        with (
            refusing_damage(location, "Parquet", f" in row group {group}"),
            location.opened() as handle,
            _parquet(
                handle, self._metadata[shard.file], self._texts(columns), location=location, n_columns=len(columns)
            ) as opened,
        ):
            self._check_expansion(shard, columns)
            self._check_pages(shard, columns)
            size = self._rows_at_once(shard, columns)
            for batch in opened.iter_batches(size, row_groups=[group], columns=list(columns), use_threads=False):
                found += batch.num_rows
                if found <= declared:
                    yield batch
        if found != declared:
            raise BadInput(
                f"{location} must hold the {declared:,} rows that its row group {group} declares; found {found:,}: "
                "write the file again"
            )

    def _rows_at_once(self, shard: Shard, columns: Sequence[str]) -> int:
        numbers = sum(self.columns[name].width or 1 for name in columns)
        # A power of two, so that smaller blocks divide it without a remainder.
        by_numbers = rows_within(_NUMBERS_AT_ONCE, numbers, most=BLOCK_ROWS)
        if len(columns) > _MANY_COLUMNS:
            by_numbers = max(by_numbers, rows_within(BLOCK_BYTES, NUMBER_BYTES * numbers, most=_ROWS_OF_MANY))
        texts = sum(chunk.unpacked for chunk in self._chunks(shard, self._texts(columns)))
        return rows_within(BLOCK_BYTES, texts / self._rows[shard.file][shard.start], most=by_numbers)

    def _list_widths(self, shard: Shard, columns: Sequence[str]) -> dict[str, int]:
        """Read the lists of one row alone: further rows tell nothing more, and may fill the memory."""
        location, rows = self._locations[shard.file], int(self._rows[shard.file][shard.start])
        chunks = self._chunks(shard, columns)
        # Lists that are too wide to be read are refused by the length that is declared, when they are asked for.
        widths = {c.name: c.values // rows for c in chunks if NUMBER_BYTES * c.values > MOST_OF_A_ROW * rows}
        for names in _together([chunk for chunk in chunks if chunk.name not in widths]):
            self._check_expansion(shard, names)
            with (
                refusing_damage(location, "Parquet", f" in row group {shard.start}"),
                memory.limited(self._most_bytes),
                location.opened() as handle,
                _parquet(handle, self._metadata[shard.file], location=location, n_columns=len(names)) as opened,
            ):
                batch = next(opened.iter_batches(1, row_groups=[shard.start], columns=names, use_threads=False))
                widths |= {name: list_length(batch.column(i)) for i, name in enumerate(batch.schema.names)}
        return widths

    def _check_expansion(self, shard: Shard, columns: Sequence[str]) -> None:
        where = f"row group {shard.start} of {self._locations[shard.file]}"
        for chunk in self._chunks(shard, columns):
            refuse_expansion(chunk.unpacked, chunk.packed, self._most_bytes, f"{where}, column {brief(chunk.name)!r},")

    def _check_pages(self, shard: Shard, columns: Sequence[str]) -> None:
        """Refuse a row group of so many columns that a page of each takes more than may be unpacked at once."""
        pages = sum(min(chunk.unpacked, _PAGE) for chunk in self._chunks(shard, columns))
        if pages > self._most_bytes:
            rows = int(self._rows[shard.file][shard.start])
            raise BadInput(
                f"pages of the {len(columns):,} columns of {self._locations[shard.file]} must take at most "
                f"data.max_bytes={self._most_bytes:,} together; found {pages:,} bytes: write row groups of fewer rows "
                f"(row_group_size={max(1, rows * self._most_bytes // (2 * pages)):,}) or one list column, or raise "
                "data.max_bytes"
            )

    def _chunks(self, shard: Shard, columns: Sequence[str]) -> list[_Chunk]:
        """Return what the file declares of columns in a row group; of a nested column, of its largest part."""
        self._refuse_unsound(shard, columns)
        wanted: dict[str, list[_Chunk]] = {name: [] for name in columns}
        group = self._metadata[shard.file].row_group(shard.start)
        for index, top in enumerate(self._top_names[shard.file]):
            if top in wanted:
                chunk = group.column(index)
                sizes = chunk.num_values, chunk.total_uncompressed_size, chunk.total_compressed_size
                wanted[top].append(_Chunk(top, *sizes))
        return [max(parts, default=_Chunk(name, 0, 0, 0)) for name, parts in wanted.items()]

    def _refuse_unsound(self, shard: Shard, columns: Sequence[str]) -> None:
        """Refuse column chunks whose metadata contradict themselves.

        Where `RowGroupMetaData.column` meets these, pyarrow ends the process: it declares no exception there. Its
        reader raises one, already when it is made for batches of no rows, which decodes nothing.
        """
        new = {name for name in columns if (shard, name) not in self._sound}
        leaves = [index for index, top in enumerate(self._top_names[shard.file]) if top in new]
        if not leaves:
            return
        location = self._locations[shard.file]
        with (
            refusing_damage(location, "Parquet", f" in row group {shard.start}"),
            location.opened() as handle,
            # With a buffer nothing is read ahead, in an object store neither.
            _parquet(handle, self._metadata[shard.file], location=location, buffer=_LEAST_BUFFER) as opened,
        ):
            list(opened.reader.iter_batches(0, [shard.start], leaves, use_threads=False))
        self._sound |= {(shard, name) for name in new}

    def _texts(self, columns: Sequence[str]) -> list[str]:
        return [name for name in columns if self.columns[name].kind == "U"]


def _together(chunks: Sequence[_Chunk]) -> Iterator[list[str]]:
    """Yield the names of chunks that are read together; of each at least a page is in memory."""
    names: list[str] = []
    size = 0
    for chunk in chunks:
        if names and size + chunk.unpacked > _CHUNKS_AT_ONCE:
            yield names
            names, size = [], 0
        names.append(chunk.name)
        size += chunk.unpacked
    if names:
        yield names


def _top_names(schema: pa.Schema, metadata: pq.FileMetaData) -> list[str]:
    """Return the column that each leaf of a Parquet file's schema belongs to."""
    names, found = set(schema.names), []
    for index in range(metadata.num_columns):
        parts = metadata.schema.column(index).path.split(".")
        # A name may have dots in it.
        starts = (".".join(parts[:stop]) for stop in range(len(parts), 0, -1))
        found.append(next((start for start in starts if start in names), parts[0]))
    return found


def _parquet(
    handle: Any,
    metadata: pq.FileMetaData | None = None,
    texts: Sequence[str] = (),
    *,
    location: Location,
    n_columns: int = 1,
    buffer: int | None = None,
) -> pq.ParquetFile:
    from pyarrow import parquet as pq

    if buffer is None:
        # A small buffer keeps the bytes in a core's cache. In an object store each read would be a separate request.
        buffer = min(_BUFFER, max(_LEAST_BUFFER, _BUFFERS // n_columns)) if location.uri is None else 0
    return pq.ParquetFile(
        # A text that stands in the file once for many rows stays once in memory.
        handle,
        read_dictionary=list(texts),
        metadata=metadata,
        page_checksum_verification=True,
        pre_buffer=False,
        buffer_size=buffer,
    )
