"""The interface of a sampling design: how a batch is drawn, and the sampling variance of its estimate."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batch, Strata
from ..records.rows import Population
from .frame import Frame
from .streams import DRAW, generator
from .units import Units, units_of

if TYPE_CHECKING:
    from ..records.stored import StoredColumn


@dataclass(frozen=True, eq=False)
class Plan(ABC):
    """A design fitted to a population and a batch size, ready to draw batches.

    Attributes
    ----------
    size, batch_size : int
        N, the units of the population, and b, the units of a batch.
    """

    size: int
    batch_size: int

    # Whether a unit is drawn at most once, so that an error estimate needs the finite-population correction.
    is_finite: ClassVar[bool] = False
    # Whether the units of a batch (within a stratum) are in random order, each with the same distribution.
    is_exchangeable: ClassVar[bool] = True

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch with the random numbers of a generator."""

    @abstractmethod
    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return the sampling variance of one batch's estimate, in the squared unit of the values.

        Parameters
        ----------
        values : ndarray of float64, shape (N,)
            The metric's value of every unit of the population.
        metric : str
            ``loss`` or ``accuracy``.
        """

    def stored_error_variance(self, values: StoredColumn) -> float:
        """Return `error_variance` for values on disk; ``nan`` if the design needs all of them in memory."""
        return math.nan

    def batch(self, seed: int, draw: int) -> Batch:
        """Return the batch of one draw, numbered from 0; it depends on the seed and the number alone."""
        return self.draw(generator(DRAW, seed, batch_size=self.batch_size, draw=draw))

    @property
    def words(self) -> str:
        """How the design shapes the error, for display; empty for a simple random sample."""
        return ""

    @property
    def strata(self) -> Strata | None:
        """The strata, if there are any; the units of a batch stand in their order."""
        return None

    @property
    def expansion(self) -> NDArray[np.float64] | None:
        """The factor of each unit's value before the mean is taken, shape (N,): 1/(N p) where chances p are unequal."""
        return None

    def auxiliary(self, metric: str) -> NDArray[np.float64] | None:
        """Return the auxiliary variable that corrects the estimate, shape (N,), known of all N units; None for none."""
        return None

    @property
    def is_simple(self) -> bool:
        """Whether the estimate is the batch's plain mean."""
        return self.strata is None and self.expansion is None and self.auxiliary("loss") is None


@dataclass
class Sampling(ABC):
    """A sampling design, as configured."""

    name: str

    # Whether batch_size counts units of the design's own, such as blocks, and cannot be compared with other designs'.
    has_own_units: ClassVar[bool] = False

    def units(self, dataset: Population) -> Units:
        """Return the sampling units of a population: its groups if it has any, else its rows.

        Raises
        ------
        BadInput
            If the design cannot sample this population.
        """
        return units_of(dataset)

    @abstractmethod
    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Fit the design to a population.

        Raises
        ------
        BadInput
            If the design cannot draw a batch of this size from this population.
        """


def refuse_more_than_all(size: int, batch_size: int) -> None:
    """Refuse a batch larger than the population.

    Raises
    ------
    BadInput
        If ``batch_size > size``.
    """
    if batch_size > size:
        raise BadInput(
            f"batch_size must be at most the population's {size:,} rows without replacement; found {batch_size:,}: "
            "choose a smaller one or sampling=with_replacement"
        )
