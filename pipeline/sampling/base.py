"""What every design is: a rule by which a batch is drawn, and what it does to the error of an estimate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pipeline.records import Batch


def generator(seed: int, batch_size: int, draw: int) -> np.random.Generator:
    """Return the generator of one draw: the same whatever the launcher, the block size or the order of the cells."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, batch_size, draw))))


@dataclass
class Sampling(ABC):
    """A design, as configured."""

    name: str

    @abstractmethod
    def check(self, size: int, batch_size: int) -> None:
        """Refuse a batch size that the design cannot draw from `size` rows.

        Raises
        ------
        BadInput
            If it cannot.
        """

    @abstractmethod
    def draw(self, size: int, batch_size: int, rng: np.random.Generator) -> Batch:
        """Draw one batch of `batch_size` of the rows 0 … `size` - 1."""

    @abstractmethod
    def standard_error(self, variance: float, size: int, batch_size: int) -> float:
        """Return the standard error of a batch's mean.

        Parameters
        ----------
        variance : float
            Of the values over the population, with divisor N.
        size, batch_size : int
            N and b.
        """

    @abstractmethod
    def correction(self, size: int) -> int | None:
        """Return N where an interval needs the finite-population correction, None where it does not."""
