"""A table of inputs and labels, for a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.data.labels import MOST_CLASSES
from pipeline.data.layout import Inputs, inputs_of
from pipeline.data.shards.base import Source
from pipeline.data.shards.places import path_of
from pipeline.data.streamed import Streamed
from pipeline.data.tabular import Tabular, labels_of
from pipeline.errors import BadInput
from pipeline.records import Block


@dataclass
class Table(Tabular):
    """What a model is given for N rows, in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    inputs : str or None
        A list column; or the stem of one column an input, NAME_0 … NAME_{d-1}; or the columns' names with commas
        between them. None looks for ``inputs``, ``inputs_0`` …, ``input_0`` …, ``x``, ``x_0`` …. Inputs of type uint8
        stay 8-bit and are multiplied by 1/255 when normalised; others are taken as they are, as float32.
    n_classes : int or None
        The number of classes k, at least 2. None: the largest label plus 1, for which all labels are read once.
    """

    name: str = "table"
    inputs: str | None = None
    n_classes: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_classes is not None and not 2 <= self.n_classes <= MOST_CLASSES:
            raise BadInput(
                f"data.n_classes must be 2 to {MOST_CLASSES:,}, or null to see it from the labels; found "
                f"{self.n_classes}"
            )

    def streamed(self) -> Streamed:
        """Return the rows, ready to be read shard by shard, and checked as they are."""
        source = self.source
        columns = inputs_of(source.columns, where=path_of(str(self.path)), inputs=self.inputs, label=self.label)
        k = self.n_classes or _classes_seen(source, columns.label)
        is_stored = all(source.columns[name].is_byte for name in columns.columns)
        rows = Rows(source, columns, k, is_stored)
        reading = ("inputs", columns.columns, columns.label, k)
        return Streamed(
            name=source.name,
            digest=files.digest_of(source.digest, *reading),
            contents=lambda: [files.digest_of(content, *reading) for content in source.contents],
            n_classes=k,
            scale=1 / 255 if self.normalize and is_stored else 1.0,
            width=columns.width,
            bounds=source.bounds,
            read_shard=rows.read,
            read_labels=lambda: labels_of(source, columns.label),
            row_name=source.where,
        )


@dataclass(frozen=True, eq=False)
class Rows:
    """Inputs and labels in a table.

    Attributes
    ----------
    source : Source
        The table.
    columns : Inputs
        Which of its columns are what.
    n_classes : int
        The classes k.
    is_stored : bool
        Whether inputs are 8-bit and stay so; else they are float32.
    """

    source: Source
    columns: Inputs
    n_classes: int
    is_stored: bool

    def read(self, shard: int) -> Iterator[Block]:
        """Read a shard, checked, in blocks.

        Raises
        ------
        BadInput
            If an input is not finite in float32, or a label is no class.
        """
        first = int(self.source.bounds[shard])
        for arrays in self.source.read(shard, self.columns.wanted):
            found = [self._numbers(arrays[name], name, first) for name in self.columns.columns]
            inputs = np.stack(found, axis=1) if found[0].ndim == 1 else found[0]
            labels = arrays[self.columns.label]
            check_classes(labels, self.n_classes, label=self.columns.label, source=self.source, first=first)
            yield Block(np.ascontiguousarray(inputs), labels.astype(np.int64, copy=False))
            first += len(inputs)

    def _numbers(self, found: NDArray[Any], name: str, first: int) -> NDArray[Any]:
        if self.is_stored:
            return found.astype(np.uint8, copy=False)
        # A value too large for float32 becomes infinite, and is refused below, as is a signalling NaN.
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = found.astype(np.float32, copy=False)
        # The extremes carry a NaN or an infinity along, and take no memory.
        if not (np.isfinite(numbers.min()) and np.isfinite(numbers.max())):
            place = tuple(np.argwhere(~np.isfinite(numbers))[0])
            raise BadInput(
                f"{name} must be finite, in float32 too; found {found[place]} in "
                f"{self.source.where(first + int(place[0]))}: mend or remove that row"
            )
        return numbers


def check_classes(labels: NDArray[Any], n_classes: int, *, label: str, source: Source, first: int) -> None:
    """Refuse labels that are no class; `first` is the row of the first of them.

    Raises
    ------
    BadInput
        With the first such row.
    """
    if labels.min() >= 0 and labels.max() < n_classes:
        return
    row = int(((labels < 0) | (labels >= n_classes)).argmax())
    raise BadInput(
        f"{label} must be a class, 0 to {n_classes - 1}; found {labels[row]} in {source.where(first + row)}: count "
        "classes from 0, or raise data.n_classes"
    )


def _classes_seen(source: Source, label: str) -> int:
    """The largest label plus 1; kept, for all labels must be read for it."""
    kept = files.cache("classes") / files.digest_of(source.digest, label)
    if kept.is_file():
        return int(kept.read_text())
    largest = -1
    for shard in range(len(source.bounds) - 1):
        first = int(source.bounds[shard])
        for arrays in source.read(shard, [label]):
            check_classes(arrays[label], MOST_CLASSES, label=label, source=source, first=first)
            largest = max(largest, int(arrays[label].max()))
            first += len(arrays[label])
    if largest < 1:
        raise BadInput(
            f"{label} of {source.name} must tell at least 2 classes apart; found 0 alone: set data.n_classes"
        )
    # Without room for it, it is found again the next time.
    with suppress(OSError):
        files.write_beside(kept, lambda file: file.write(str(largest + 1).encode()))
    return largest + 1
