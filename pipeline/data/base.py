"""What every source of rows is."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import brief
from pipeline.data.columns import with_columns
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.records import Dataset, Population

SPLITS = ("train", "test")


def check_split(split: str) -> None:
    """Refuse a split that no source has.

    Raises
    ------
    BadInput
        If it is neither ``train`` nor ``test``.
    """
    if split not in SPLITS:
        raise BadInput(f"data.split must be one of {', '.join(SPLITS)}; found {split!r}")


def in_memory(dataset: Population) -> Dataset:
    """Return a population whose rows are in memory, with labels.

    Raises
    ------
    BadInput
        If it is streamed from disk, or its rows have scores alone.
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
    """A source of rows, as configured.

    Attributes
    ----------
    name : str
        The choice's name.
    split : str
        Which rows are the population: ``train`` or ``test``.
    normalize : bool
        Whether stored values are scaled (8-bit pixels to 0 … 1) when a block of them is used.
    one_hot : bool
        Whether labels are rows of k label probabilities instead of integers.
    group : str or None
        The column that tells which rows belong together (a writer, a passage); whole groups are drawn.
    weight : str or None
        The column of what each row counts in a mean, above 0.
    sweep_sizes : dict of str to str
        The batch sizes of ``make sweep`` by split, as Hydra writes a sweep: ``1,10,100``.
    """

    name: str
    split: str = "test"
    normalize: bool = True
    one_hot: bool = False
    group: str | None = None
    weight: str | None = None
    sweep_sizes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # A folder of the cache is named so.
        if not re.fullmatch(r"[\w-]+", self.name):
            raise BadInput(f"data.name must be letters, digits, - and _ alone; found {self.name!r}: leave it out")
        check_split(self.split)

    def rows(self, split: str) -> Population:
        """Load the rows of one split with their groups and weights, once in a process."""
        return once(f"data {self!r} {split} {self.stamp()}", lambda: self._loaded(split))

    def stamp(self) -> str:
        """Return what tells that the files are others than before in the same process; empty where there are none."""
        return "".join(files.stamp_of(getattr(self, name, None)) for name in ("path", "train_path"))

    def load(self) -> Population:
        """Load the population."""
        return self._loaded(self.split)

    def column(self, split: str, name: str, *, key: str) -> NDArray[Any]:
        """Return a further column of a split, a value a row.

        Parameters
        ----------
        split : str
            ``train`` or ``test``.
        name : str
            The column's name.
        key : str
            The key of the configuration that asks for it, for the error.

        Returns
        -------
        ndarray, shape (N,)

        Raises
        ------
        BadInput
            If there is no such column.
        """
        raise BadInput(f"{key} must name a column of data={self.name}, which has none; found {name!r}: choose data=npz")

    def _loaded(self, split: str) -> Population:
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
            If the rows cannot be had or are not what they claim to be.
        """
