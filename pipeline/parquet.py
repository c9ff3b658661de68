"""Tables out of a Parquet file that may be anything: what it declares is checked before room is made for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

# A table is in memory twice while pandas takes it over.
MOST_BYTES = 400_000_000
# What the file's own directory may take; Thrift's limits are 100 MB and a million entries.
_STRING_BYTES, _ENTRIES = 1 << 20, 1 << 16
_AGAIN = "log the run again"


def read(path: Path) -> pd.DataFrame:
    """Read a table of plain columns: numbers, truth values, text.

    Parameters
    ----------
    path : Path
        A file as ``DataFrame.to_parquet`` writes it.

    Returns
    -------
    DataFrame
        What ``pandas.read_parquet`` returns.

    Raises
    ------
    BadInput
        If the file is missing or damaged, has columns of another kind, or would take more than 400 MB.
    """
    if not path.is_file():
        raise BadInput(f"a table must be a Parquet file; found no file {path}: {_AGAIN}")
    try:
        return _read(path)
    except BadInput:
        raise
    # Damaged bytes raise what Arrow, Thrift and the codecs raise, and MemoryError for what cannot be made room for.
    except Exception as error:
        found = _brief(error) or type(error).__name__
        raise BadInput(f"{path} must be a whole Parquet file; found: {found}: {_AGAIN}") from error


def _read(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    limits = {"thrift_string_size_limit": _STRING_BYTES, "thrift_container_size_limit": _ENTRIES}
    with parquet.ParquetFile(path, **limits) as file:
        kinds = {field.name: field.type for field in file.schema_arrow}
        texts = [name for name, kind in kinds.items() if pa.types.is_string(kind) or pa.types.is_large_string(kind)]
        _check(file, path, texts)
    # As dictionaries first, for a text that stands once in the file may stand in a million rows.
    with parquet.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True, **limits) as file:
        # In one thread: each would hold a page of its own, and these tables are small.
        table = file.read(use_threads=False)
    for i, name in enumerate(table.column_names):
        if name in texts:
            _check_text(table.column(i), name, path)
            table = table.set_column(i, pa.field(name, kinds[name]), table.column(i).cast(kinds[name]))
    return table.to_pandas()


def _check(file: Any, path: Path, texts: list[str]) -> None:
    """Refuse columns that are not plain, and more of them or of their rows than there is room for."""
    from pyarrow import types

    schema, metadata = file.schema_arrow, file.metadata
    if len(set(schema.names)) != len(schema.names):
        raise BadInput(f"{path} must name each column once; found {_brief(', '.join(schema.names))}: {_AGAIN}")
    for field in schema:
        is_plain = types.is_boolean(field.type) or types.is_integer(field.type) or types.is_floating(field.type)
        if not is_plain and field.name not in texts:
            raise BadInput(
                f"{path} must hold numbers, truth values and text; found {_brief(field.type)} in the column "
                f"{_brief(field.name)!r}: {_AGAIN}"
            )
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    rows = max(metadata.num_rows, sum(groups))
    if min([metadata.num_rows, *groups]) < 0 or sum(groups) != metadata.num_rows:
        raise BadInput(f"{path} must have the rows that it declares; found {metadata.num_rows} and {sum(groups)}")
    if rows * 8 * len(schema) > MOST_BYTES:
        raise BadInput(
            f"{path} must take at most {MOST_BYTES:,} bytes; found {rows:,} rows of {len(schema)} columns declared: "
            "log fewer rows"
        )


def _check_text(column: Any, name: str, path: Path) -> None:
    """Refuse a column of text whose rows would take more than there is room for."""
    from pyarrow import compute

    for chunk in column.chunks:
        longest = compute.max(compute.binary_length(chunk.dictionary)).as_py() or 0
        if longest * len(column) > MOST_BYTES:
            raise BadInput(
                f"{path} must take at most {MOST_BYTES:,} bytes; found {len(column):,} texts of up to {longest:,} "
                f"bytes in the column {_brief(name)!r}: log fewer rows"
            )


def _brief(found: object) -> str:
    """What was found, in a few words of one line, whatever the file has put into it."""
    text = "".join(c if c.isprintable() else " " for c in str(found)[:1000])
    return " ".join(text.split())[:120]
