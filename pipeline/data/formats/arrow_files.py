"""The base class of Parquet and Arrow tables: files with one schema, divided into shards of whole row groups."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from ...runtime import files
from .arrow_blocks import arrays_of, column_of, damage_errors, has_value, is_list, list_length, schema_of
from .base import BLOCK_ROWS, Source
from .budget import MOST_BYTES, NUMBER_BYTES, refuse_wide_rows, rows_of_a_block
from .locations import Location

if TYPE_CHECKING:
    import pyarrow as pa


class Shard(NamedTuple):
    """The row groups (in Arrow files: record batches) `start` to `stop`, exclusive, of a file given by its index."""

    file: int
    start: int
    stop: int


class ArrowFiles(Source):
    """A table of files in one format that pyarrow reads, with one schema.

    Parameters
    ----------
    name : str
        The name for display.
    locations : sequence of Location
        The files, in order.
    most_bytes : int
        What may be unpacked at once.

    Raises
    ------
    BadInput
        If a file is damaged or of another format, or its columns differ from those of the first.
    """

    def __init__(self, name: str, locations: Sequence[Location], most_bytes: int = MOST_BYTES) -> None:
        self.name, self._locations, self._most_bytes = name, list(locations), most_bytes
        schemas, self._rows = zip(*map(self._schema_and_rows, locations), strict=True)
        totals = [int(rows.sum()) for rows in self._rows]
        self._schema = schema_of(schemas, totals, self._locations)
        self._first_rows = np.cumsum([0, *totals])
        self._shards = [shard for file, rows in enumerate(self._rows) for shard in self._cut_into_shards(file, rows)]
        sizes = [int(self._rows[file][start:stop].sum()) for file, start, stop in self._shards]
        self.bounds = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        lists = [field.name for field in self._schema if is_list(field.type)]
        widths = self._list_widths(self._shards[0], lists) if lists and self._shards else {}
        self.columns = {field.name: column_of(field, widths.get(field.name, 0)) for field in self._schema}

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the content of the files."""
        return files.content_digest(*(location.digest.encode() for location in self._locations))

    @property
    def contents(self) -> list[str]:
        """A key of the content of each shard: the digest of its file, and the range of its row groups."""
        return [f"{self._locations[shard.file].digest} {shard.start} {shard.stop}" for shard in self._shards]

    def has_value(self, column: str) -> NDArray[np.bool_]:
        """Return in which rows a column has a value, shape (N,); an empty text is none."""
        parts = [has_value(batch.column(0)) for shard in self._shards for batch in self._read_batches(shard, [column])]
        return np.concatenate([*parts, np.zeros(0, dtype=np.bool_)])

    def read(
        self, shard: int, columns: Sequence[str], *, keep: NDArray[np.bool_] | None = None
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Yield columns of a shard, in blocks; only rows that are kept, of `keep` of shape (N,)."""
        first = int(self.bounds[shard])
        known = {name: self.columns[name] for name in columns}
        row_bytes = NUMBER_BYTES * sum(column.width or 1 for column in known.values())
        refuse_wide_rows(row_bytes, self.name)
        step = rows_of_a_block(row_bytes, most=BLOCK_ROWS)
        for batch in self._read_batches(self._shards[shard], columns):
            for start in range(0, batch.num_rows, step):
                block = batch.slice(start, step)
                if keep is None:
                    yield arrays_of(block, known, self.where_from(first))
                elif len(rows := np.flatnonzero(keep[first : first + block.num_rows])):
                    yield arrays_of(block.take(rows), known, partial(self._where_of, first + rows))
                first += block.num_rows

    def where(self, row: int) -> str:
        """Name a row by its file and its number there, for messages."""
        file = int(np.searchsorted(self._first_rows, row, side="right")) - 1
        return f"row {row - self._first_rows[file]:,} of {self._locations[file]}"

    def _where_of(self, rows: NDArray[np.intp], place: int) -> str:
        return self.where(int(rows[place]))

    @abstractmethod
    def _schema_and_rows(self, location: Location) -> tuple[pa.Schema, NDArray[np.int64]]:
        """Return the schema of a file, and the number of rows of each row group."""

    @abstractmethod
    def _cut_into_shards(self, file: int, rows: NDArray[np.int64]) -> list[Shard]:
        """Divide a file, given the number of rows of each row group, into shards of at least one row."""

    @abstractmethod
    def _read_batches(self, shard: Shard, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield columns of a shard as record batches."""

    def _list_widths(self, shard: Shard, columns: Sequence[str]) -> dict[str, int]:
        """Return the length of the lists of each column, as the first row of a shard has them."""
        batch = next(iter(self._read_batches(shard, columns)))
        return {name: list_length(batch.column(i)) for i, name in enumerate(batch.schema.names)}


@contextmanager
def refusing_damage(location: Location, kind: str, part: str = "") -> Iterator[None]:
    """Turn the exceptions of damaged bytes into BadInput. Those of an unreachable file pass through unchanged.

    Parameters
    ----------
    location : Location
        The file.
    kind, part : str
        The format of the file, and the part that is read, for the message.

    Raises
    ------
    BadInput
        If the file is damaged.
    """
    try:
        yield
    except BadInput:
        raise
    except damage_errors() as error:
        if location.is_out_of_reach(error):
            raise
        raise BadInput(
            f"{location} must be a whole {kind} file; found{part}: {brief(error)}: write it again"
        ) from error
