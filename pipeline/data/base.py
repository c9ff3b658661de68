"""The base class of every source of rows."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from ..errors import BadInput, brief
from ..records.rows import Dataset, Population
from ..runtime import files
from ..runtime.memo import once
from .groups_and_weights import with_columns

SPLITS = ("train", "test")


def check_split(split: str) -> None:
    """Raise unless the split is ``train`` or ``test``.

    Raises
    ------
    BadInput
        If it is neither ``train`` nor ``test``.
    """
    if split not in SPLITS:
        raise BadInput(f"data.split must be one of {', '.join(SPLITS)}; found {split!r}")


def in_memory(dataset: Population) -> Dataset:
    """Return the population unchanged, if its rows are in memory and have labels.

    Raises
    ------
    BadInput
        If it is streamed from disk, or its rows have only scores.
    """
    if not isinstance(dataset, Dataset):
        raise BadInput(
            f"this needs all rows in memory; found {dataset.name}, {len(dataset):,} rows streamed from disk: raise "
            "data.memory, or choose study=evaluate, plan or compare"
        )
    if dataset.labels is None:
        raise BadInput(
            f"this needs inputs and labels; found {dataset.name}, scores without labels: choose study=evaluate or plan"
        )
    return dataset


@dataclass
class Data(ABC):
    """The configuration of a source of rows, and the methods that load them.

    Attributes
    ----------
    name : str
        The name of the source, as in ``data=NAME``.
    split : str
        Which rows are the population: ``train`` or ``test``.
    normalize : bool
        Whether stored values are scaled (8-bit pixels to 0 … 1) when a block of them is used.
    one_hot : bool
        Whether labels are loaded as rows of k label probabilities instead of integers.
    group : str or None
        The column of group identifiers (a writer, a passage). Whole groups are then drawn instead of rows.
    weight : str or None
        The column of row weights, above 0, that means are taken with.
    by : str or None
        The column whose values slice the rows, or ``label`` for the true class: ``study=all_rows``, ``compare`` and
        ``gate`` then answer for every slice.
    sweep_sizes : dict of str to str
        The batch sizes of ``make sweep`` by split, in Hydra's syntax for sweeps: ``1,10,100``.
    """

    name: str
    split: str = "test"
    normalize: bool = True
    one_hot: bool = False
    group: str | None = None
    weight: str | None = None
    by: str | None = None
    sweep_sizes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A folder of the cache has this name.
        if not re.fullmatch(r"[\w-]+", self.name):
            raise BadInput(f"data.name must be letters, digits, - and _ alone; found {self.name!r}: leave it out")
        self.check_own_split()

    def check_own_split(self) -> None:
        """Raise unless the configured split is one that such a source can have."""
        check_split(self.split)

    def rows(self, split: str) -> Population:
        """Load the rows of one split with their groups and weights; memoised in this process."""
        return once(f"data {self!r} {split} {self.stamp()}", lambda: self._load_with_columns(split))

    def stamp(self) -> str:
        """Return a key for memoising that changes when the files change; empty if the source has no files."""
        return "".join(files.stamp_of(getattr(self, name, None)) for name in ("path", "train_path"))

    def unlabelled(self) -> Data:
        """Return the same source for a study that takes rows without labels, where the source can have such."""
        return self

    def labelled_alone(self) -> Data:
        """Return the rows that have a label, for a study that counts the others by a proxy."""
        return self

    def load(self) -> Population:
        """Load the rows of the configured split: the population."""
        return self._load_with_columns(self.split)

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return a further column of a split, with one value a row.

        Parameters
        ----------
        split : str
            ``train`` or ``test``.
        name : str
            The column's name.
        key : str
            The configuration key that names the column, for the error message.

        Returns
        -------
        ndarray, shape (N,)

        Raises
        ------
        BadInput
            If there is no such column.
        """
        raise BadInput(f"{key} must name a column of data={self.name}, which has none; found {name!r}: choose data=npz")

    def _load_with_columns(self, split: str) -> Population:
        try:
            return self._with_columns(self.load_split(split), split)
        except MemoryError as error:
            raise BadInput(
                f"the {split} rows of data={self.name} must fit into memory; found: {brief(error)}: give fewer rows"
            ) from error

    def _with_columns(self, dataset: Population, split: str) -> Population:
        if self.group is not None:
            group = self.column(split, self.group, key="data.group")
            called = f"{dataset.name} by {self.group}"
            dataset = replace(with_columns(dataset, group=group), name=called)  # type: ignore[type-var]
        if self.weight is not None:
            dataset = with_columns(dataset, weight=self.column(split, self.weight, key="data.weight"))
        return dataset

    @abstractmethod
    def load_split(self, split: str) -> Population:
        """Load the rows of one split.

        Raises
        ------
        BadInput
            If the rows cannot be read, or are not valid.
        """
