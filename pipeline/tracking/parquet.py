"""Read tables from Parquet files that are not trusted: declared sizes are checked before memory is allocated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, brief

if TYPE_CHECKING:
    import pandas as pd

# A table is in memory twice while it is converted to pandas.
MOST_BYTES = 400_000_000
# Limits for the file's metadata; Thrift's own limits are 100 MB and a million entries.
_STRING_BYTES, _ENTRIES = 1 << 20, 1 << 16
_AGAIN = "log the run again"


def read(path: Path) -> pd.DataFrame:
    """Read a table whose columns hold numbers, truth values or text, which may be the names of categories.

    Parameters
    ----------
    path : Path
        A file as ``DataFrame.to_parquet`` writes it.

    Returns
    -------
    DataFrame
        The same as from ``pandas.read_parquet``.

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
    # Damaged bytes raise many kinds of error: those of Arrow, of Thrift and of the codecs, and MemoryError.
    except Exception as error:
        found = brief(error) or type(error).__name__
        raise BadInput(f"{path} must be a whole Parquet file; found: {found}: {_AGAIN}") from error


def _read(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import parquet

    limits = {"thrift_string_size_limit": _STRING_BYTES, "thrift_container_size_limit": _ENTRIES}
    with parquet.ParquetFile(path, **limits) as file:
        kinds = {field.name: field.type for field in file.schema_arrow}
        texts = [name for name, kind in kinds.items() if _is_text(kind)]
        _check(file, path, texts)
    # Text is read dictionary-encoded: a long text stored once may belong to a million rows.
    with parquet.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True, **limits) as file:
        # One thread: each further one would hold a page in memory, and these tables are small.
        table = file.read(use_threads=False)
    for i, name in enumerate(table.column_names):
        if name in texts:
            _check_text(table.column(i), name, path)
            # Names of categories stay as they are: one text for many rows.
            if not pa.types.is_dictionary(kinds[name]):
                table = table.set_column(i, pa.field(name, kinds[name]), table.column(i).cast(kinds[name]))
    return table.to_pandas()


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    own = kind.value_type if types.is_dictionary(kind) else kind
    return types.is_string(own) or types.is_large_string(own)


def _check(file: Any, path: Path, texts: list[str]) -> None:
    """Refuse columns of other types, and more rows or columns than fit the limit."""
    from pyarrow import types

    schema, metadata = file.schema_arrow, file.metadata
    if len(set(schema.names)) != len(schema.names):
        raise BadInput(f"{path} must name each column once; found {brief(', '.join(schema.names))}: {_AGAIN}")
    for field in schema:
        is_plain = types.is_boolean(field.type) or types.is_integer(field.type) or types.is_floating(field.type)
        if not is_plain and field.name not in texts:
            raise BadInput(
                f"{path} must hold numbers, truth values and text; found {brief(field.type)} in the column "
                f"{brief(field.name)!r}: {_AGAIN}"
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
    """Refuse a column of text whose decoded rows could exceed the limit."""
    from pyarrow import compute

    for chunk in column.chunks:
        longest = compute.max(compute.binary_length(chunk.dictionary)).as_py() or 0
        if longest * len(column) > MOST_BYTES:
            raise BadInput(
                f"{path} must take at most {MOST_BYTES:,} bytes; found {len(column):,} texts of up to {longest:,} "
                f"bytes in the column {brief(name)!r}: log fewer rows"
            )
