"""CSV, TSV and JSON Lines: converted once into a Parquet file in the cache, and read from there."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.shards.base import BLOCK_ROWS, Column
from pipeline.data.shards.delimited import Delimited
from pipeline.data.shards.json_lines import JsonLines
from pipeline.data.shards.kinds import OTHER, TEXT, Widened, arrow_type
from pipeline.data.shards.parquet import ParquetSource
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput
from pipeline.locks import held

if TYPE_CHECKING:
    import pyarrow as pa

# To be raised whenever a file would be read differently: what is in the cache is then made again.
_VERSION = 1
# A row group is ended by rows or by bytes, whichever come first: rows may be wide.
_GROUP_BYTES = 1 << 26
_KEY = "batchscope"


class TextSource(ParquetSource):
    """Text files with the same columns, read from their conversion.

    Parameters
    ----------
    name : str
        For people.
    places : sequence of Place
        The files, in order.
    kind : str
        ``csv``, ``tsv`` or ``json``.

    Raises
    ------
    BadInput
        If a line is not what it must be, or nothing can be written to the cache.
    """

    def __init__(self, name: str, places: Sequence[Place], kind: str) -> None:
        self._texts = list(places)
        self.digest = files.digest_of(kind, _VERSION, *(place.digest for place in places))
        path = files.cache("tables") / f"{self.digest}.parquet"
        with held(f"table-{self.digest}"):
            about = _kept(path)
            if about is None:
                _convert(places, kind, path)
                about = _kept(path)
        if about is None:
            raise BadInput(f"{path} must stay where it is while it is read; found none: start again")
        self._line_starts = np.cumsum([0, *about["rows"]])
        self._n_headings = about["headings"]
        super().__init__(name, [Place(str(path))])
        for column, words in about["words"].items():
            known = self.columns.get(column, Column("O", None, words))
            self.columns[column] = replace(known, words=words)

    def where(self, row: int) -> str:
        """Say which line of which file a row is."""
        file = int(np.searchsorted(self._line_starts, row, side="right")) - 1
        line = row - self._line_starts[file] + self._n_headings + 1
        return f"line {line:,} of {self._texts[file]}"


def _kept(path: Path) -> dict[str, Any] | None:
    """What is known of a conversion; None where there is none, or none that is whole."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return json.loads(file.metadata.metadata[_KEY.encode()])
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return None


def _convert(places: Sequence[Place], kind: str, path: Path) -> None:
    reader = JsonLines() if kind == "json" else Delimited("\t" if kind == "tsv" else ",")
    try:
        while True:
            try:
                files.write_beside(path, lambda file: _write(file, reader, places))
                return
            # Each time a column's kind is a wider one: there is an end to it.
            except Widened:
                continue
    except OSError as error:
        if not files.is_unwritable(error):
            raise
        raise files.unwritable(error) from error


def _write(file: BinaryIO, reader: Delimited | JsonLines, places: Sequence[Place]) -> None:
    from pyarrow import parquet as pq

    rows = [0] * len(places)
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for group in _groups(reader, places, rows):
            if writer is None:
                # Checksums, for the cache may be damaged; numbers that are all different need no dictionary.
                made = pq.ParquetWriter(file, group.schema, write_page_checksum=True, use_dictionary=_texts(group))
                writer = stack.enter_context(made)
            writer.write_table(group, row_group_size=max(1, group.num_rows))
        if writer is None:
            raise BadInput(f"{places[0]} must hold at least one row; found none: save predictions with rows")
        words = {name: _words(reader, name) for name, kind in reader.kinds.items() if kind in (TEXT, OTHER)}
        about = {"rows": rows, "headings": reader.n_headings, "words": words}
        writer.add_key_value_metadata({_KEY: json.dumps(about)})


def _groups(reader: Delimited | JsonLines, places: Sequence[Place], rows: list[int]) -> Iterator[pa.Table]:
    """Tables that are large enough for a row group; the rows of each file are counted."""
    import pyarrow as pa

    waiting: list[pa.Table] = []
    for number, place in enumerate(places):
        for table in reader.tables(place):
            rows[number] += table.num_rows
            waiting.append(table)
            if sum(each.num_rows for each in waiting) >= BLOCK_ROWS or sum(t.nbytes for t in waiting) >= _GROUP_BYTES:
                yield pa.concat_tables(waiting)
                waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _texts(table: pa.Table) -> list[str]:
    return [field.name for field in table.schema if field.type == arrow_type(TEXT)]


def _words(reader: Delimited | JsonLines, name: str) -> str:
    what = "text" if reader.kinds[name] == TEXT else "more than a number or a list of numbers"
    odd = reader.odd.get(name)
    return what if odd is None else f"{what}, first {brief(odd.value, most=40)} in line {odd.line:,}"
