"""A table of predictions in memory that a command can read once it is written to a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data.formats.held import HeldSource
from ..runtime import files

if TYPE_CHECKING:
    import pyarrow as pa

# What a column of that key is called for each class.
_STEMS = {"logits": "logit", "probabilities": "probability"}


@dataclass(frozen=True, eq=False)
class HeldTable:
    """Columns as ``data=predictions`` finds them.

    Attributes
    ----------
    name : str
        For display.
    columns : mapping of str to ndarray, shape (n,) or (n, k)
    """

    name: str
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def of(
        cls, source: HeldSource, wanted: list[str], named: Mapping[str, str], further: Mapping[str, NDArray[Any] | None]
    ) -> HeldTable:
        """Return the columns that count, under the names by which they are found.

        Parameters
        ----------
        source : HeldSource
            The table.
        wanted : list of str
            Its columns that count.
        named : mapping of str to str
            Fields of ``data=predictions`` (``logits``, ``label`` …) whose columns are called otherwise.
        further : mapping of str to ndarray of shape (n,), or None
            Columns besides, such as ``group``.
        """
        columns = {_usual(name, named): source.column(name) for name in wanted}
        return cls(source.name, {**columns, **{key: own for key, own in further.items() if own is not None}})

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the content."""
        return HeldSource(self.name, self.columns).digest

    def write(self, folder: Path) -> str:
        """Write the table to a Parquet file under its content's digest, unless it is there; return the table's path.

        The path is that of a folder, which holds the file alone: a table is called by the last part of its path, so it
        keeps its name.

        Parameters
        ----------
        folder : Path
            Made if needed.
        """
        import pyarrow as pa
        from pyarrow import parquet

        called = re.sub(r"[^\w .()+-]+", "_", self.name).strip("._ ")[:40].rstrip() or "sample"
        path = folder / self.digest[:12] / called / "rows.parquet"
        if not path.exists():
            table = pa.table({name: _array(column) for name, column in self.columns.items()})
            files.write_beside(path, lambda file: parquet.write_table(table, file))
        return str(path.parent)


def _usual(name: str, named: Mapping[str, str]) -> str:
    for key, given in named.items():
        if name == given:
            return key
        if key in _STEMS and name.startswith(f"{given}_"):
            return f"{_STEMS[key]}{name[len(given) :]}"
    return name


def _array(column: NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    if column.ndim == 1:
        return pa.array(column.tolist() if column.dtype.kind in "OU" else column)
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(column).reshape(-1)), column.shape[1])
