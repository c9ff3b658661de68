"""Rows in a table on disk: what predictions and inputs have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.base import Data
from pipeline.data.shards.base import Source
from pipeline.data.shards.opening import open_table
from pipeline.data.shards.places import is_remote
from pipeline.data.streamed import Streamed
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.records import Dataset, Population
from pipeline.stored import refuse_too_many


@dataclass
class Tabular(Data):
    """Rows in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    path : str or None
        The file, or a folder of files of one kind, here or at an address (``s3://…``) that pyarrow or fsspec knows.
    label : str
        The column of the true classes, whole numbers 0 … k - 1; where there is no ``label``, ``labels``.
    id : str or None
        A column that names each row, no two alike; by it two files are compared row by row.
    memory : int
        Bytes up to which the rows are kept in memory; more are streamed, and their scores kept on disk.
    """

    path: str | None = None
    label: str = "label"
    id: str | None = None
    memory: int = 1 << 28

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path:
            raise BadInput("data.path must name a file or a folder of rows; found none: pass data.path=FILE")
        if not is_remote(self.path):
            self.path = files.absolute(self.path)
        if self.one_hot:
            raise BadInput(f"data.one_hot must be false for data={self.name}, whose labels are classes; found true")
        if self.memory < 0:
            raise BadInput(f"data.memory must be at least 0 bytes; found {self.memory}")

    @property
    def source(self) -> Source:
        """The table, opened once in a process."""
        assert self.path is not None
        return once(f"table {self.path} {self.stamp()}", lambda: open_table(str(self.path)))

    def load_split(self, split: str) -> Population:
        """Load the rows, or get ready to stream them.

        Parameters
        ----------
        split : str
            A table has but one: ``test``.

        Raises
        ------
        BadInput
            If the table cannot be read, or its rows are not what they must be.
        """
        if split != "test":
            raise BadInput(
                f"data.split must be test for data={self.name}, which has no other; found {split}: a model that is "
                "trained needs data of another kind"
            )
        streamed = self.streamed()
        if self.id is not None:
            self._check_ids(self.source)
        # 8 bytes a number at most, and as many for the label.
        if 8 * len(streamed) * (streamed.width + 1) > self.memory:
            return streamed
        return loaded(streamed)

    def streamed(self) -> Streamed:
        """Return the rows, ready to be read shard by shard."""
        raise NotImplementedError

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return a column of the table, shape (N,)."""
        source = self.source
        found = source.columns.get(name)
        if found is None or found.width is not None or found.kind == "O":
            raise BadInput(
                f"{key}={name} must be a column of {self.path} with one value a row; found "
                f"{', '.join(list(source.columns)[:8]) if found is None else found.words}: name another"
            )
        refuse_too_many(len(source), f"{key}={name}")
        return source.column(name)

    def _check_ids(self, source: Source) -> None:
        import pandas as pd

        assert self.id is not None
        ids = pd.Series(self.column("test", self.id, key="data.id"))
        again = ids.duplicated().to_numpy()
        if again.any():
            row = int(again.argmax())
            first = int((ids == ids[row]).to_numpy().argmax())
            raise BadInput(
                f"{self.id} must name each row once; found {brief(ids[row])} in {source.where(first)} and again in "
                f"{source.where(row)}: leave one out"
            )


def loaded(streamed: Streamed) -> Dataset:
    """Read all rows into memory."""
    blocks = [block for shard in range(len(streamed.bounds) - 1) for block in streamed.read(shard)]
    labels = [block.labels for block in blocks if block.labels is not None]
    return Dataset(
        inputs=np.concatenate([block.inputs for block in blocks]),
        labels=np.concatenate(labels) if labels else None,  # type: ignore[arg-type]
        n_classes=streamed.n_classes,
        scale=streamed.scale,
        name=streamed.name,
        digest=streamed.digest,
        row_name=streamed.row_name,
    )


def labels_of(source: Source, label: str) -> NDArray[np.int64]:
    """Return the labels of all rows."""
    return source.column(label).astype(np.int64, copy=False)
