"""What every source of rows is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.records import Dataset

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
    sweep_sizes : dict of str to str
        The batch sizes of ``make sweep`` by split, as Hydra writes a sweep: ``1,10,100``.
    """

    name: str
    split: str = "test"
    normalize: bool = True
    one_hot: bool = False
    sweep_sizes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_split(self.split)

    def rows(self, split: str) -> Dataset:
        """Load the rows of one split, once in a process."""
        return once(f"data {self!r} {split}", lambda: self.load_split(split))

    def load(self) -> Dataset:
        """Load the population."""
        return self.load_split(self.split)

    @abstractmethod
    def load_split(self, split: str) -> Dataset:
        """Load the rows of one split.

        Raises
        ------
        BadInput
            If the rows cannot be had or are not what they claim to be.
        """
