"""Parquet: one file or a folder of many; a shard is a row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.archive import brief
from pipeline.data.shards.base import BLOCK_ROWS, Source
from pipeline.data.shards.batches import arrays_of, column_of, damage, readable, schema_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq


# Numbers decoded at once, and bytes of a column read at once: few enough to stay in a core's cache.
_NUMBERS_AT_ONCE = 1 << 19
_BUFFER = 1 << 17


class ParquetSource(Source):
    """Parquet files with one schema.

    Parameters
    ----------
    name : str
        For people.
    places : sequence of Place
        The files, in order.

    Raises
    ------
    BadInput
        If a file is damaged, or its columns are not those of the first.
    """

    def __init__(self, name: str, places: Sequence[Place]) -> None:
        self.name, self._places = name, list(places)
        self._metadata = [_metadata(place) for place in places]
        schemas = [metadata.schema.to_arrow_schema() for metadata in self._metadata]
        schema = schema_of(schemas, [metadata.num_rows for metadata in self._metadata], self._places)
        # Where each shard lies: its file, and its row group in it.
        groups = [(i, g) for i, found in enumerate(self._metadata) for g in range(found.num_row_groups)]
        # A group without rows is no shard.
        self._shards = [(i, g) for i, g in groups if self._metadata[i].row_group(g).num_rows]
        rows = [self._metadata[i].row_group(g).num_rows for i, g in self._shards]
        self.bounds = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
        self._first_rows = np.cumsum([0, *(found.num_rows for found in self._metadata)])
        self.columns = {}
        first = self._first_row(schema)
        self.columns = {field.name: column_of(field, first.get(field.name)) for field in schema}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the files' content."""
        from pipeline import files

        return files.content_digest(*(place.digest.encode() for place in self._places))

    @property
    def contents(self) -> list[str]:
        """What each row group holds."""
        return [f"{self._places[file].digest} {group}" for file, group in self._shards]

    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Read columns of a row group."""
        file, group = self._shards[shard]
        first, stop = (int(bound) for bound in self.bounds[shard : shard + 2])
        known = {name: self.columns[name] for name in columns}
        for batch in self._batches(file, group, list(columns)):
            if first + len(batch) <= stop:
                yield arrays_of(batch, known, lambda row, first=first: self.where(first + row))  # type: ignore[misc]
            first += len(batch)
        if first != stop:
            raise BadInput(
                f"{self._places[file]} must hold the {stop - self.bounds[shard]:,} rows that its row group {group} "
                f"declares; found {first - self.bounds[shard]:,}: write the file again"
            )

    def where(self, row: int) -> str:
        """Say which row of which file a row is."""
        file = int(np.searchsorted(self._first_rows, row, side="right")) - 1
        return f"row {row - self._first_rows[file]:,} of {self._places[file]}"

    def _batches(self, file: int, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        place = self._places[file]
        try:
            with place.opened() as handle, _parquet(handle, self._metadata[file], place=place) as opened:
                yield from opened.iter_batches(
                    batch_size=self._rows_at_once(columns), row_groups=[group], columns=columns, use_threads=False
                )
        except BadInput:
            raise
        # Damaged bytes raise what Arrow, Thrift and the codecs raise; a file that cannot be reached is another matter.
        except damage() as error:
            if place.is_out_of_reach(error):
                raise
            raise BadInput(
                f"{place} must be a whole Parquet file; found in row group {group}: {brief(error)}: write it again"
            ) from error

    def _rows_at_once(self, columns: list[str]) -> int:
        numbers = sum(self.columns[name].width or 1 for name in columns) if self.columns else 1
        # A power of two: whoever cuts the rows up further is left with no remainders.
        return min(BLOCK_ROWS, 1 << max(0, (_NUMBERS_AT_ONCE // numbers).bit_length() - 1))

    def _first_row(self, schema: pa.Schema) -> dict[str, pa.Array]:
        from pyarrow import types

        lists = [field.name for field in schema if types.is_list(field.type) or types.is_large_list(field.type)]
        for shard, (file, group) in enumerate(self._shards):
            if lists and self.bounds[shard + 1] > self.bounds[shard]:
                batch = next(self._batches(file, group, lists))
                return {name: batch.column(i)[:1] for i, name in enumerate(batch.schema.names)}
        return {}


def _parquet(handle: Any, metadata: pq.FileMetaData | None = None, *, place: Place) -> pq.ParquetFile:
    from pyarrow import parquet as pq

    # A column's bytes pass through a core's cache; in an object store each read would be a request of its own.
    buffer = _BUFFER if place.uri is None else 0
    return pq.ParquetFile(
        handle, metadata=metadata, page_checksum_verification=True, pre_buffer=False, buffer_size=buffer
    )


def _metadata(place: Place) -> pq.FileMetaData:
    try:
        with place.opened() as handle, _parquet(handle, place=place) as opened:
            readable(opened.metadata.schema.to_arrow_schema())
            _check_rows(opened.metadata)
            return opened.metadata
    except BadInput:
        raise
    except damage() as error:
        if place.is_out_of_reach(error):
            raise
        raise BadInput(f"{place} must be a whole Parquet file; found: {brief(error)}: write it again") from error


def _check_rows(metadata: pq.FileMetaData) -> None:
    """Refuse numbers of rows that no whole file declares."""
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
        raise ValueError(f"{metadata.num_rows:,} rows declared, and {sum(rows):,} in its row groups")
