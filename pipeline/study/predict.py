"""A model's predictions for all rows, as one Parquet file that every other study can read without the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..experiment import Experiment, Stages, Study
from ..records.rows import Block, Population
from ..report.result import Compared, Result, Table
from ..report.words import counted
from ..runtime import files
from ..runtime.cores import blas_in_one_thread
from ..runtime.places import refuse_unwritable_folder, written_for
from ..runtime.progress import Bar
from ..scoring.block import in_blocks, refuse_sums
from ..scoring.rows import offset

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow

# More classes than this become one list column, because a table of many thousand columns is slow to open.
_MOST_COLUMNS = 100
# The name of a class's column, by what the classifier gives.
_NAMES = {"logits": ("logit", "logits"), "probabilities": ("probability", "probabilities")}


@dataclass
class Predict(Study):
    """Write what the model gives for each row of the data, with the row's number and label, to a Parquet file.

    The file is what ``data=predictions`` reads: ``id`` (int64, the row's number from 0); ``logit_0`` … or
    ``probability_0`` …, above 100 classes one list column ``logits`` or ``probabilities``, or ``prediction`` where the
    model gives labels alone; and ``label``. Classes that have names go by them: ``logit_cat``, and labels as text;
    in a list column they go by number.

    Attributes
    ----------
    to : str
        The file to write, which must end in ``.parquet``. A relative path counts from where the command is started.
    overwrite : bool
        Whether a file that is already there is replaced.
    """

    name: str = "predict"
    to: str = "predictions.parquet"
    overwrite: bool = False

    has_batches: ClassVar[bool] = False
    has_design: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = ("rows",)

    def __post_init__(self) -> None:
        if not self.to.endswith(".parquet"):
            raise BadInput(f"study.to must name a file that ends in .parquet; found {self.to!r}")

    @property
    def _path(self) -> Path:
        return Path(self.to).expanduser().absolute()

    def check(self, stages: Stages) -> None:
        """Refuse data without a model, and a file that is already there.

        Raises
        ------
        BadInput
            If there is nothing to predict, or nowhere to write to.
        """
        if stages.are_predictions:
            raise BadInput(
                "study=predict needs rows of inputs and a model; found predictions: every other study takes them as "
                "they are"
            )
        if self._path.is_dir() or not self._path.parent.is_dir():
            raise BadInput(f"study.to must name a file in a folder that exists; found {self.to}: make the folder first")
        if self._path.exists() and not self.overwrite:
            raise BadInput(
                f"study.to must name a new file; found {self.to} already there: choose another name, or pass "
                "study.overwrite=true"
            )
        refuse_unwritable_folder(self._path.parent, "study.to")

    def answer(self, stages: Stages) -> Result:
        """Evaluate the model for all rows, and write the file under a temporary name first."""
        self.check(stages)
        with written_for("study.to", self._path):
            files.write_beside(self._path, lambda file: _write(file, stages))
        size, path = self._path.stat().st_size, self.to
        rows, gives = stages.rows, stages.classifier.gives
        return Result(
            metrics={"rows": float(len(rows))},
            shown=Table(
                title=f"{rows.name}, predicted by {stages.experiment.model.name}",
                headings=("file", "rows", "classes", "a row has", "megabytes"),
                rows=[(path, f"{len(rows):,}", f"{rows.n_classes:,}", gives, f"{size / 1e6:.2g}")],
            ),
            summary=f"The {gives} of {counted(len(rows), 'row')} are in {path}. Every study reads them without the "
            f"model: {files.command('run', f'data=predictions data.path={path}')}",
        )

    def repeated(self, folder: Path, experiment: Experiment, recorded: Mapping[str, float]) -> tuple[Study, list[str]]:
        """Return the study with its file in the folder."""
        return replace(self, to=str(folder / "predictions.parquet")), []

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """List the cells' files."""
        rows: list[tuple[str, ...]] = [
            (str(cell["group"]), f"{round(cell['rows']):,}") for cell in cells.to_dict("records")
        ]
        return Compared({}, [Table("Predictions", ("of", "rows"), rows)], "")


def _write(file: BinaryIO, stages: Stages) -> None:
    import pyarrow.parquet as pq

    writer = None
    try:
        # As rows are scored, so that the loss from the file is the model's own to the last bit.
        with Bar("Predicting", yields=True) as bar, blas_in_one_thread():
            done = 0
            for table in _tables(stages):
                if writer is None:
                    writer = pq.ParquetWriter(file, table.schema)
                writer.write_table(table)
                done += len(table)
                bar.update(done, len(stages.rows))
    finally:
        if writer is not None:
            writer.close()


def _tables(stages: Stages) -> Iterator[pyarrow.Table]:
    """Yield the columns of the rows in order, a block at a time."""
    classifier, rows = stages.classifier, stages.rows
    forward = classifier.from_stored(rows.scale)
    first = 0
    for shard in range(len(rows.bounds) - 1):
        for block in rows.read(shard):
            outputs = in_blocks(forward, block.inputs)
            if classifier.gives == "probabilities":
                refuse_sums(outputs, offset(rows.where, first))
            yield _table(outputs, block, first, classifier.gives, rows)
            first += len(block.inputs)


def _table(outputs: NDArray[Any], block: Block, first: int, gives: str, rows: Population) -> pyarrow.Table:
    """Return the columns of a block; classes go by their names, where they have names."""
    import pyarrow as pa

    columns: dict[str, Any] = {"id": np.arange(first, first + len(block.inputs))}
    names = rows.class_names
    if names == tuple(map(str, range(rows.n_classes))):
        # Numbers say the same; as text they would be taken for names, which numbered columns do not have.
        names = None

    def named(classes: NDArray[np.int64]) -> Any:
        return classes if names is None else pa.DictionaryArray.from_arrays(classes.astype(np.int32), list(names))

    if gives != "labels" and outputs.shape[1] > _MOST_COLUMNS:
        # A list column has no names, so neither have the labels beside it.
        names = None
    if block.labels is not None:
        columns["label"] = named(_classes(block.labels, first, rows.where))
    if gives == "labels":
        columns["prediction"] = named(outputs.astype(np.int64))
    elif outputs.shape[1] <= _MOST_COLUMNS:
        stem, _ = _NAMES[gives]
        for k in range(outputs.shape[1]):
            columns[f"{stem}_{k if names is None else names[k]}"] = np.ascontiguousarray(outputs[:, k])
    else:
        flat = pa.array(np.ascontiguousarray(outputs).ravel())
        columns[_NAMES[gives][1]] = pa.FixedSizeListArray.from_arrays(flat, outputs.shape[1])
    return pa.table(columns)


def _classes(labels: NDArray[Any], first: int, where: Callable[[int], str]) -> NDArray[np.int64]:
    """Return integer labels, shape (n,); refuse soft ones, which a column of classes cannot hold."""
    if labels.ndim == 1:
        return labels.astype(np.int64, copy=False)
    soft = labels.max(axis=1) != 1
    if soft.any():
        raise BadInput(
            f"study=predict needs one class a row; found shares of several in {where(first + int(soft.argmax()))}: "
            "give integer or one-hot labels"
        )
    return labels.argmax(axis=1).astype(np.int64)
