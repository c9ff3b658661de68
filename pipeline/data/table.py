"""Inputs and labels from a table on disk, for a model to predict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.rows import Block
from ..runtime import files
from .class_names import are_text, check_number_of_names, class_numbers, refuse_empty
from .classes_found import count_classes, names_in
from .columns import label_column
from .formats.base import Source
from .formats.locations import path_of
from .formats.saved_dataset import is_saved_dataset, splits_of
from .input_columns import Inputs, inputs_of
from .inputs import finite_float32
from .labels import MOST_CLASSES
from .streamed import Streamed
from .tabular import Tabular, labels_of

_RAISE_CLASSES = "count classes from 0, or raise data.n_classes"


@dataclass
class RowTable(Tabular):
    """Inputs and labels of N rows in a table: Parquet, Arrow, CSV, JSON Lines, npz, or npy files in a folder.

    Attributes
    ----------
    inputs : str or None
        The input columns: a list column; or NAME for the columns NAME_0 … NAME_{d-1}; or column names separated by
        commas. None looks for ``inputs``, ``inputs_0`` …, ``input_0`` …, ``x``, ``x_0`` …. Inputs of type uint8 stay
        8-bit and are multiplied by 1/255 when normalised; all others are converted to float32.
    n_classes : int or None
        The number of classes k, at least 2. None: that of `classes`; else of the different labels, if they are text;
        else the largest label plus 1. All labels are read once to find it.
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
        check_number_of_names(self.classes, self.n_classes)

    @property
    def has_sorted_names(self) -> bool:
        """Whether the names of the classes were found in the labels, so that their order is that of the alphabet."""
        source = self.source
        label = label_column(source.columns, self.label)
        return self.classes is None and label in source.columns and source.columns[label].kind == "U"

    def streamed(self) -> Streamed:
        """Return a population that reads the rows shard by shard, and checks them as they are read."""
        source = self.source
        columns = inputs_of(source.columns, where=path_of(str(self.path)), inputs=self.inputs, label=self.label)
        names = self._names(source, columns.label)
        k = len(names) if names is not None else self.n_classes or count_classes(source, columns.label)
        is_stored = all(source.columns[name].is_byte for name in columns.columns)
        is_numbered = self.classes is None and source.columns[columns.label].class_names is not None
        blocks = InputBlocks(source, columns, k, is_stored, names, is_numbered)
        reading = ("inputs", columns.columns, columns.label, k, *([] if names is None else [names]))
        return Streamed(
            name=source.name,
            digest=files.digest_of(source.digest, *reading),
            contents=lambda: [files.digest_of(content, *reading) for content in source.contents],
            n_classes=k,
            scale=1 / 255 if self.normalize and is_stored else 1.0,
            width=columns.width,
            bounds=source.bounds,
            read_shard=blocks.read,
            read_labels=lambda: labels_of(source, columns.label, blocks.class_labels),
            row_name=source.where,
            class_names=names,
        )

    def _names(self, source: Source, label: str) -> tuple[str, ...] | None:
        if self.classes is not None:
            return tuple(self.classes)
        names = source.columns[label].class_names
        if names is None and source.columns[label].kind != "U":
            return None
        names = names or names_in([source, *self._other_splits(label)], [label])
        if self.n_classes not in (None, len(names)):
            raise BadInput(
                f"data.n_classes must be the number of different labels; found {self.n_classes}, and {len(names)} in "
                f"{source.name}: name all classes with data.classes=[…]"
            )
        return names

    def _other_splits(self, label: str) -> list[Source]:
        """Return the other splits whose labels are text too, so that all splits number the classes alike."""
        assert self.path is not None
        splits = splits_of(self.path) if is_saved_dataset(self.path) else []
        sources = [self.of_split(split).source for split in splits if split != self.split]
        return [each for each in sources if label in each.columns and each.columns[label].kind == "U"]


@dataclass(frozen=True, eq=False)
class InputBlocks:
    """Reads a table as blocks of checked inputs and labels.

    Attributes
    ----------
    source : Source
        The table.
    columns : Inputs
        Its columns of inputs and labels.
    n_classes : int
        The number of classes k.
    is_stored : bool
        Whether inputs are kept as stored, as uint8; otherwise they are converted to float32.
    class_names : tuple of str or None
        The names of the classes.
    is_numbered : bool
        As `Layout.is_numbered` has it.
    """

    source: Source
    columns: Inputs
    n_classes: int
    is_stored: bool
    class_names: tuple[str, ...] | None = None
    is_numbered: bool = False

    def read(self, shard: int) -> Iterator[Block]:
        """Yield the checked rows of a shard in blocks.

        Raises
        ------
        BadInput
            If an input is not finite in float32, or a label is not a class.
        """
        first = int(self.source.bounds[shard])
        for arrays in self.source.read(shard, self.columns.wanted):
            where = self.source.where_from(first)
            found = [self._inputs(arrays[name], name, where) for name in self.columns.columns]
            inputs = np.stack(found, axis=1) if found[0].ndim == 1 else found[0]
            yield Block(np.ascontiguousarray(inputs), self.class_labels(arrays[self.columns.label], where))
            first += len(inputs)

    def class_labels(self, stored: NDArray[Any], where: Callable[[int], str]) -> NDArray[np.int64]:
        """Return stored labels as class numbers; raise BadInput for a label that no class has."""
        label, remedy = self.columns.label, _RAISE_CLASSES
        refuse_empty(stored, label, where)
        names = None if self.is_numbered and not are_text(stored) else self.class_names
        return class_numbers(stored, names, self.n_classes, source=label, where=where, remedy=remedy)

    def _inputs(self, found: NDArray[Any], name: str, where: Callable[[int], str]) -> NDArray[Any]:
        if self.is_stored:
            return found.astype(np.uint8, copy=False)
        return finite_float32(found, source=name, where=where)
