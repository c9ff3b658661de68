"""What every design is: a rule by which a batch is drawn, and what it does to the error of an estimate."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Batch, Frame, Population, Strata
from pipeline.units import Units, units_of

if TYPE_CHECKING:
    from pipeline.stored import Stored


def generator(seed: int, batch_size: int, draw: int) -> np.random.Generator:
    """Return the generator of one draw: the same whatever the launcher, the block size or the order of the cells."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, batch_size, draw))))


@dataclass(frozen=True, eq=False)
class Plan(ABC):
    """A design fitted to a population and a batch size: ready to draw.

    Attributes
    ----------
    size, batch_size : int
        N and b, in units.
    """

    size: int
    batch_size: int

    # Whether what was drawn cannot be drawn again, so that an error estimate needs the finite-population correction.
    is_finite: ClassVar[bool] = False
    # Whether the units of a batch (of a stratum) come in random order, each with the same distribution.
    is_exchangeable: ClassVar[bool] = True

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch."""

    @abstractmethod
    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return the variance of one batch's estimate.

        Parameters
        ----------
        values : ndarray of float64, shape (N,)
            One a unit, of the whole population; 0 where nothing need be known (see `origin`).
        metric : str
            ``loss`` or ``accuracy``.
        """

    def stored_error_variance(self, values: Stored) -> float:
        """Return the same for values on disk; ``nan`` where it takes them all in memory."""
        return math.nan

    def batch(self, seed: int, draw: int) -> Batch:
        """Return the batch of one draw of a seed."""
        return self.draw(generator(seed, self.batch_size, draw))

    @property
    def words(self) -> str:
        """How the design shapes the error, for people; empty for a simple one."""
        return ""

    @property
    def strata(self) -> Strata | None:
        """The strata, in whose order a batch's units stand."""
        return None

    @property
    def expansion(self) -> NDArray[np.float64] | None:
        """What a unit's value is multiplied by before the mean is taken, shape (N,): 1/(N p) with chances p."""
        return None

    def auxiliary(self, metric: str) -> NDArray[np.float64] | None:
        """Return a value a unit, shape (N,), known of all N, that the estimate is corrected by."""
        return None

    @property
    def is_simple(self) -> bool:
        """Whether the estimate is the batch's plain mean."""
        return self.strata is None and self.expansion is None and self.auxiliary("loss") is None


@dataclass
class Sampling(ABC):
    """A design, as configured."""

    name: str

    # Whether it draws other units than the data have, so that a batch size is another's only in name.
    has_own_units: ClassVar[bool] = False

    def units(self, dataset: Population) -> Units:
        """Return what is drawn of a population: its groups if it has any, else its rows.

        Raises
        ------
        BadInput
            If this design cannot be had of it.
        """
        return units_of(dataset)

    @abstractmethod
    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Fit the design to a population.

        Raises
        ------
        BadInput
            If such a batch cannot be drawn.
        """


def refuse_more_than_all(size: int, batch_size: int) -> None:
    """Refuse a batch larger than the population.

    Raises
    ------
    BadInput
        If it is.
    """
    if batch_size > size:
        raise BadInput(
            f"batch_size must be at most the population's {size:,} rows without replacement; found {batch_size:,}: "
            "choose a smaller one or sampling=with_replacement"
        )
