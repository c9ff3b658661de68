"""Tables in CSV, TSV and JSON Lines. They are converted once into a Parquet file in the cache, and read from it."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ...errors import BadInput, brief
from ...runtime import files
from ...runtime.locks import held
from .base import BLOCK_ROWS, Column
from .budget import MOST_BYTES
from .delimited import Delimited
from .inferred_types import OTHER, TEXT, Widened, arrow_type
from .json_lines import JsonLines
from .locations import Location
from .parquet import ParquetSource
from .text_reader import TextReader

if TYPE_CHECKING:
    import pyarrow as pa

# The version of the conversion. Increase it when files are read differently, so that cached conversions are made again.
_VERSION = 2
# A row group ends at BLOCK_ROWS rows or at this size in bytes, because rows may be wide.
_GROUP_BYTES = 1 << 26
_METADATA_KEY = "batchscope"


class TextSource(ParquetSource):
    """Text files with the same columns, read through their cached conversion to Parquet.

    Parameters
    ----------
    name : str
        The name for display.
    locations : sequence of Location
        The files, in order.
    kind : str
        ``csv``, ``tsv`` or ``json``.
    most_bytes : int
        What a file in .gz may unpack to, unless it is not a hundred times as much as the file.
    is_cached : bool
        Whether the conversion is kept in the cache; else it lies in a temporary folder for as long as the table is in
        use, and nothing is written below ``mlruns/``.

    Raises
    ------
    BadInput
        If a line is not valid, or the cache cannot be written to.
    """

    def __init__(
        self,
        name: str,
        locations: Sequence[Location],
        kind: str,
        most_bytes: int = MOST_BYTES,
        *,
        is_cached: bool = True,
    ) -> None:
        self._text_columns = list(locations)
        self.digest = files.digest_of(kind, _VERSION, *(location.digest for location in locations))
        if is_cached:
            path = files.cache("tables") / f"{self.digest}.parquet"
            with held(f"table-{self.digest}", f"the table {name}, which is converted once"):
                metadata = _cached_metadata(path)
                if metadata is None:
                    _convert(locations, kind, most_bytes, lambda write: files.write_beside(path, write))
                    metadata = _cached_metadata(path)
        else:
            folder = tempfile.mkdtemp(prefix="batchscope-")
            # Removed when this object is, or with the process.
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            path = Path(folder) / "table.parquet"
            _convert(locations, kind, most_bytes, lambda write: _write_at(path, write))
            metadata = _cached_metadata(path)
        if metadata is None:
            raise BadInput(f"{path} must stay where it is while it is read; found none: start again")
        self._line_starts = np.cumsum([0, *metadata["rows"]])
        self._n_headings = metadata["headings"]
        super().__init__(name, [Location(str(path))], most_bytes)
        for column, words in metadata["words"].items():
            known = self.columns.get(column, Column("O", None, words))
            self.columns[column] = replace(known, type_name=words)

    def where(self, row: int) -> str:
        """Name a row by its text file and its line there, for messages."""
        file = int(np.searchsorted(self._line_starts, row, side="right")) - 1
        line = row - self._line_starts[file] + self._n_headings + 1
        return f"line {line:,} of {self._text_columns[file]}"


def _cached_metadata(path: Path) -> dict[str, Any] | None:
    """Return the metadata of a cached conversion; None if there is none, or it is damaged."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return json.loads(file.metadata.metadata[_METADATA_KEY.encode()])
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return None


def _write_at(path: Path, write: Callable[[BinaryIO], object]) -> None:
    with path.open("wb") as file:
        write(file)


def _convert(
    locations: Sequence[Location], kind: str, most_bytes: int, place: Callable[[Callable[[BinaryIO], object]], None]
) -> None:
    """Convert text files; `place` is given what writes the Parquet file, and calls it."""
    reader = JsonLines(most_bytes) if kind == "json" else Delimited("\t" if kind == "tsv" else ",", most_bytes)
    try:
        while True:
            try:
                place(lambda file: _write(file, reader, locations))
                return
            # This ends, because each time the type of a column is a wider one, and there are few.
            except Widened:
                continue
    except OSError as error:
        if not files.is_unwritable(error):
            raise
        raise files.unwritable(error) from error


def _write(file: BinaryIO, reader: TextReader, locations: Sequence[Location]) -> None:
    from pyarrow import parquet as pq

    rows = [0] * len(locations)
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for group in _row_groups(reader, locations, rows):
            if writer is None:
                # Checksums, because the cache may be damaged. Dictionaries for text only: numbers seldom repeat.
                made = pq.ParquetWriter(
                    file, group.schema, write_page_checksum=True, use_dictionary=_text_columns(group)
                )
                writer = stack.enter_context(made)
            writer.write_table(group, row_group_size=max(1, group.num_rows))
        if writer is None:
            raise BadInput(f"{locations[0]} must hold at least one row; found none: save predictions with rows")
        words = {name: _type_in_words(reader, name) for name, kind in reader.kinds.items() if kind in (TEXT, OTHER)}
        metadata = {"rows": rows, "headings": reader.n_headings, "words": words}
        writer.add_key_value_metadata({_METADATA_KEY: json.dumps(metadata)})


def _row_groups(reader: TextReader, locations: Sequence[Location], rows: list[int]) -> Iterator[pa.Table]:
    """Yield tables that are large enough for a row group, and count the rows of each file in `rows`."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for number, location in enumerate(locations):
        for table in reader.tables(location):
            rows[number] += table.num_rows
            waiting.append(table)
            if sum(each.num_rows for each in waiting) >= BLOCK_ROWS or sum(t.nbytes for t in waiting) >= _GROUP_BYTES:
                yield pa.concat_tables(waiting)
                waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _text_columns(table: pa.Table) -> list[str]:
    return [field.name for field in table.schema if field.type == arrow_type(TEXT)]


def _type_in_words(reader: TextReader, name: str) -> str:
    what = "text" if reader.kinds[name] == TEXT else "more than a number or a list of numbers"
    first_non_numbers = reader.first_non_numbers.get(name)
    return (
        what
        if first_non_numbers is None
        else f"{what}, first {brief(first_non_numbers.value, most=40)} in line {first_non_numbers.line:,}"
    )
