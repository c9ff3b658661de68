"""From a path to a table on disk, by the ending of its name."""

from __future__ import annotations

from pathlib import Path

from pipeline.data.shards.base import Source
from pipeline.data.shards.parquet import ParquetSource
from pipeline.data.shards.places import places_of
from pipeline.errors import BadInput

_PARQUET = (".parquet", ".pq")


def open_table(path: str) -> Source:
    """Open a table, or a folder of its parts.

    Raises
    ------
    BadInput
        If there is none, it is of no known format, is damaged, or has no rows.
    """
    source = ParquetSource(Path(path).name, places_of(path, _PARQUET))
    if not len(source):
        raise BadInput(f"{path} must hold at least one row; found none: save predictions with rows")
    return source
