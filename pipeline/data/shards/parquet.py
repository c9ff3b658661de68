"""Parquet: one file or a folder of many; a shard is a row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.archive import brief
from pipeline.data.shards.base import BLOCK_ROWS, Source
from pipeline.data.shards.batches import arrays_of, column_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq


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
        for place, schema in zip(places[1:], schemas[1:], strict=True):
            _check_same(schemas[0], schema, self._places[0], place)
        if len(set(schemas[0].names)) != len(schemas[0].names):
            raise BadInput(f"{places[0]} must name each column once; found {brief(', '.join(schemas[0].names))}")
        # Where each shard lies: its file, and its row group in it.
        self._shards = [(i, g) for i, found in enumerate(self._metadata) for g in range(found.num_row_groups)]
        rows = [self._metadata[i].row_group(g).num_rows for i, g in self._shards]
        self.bounds = np.concatenate([[0], np.cumsum(rows)]).astype(np.int64)
        self._first_rows = np.cumsum([0, *(found.num_rows for found in self._metadata)])
        first = self._first_row(schemas[0])
        self.columns = {field.name: column_of(field, first.get(field.name)) for field in schemas[0]}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the files' content."""
        from pipeline import files

        return files.content_digest(*(place.digest.encode() for place in self._places))

    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Read columns of a row group."""
        file, group = self._shards[shard]
        first = int(self.bounds[shard])
        known = {name: self.columns[name] for name in columns}
        for batch in self._batches(file, group, list(columns)):
            yield arrays_of(batch, known, lambda row, first=first: self.where(first + row))  # type: ignore[misc]
            first += len(batch)
        if first != self.bounds[shard + 1]:
            raise BadInput(
                f"{self._places[file]} must hold the {self.bounds[shard + 1] - self.bounds[shard]:,} rows that its row "
                f"group {group} declares; found {first - self.bounds[shard]:,}: write the file again"
            )

    def where(self, row: int) -> str:
        """Say which row of which file a row is."""
        file = int(np.searchsorted(self._first_rows, row, side="right")) - 1
        return f"row {row - self._first_rows[file]:,} of {self._places[file]}"

    def _batches(self, file: int, group: int, columns: list[str]) -> Iterator[pa.RecordBatch]:
        place = self._places[file]
        try:
            with place.opened() as handle, _parquet(handle, self._metadata[file]) as opened:
                yield from opened.iter_batches(
                    batch_size=BLOCK_ROWS, row_groups=[group], columns=columns, use_threads=False
                )
        except BadInput:
            raise
        # Damaged bytes raise what Arrow, Thrift and the codecs raise; a file that cannot be reached is another matter.
        except (OSError, ValueError, KeyError, MemoryError) as error:
            if place.is_out_of_reach(error):
                raise
            raise BadInput(
                f"{place} must be a whole Parquet file; found in row group {group}: {brief(error)}: write it again"
            ) from error

    def _first_row(self, schema: pa.Schema) -> dict[str, pa.Array]:
        from pyarrow import types

        lists = [field.name for field in schema if types.is_list(field.type) or types.is_large_list(field.type)]
        for shard, (file, group) in enumerate(self._shards):
            if lists and self.bounds[shard + 1] > self.bounds[shard]:
                batch = next(self._batches(file, group, lists))
                return {name: batch.column(i)[:1] for i, name in enumerate(batch.schema.names)}
        return {}


def _parquet(handle: Any, metadata: pq.FileMetaData | None = None) -> pq.ParquetFile:
    from pyarrow import parquet as pq

    return pq.ParquetFile(handle, metadata=metadata, page_checksum_verification=True, pre_buffer=False)


def _metadata(place: Place) -> pq.FileMetaData:
    try:
        with place.opened() as handle, _parquet(handle) as opened:
            return opened.metadata
    except BadInput:
        raise
    except (OSError, ValueError, KeyError, MemoryError) as error:
        if place.is_out_of_reach(error):
            raise
        raise BadInput(f"{place} must be a whole Parquet file; found: {brief(error)}: write it again") from error


def _check_same(first: pa.Schema, schema: pa.Schema, at: Place, place: Place) -> None:
    ours, theirs = ({field.name: str(field.type) for field in each} for each in (first, schema))
    for name in [*ours, *theirs]:
        if ours.get(name) != theirs.get(name):
            found, wanted = (each.get(name, "none") for each in (theirs, ours))
            raise BadInput(
                f"{place} must have the columns of {at.name}; found the column {brief(name)!r} of type {brief(found)} "
                f"instead of {brief(wanted)}: write the shards with one schema"
            )
