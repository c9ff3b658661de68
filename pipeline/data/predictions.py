"""A file of predictions: labels with logits, probabilities or scores; no model is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.base import Data
from pipeline.data.layout import Layout, layout_of
from pipeline.data.predicted import Predicted
from pipeline.data.shards.base import Source
from pipeline.data.shards.opening import open_table
from pipeline.data.shards.places import is_remote
from pipeline.data.streamed import Streamed
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.records import Dataset, Population


@dataclass
class Predictions(Data):
    """What some model said of N rows, in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    path : str or None
        The file, or a folder of Parquet or Arrow files, here or at an address (``s3://…``) that pyarrow or fsspec
        knows.
    logits, probabilities : str or None
        A list column; or the stem of one column a class, NAME_0 … NAME_{k-1}; or one number a row, for class 1 of two.
        None looks for ``logits``, ``logit_0`` …, ``probabilities``, ``probability_0`` …, ``probability``.
    label : str
        The column of the true classes, whole numbers 0 … k - 1.
    loss, correct : str
        Columns of scores, nats and true or false, either or both; used where there are neither logits nor
        probabilities.
    id : str or None
        A column that names each row, no two alike; by it two files are compared row by row.
    masked : bool
        Whether a logit may be -inf: a class that is held impossible.
    tolerance : float
        How far the probabilities of a row may be off from a sum of 1; they are never normalised.
    memory : int
        Bytes up to which the rows are kept in memory; more are streamed, and their scores kept on disk.
    """

    name: str = "predictions"
    path: str | None = None
    logits: str | None = None
    probabilities: str | None = None
    label: str = "label"
    loss: str = "loss"
    correct: str = "correct"
    id: str | None = None
    masked: bool = False
    tolerance: float = 1e-3
    memory: int = 1 << 28

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path:
            raise BadInput("data.path must name a file of predictions; found none: pass data.path=FILE")
        if not is_remote(self.path):
            self.path = files.absolute(self.path)
        if self.one_hot:
            raise BadInput("data.one_hot must be false for predictions, whose labels are classes; found true")
        if not 0 <= self.tolerance < 1:
            raise BadInput(f"data.tolerance must be at least 0 and below 1, such as 0.001; found {self.tolerance}")
        if self.memory < 0:
            raise BadInput(f"data.memory must be at least 0 bytes; found {self.memory}")

    @property
    def layout(self) -> Layout:
        """Which columns are what."""
        return layout_of(
            self.source.columns,
            where=str(self.path),
            logits=self.logits,
            probabilities=self.probabilities,
            label=self.label,
            loss=self.loss,
            correct=self.correct,
        )

    @property
    def source(self) -> Source:
        """The table, opened once in a process."""
        assert self.path is not None
        return once(f"table {self.path}", lambda: open_table(str(self.path)))

    def load_split(self, split: str) -> Population:
        """Load the rows, or get ready to stream them.

        Parameters
        ----------
        split : str
            Predictions have but one: ``test``.

        Raises
        ------
        BadInput
            If the file cannot be read, or its rows are not what they must be.
        """
        if split != "test":
            raise BadInput(
                f"data.split must be test for predictions, which have no other; found {split}: a model that is trained "
                "needs data of another kind"
            )
        source, layout = self.source, self.layout
        predicted = Predicted(source, layout, self.masked, self.tolerance)
        if self.id is not None:
            self._check_ids(source)
        streamed = Streamed(
            name=source.name,
            digest=files.digest_of(source.digest, layout.gives, layout.columns, layout.label, layout.metrics),
            n_classes=layout.n_classes,
            scale=1.0,
            width=layout.width,
            bounds=source.bounds,
            read_shard=predicted.read,
            read_labels=None if layout.label is None else lambda: _labels(source, str(layout.label)),
            row_name=source.where,
        )
        # 8 bytes a number at most, and as many for the label.
        if 8 * len(source) * (layout.width + 1) > self.memory:
            return streamed
        return loaded(streamed)

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return a column of the table, shape (N,)."""
        source = self.source
        if name not in source.columns or source.columns[name].width is not None:
            raise BadInput(
                f"{key}={name} must be a column of {self.path} with one value a row; found "
                f"{', '.join(list(source.columns)[:8])}: name another"
            )
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
                f"{self.id} must name each row once; found {ids[row]!r} in {source.where(first)} and again in "
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
        scale=1.0,
        name=streamed.name,
        digest=streamed.digest,
        row_name=streamed.row_name,
    )


def _labels(source: Source, label: str) -> NDArray[np.int64]:
    return source.column(label).astype(np.int64, copy=False)
