"""The base class of sources that read a table on disk: predictions, and inputs for a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief
from ..records.rows import Dataset, Population
from ..records.stored import refuse_too_many
from ..runtime import files
from ..runtime.memo import once
from .base import Data
from .class_names import given_names, refuse_empty
from .formats.base import Source
from .formats.budget import MOST_BYTES
from .formats.locations import is_remote
from .formats.open_table import open_table
from .formats.saved_dataset import folder_of, is_saved_dataset
from .streamed import Streamed

# The options whose columns must have a value in every row.
_TELLING = ("data.by", "data.group", "data.id", "data.weight")


@dataclass
class Tabular(Data):
    """N rows in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    path : str or None
        The file, or a folder of files of one format, on this machine or at an address (``s3://…``) that pyarrow or
        fsspec can read.
    label : str
        The column of the true classes: numbers 0 … k - 1, or the names of classes as text, numbers or booleans. If
        there is no column ``label``, ``labels`` is used.
    classes : list of str, str or None
        The names of the classes 0 … k - 1, in order: a list, or the path of a file: .json with a list or a mapping
        between numbers and names, or .txt with a name a line. None takes them from the columns' names, if these name
        classes.
    id : str or None
        A column of unique row identifiers. Two files are matched row by row by their identifiers. None takes a column
        ``id`` of predictions, if it names the same rows in both files.
    memory : int
        The largest size in bytes at which rows are loaded into memory. Larger tables are streamed, and their scores are
        cached on disk.
    max_bytes : int
        The largest size in bytes of what is unpacked at once: the arrays of an npz file, a record batch of a compressed
        Arrow file. Parquet and text in .gz may take more, up to a hundred times what they take in the file.
    """

    path: str | None = None
    label: str = "label"
    classes: Any = None
    id: str | None = None
    memory: int = 1 << 28
    max_bytes: int = MOST_BYTES

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path:
            raise BadInput("data.path must name a file or a folder of rows; found none: pass data.path=FILE")
        if not is_remote(self.path):
            self.path = files.absolute(self.path)
        if self.one_hot:
            raise BadInput(f"data.one_hot must be false for data={self.name}, whose labels are classes; found true")
        self.classes = given_names(self.classes)
        if self.memory < 0:
            raise BadInput(f"data.memory must be at least 0 bytes; found {self.memory}")
        if self.max_bytes < 1:
            raise BadInput(f"data.max_bytes must be at least 1; found {self.max_bytes}")

    def check_own_split(self) -> None:
        """Raise unless the configured split is one that a table can have; a saved data set names its own."""
        if not (self.path and is_saved_dataset(files.absolute(self.path))):
            super().check_own_split()

    @property
    def source(self) -> Source:
        """The table; memoised in this process."""
        assert self.path is not None
        key = f"table {self.path} {self.split} {self.max_bytes} {self.stamp()}"
        return once(key, lambda: open_table(str(self.path), self.split, self.max_bytes))

    def load_split(self, split: str) -> Population:
        """Load the rows into memory, or return a population that streams them if they take more than `memory` bytes.

        Parameters
        ----------
        split : str
            Must be ``test``, for a table has only one split; of a saved data set, one of its splits.

        Raises
        ------
        BadInput
            If the table cannot be read, or its rows are not valid.
        """
        assert self.path is not None
        is_saved = is_saved_dataset(self.path)
        if split != self.split and is_saved and folder_of(self.path, split) != folder_of(self.path, self.split):
            return self.of_split(split).load_split(split)
        if split != ("test" if not is_saved else self.split):
            raise BadInput(
                f"data.split must be test for data={self.name}, which has no other; found {split}: a model that is "
                "trained needs data of another kind; name one that is a file, such as model=onnx model.path=FILE"
            )
        streamed = self.streamed()
        if self.id is not None:
            self._check_ids(self.source)
        # At most 8 bytes for each number and for the label.
        if 8 * len(streamed) * (streamed.width + 1) > self.memory:
            return streamed
        return loaded(streamed)

    def streamed(self) -> Streamed:
        """Return a population that reads the rows shard by shard."""
        raise NotImplementedError

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return a column of the table, shape (N,); an empty text is a missing value in those that rows are told by."""
        source = self.of_split(split).source
        found = source.columns.get(name)
        if found is None or found.width is not None or found.kind == "O":
            raise BadInput(
                f"{key}={name} must be a column of {self.path} with one value a row; found "
                f"{', '.join(list(source.columns)[:8]) if found is None else found.type_name}: name another"
            )
        refuse_too_many(len(source), f"{key}={name}")
        values = source.column(name)
        if key in _TELLING:
            refuse_empty(values, name, source.where)
        return values

    def of_split(self, split: str) -> Tabular:
        """Return the same data with another split as the population."""
        return self if split == self.split else replace(self, split=split)

    def _check_ids(self, source: Source) -> None:
        import pandas as pd

        assert self.id is not None
        # As objects, for pandas would store a long text that repeats in every row as often.
        ids = pd.Series(self.column(self.split, self.id, key="data.id"), dtype=object)
        again = ids.duplicated().to_numpy()
        if again.any():
            row = int(again.argmax())
            first = int((ids == ids[row]).to_numpy().argmax())
            raise BadInput(
                f"{self.id} must name each row once; found {brief(ids[row])} in {source.where(first)} and again in "
                f"{source.where(row)}: leave one out"
            )


def loaded(streamed: Streamed) -> Dataset:
    """Read all rows of a streamed population into memory."""
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
        class_names=streamed.class_names,
    )


def labels_of(
    source: Source, label: str, numbers: Callable[[NDArray[Any], Callable[[int], str]], NDArray[np.int64]]
) -> NDArray[np.int64]:
    """Return the labels of all rows as class numbers.

    Parameters
    ----------
    source : Source
        The table.
    label : str
        The column of labels.
    numbers : callable
        Returns class numbers of stored labels, given a function that names their rows for messages.
    """
    parts: list[NDArray[np.int64]] = []
    for shard in range(len(source.bounds) - 1):
        first = int(source.bounds[shard])
        for arrays in source.read(shard, [label]):
            parts.append(numbers(arrays[label], source.where_from(first)))
            first += len(parts[-1])
    return np.concatenate(parts)
