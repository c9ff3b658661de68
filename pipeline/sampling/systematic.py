"""Systematic sampling: every k-th row from a random start, around the end to the beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Batch, Frame, IntArray
from pipeline.sampling.base import Plan, Sampling, refuse_more_than_all
from pipeline.sampling.order import by_difficulty

_ORDERS = ("stored", "proxy")


@dataclass
class Systematic(Sampling):
    """Draw rows r, r + k, r + 2k … modulo N with k = ⌊N/b⌋ and any of the N rows as the start r, with equal chance.

    Every row is in the batch with chance b/N, so the mean is unbiased [Lahiri's circular method; Murthy 1967, Sampling
    Theory and Methods, §5.2]. It pays where rows that stand near to each other are alike.

    No batch tells the design's own variance, for it is one draw of one start; intervals take the batch for a simple
    random sample. In order of a proxy that is mostly on the safe side; in a stored order with a period near to k it is
    not. There are N batches at most, and but k where b divides N: with large b these few may happen to be far apart,
    whatever the order. The error that is logged (``M/se``, ``M/variance_ratio``) is the exact one.

    Attributes
    ----------
    order : str
        ``stored``, or ``proxy``: from easy to hard by the proxy's difficulty.
    """

    name: str = "systematic"
    order: str = "stored"

    def __post_init__(self) -> None:
        if self.order not in _ORDERS:
            raise BadInput(f"sampling.order must be one of {', '.join(_ORDERS)}; found {self.order!r}")

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Put the units in order; refuse a batch larger than the population."""
        refuse_more_than_all(frame.size, batch_size)
        order = by_difficulty(frame) if self.order == "proxy" else np.arange(frame.size)
        return SystematicPlan(frame.size, batch_size, order, self.order)


@dataclass(frozen=True, eq=False)
class SystematicPlan(Plan):
    """Every k-th unit of an order.

    Attributes
    ----------
    order : ndarray of int, shape (N,)
        The units in the order in which they are counted.
    by : str
        What the order is made by, for people.
    """

    order: IntArray
    by: str

    is_finite: ClassVar[bool] = True
    is_exchangeable: ClassVar[bool] = False

    @property
    def step(self) -> int:
        """The step k, ⌊N/b⌋."""
        return self.size // self.batch_size

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return f"systematic in {self.by} order, taken for a simple sample"

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch, in the order counted."""
        return self.from_start(int(rng.integers(self.size)))

    def from_start(self, start: int) -> Batch:
        """Return the batch that starts at a place of the order, 0 … N - 1."""
        return Batch(self.order[(start + self.step * np.arange(self.batch_size)) % self.size])

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return the variance of the mean over the N starts, each of which is as likely as any other."""
        if self.batch_size == self.size:
            return 0.0
        k, reach = self.step, self.step * self.batch_size
        ordered = values[self.order] - values.mean()
        # Around the end: reach is at most N. Rows of k, so that a column holds the places that lie k apart.
        around = np.concatenate([ordered, ordered[:reach], np.zeros(-(self.size + reach) % k)])
        upto = np.cumsum(around.reshape(-1, k), axis=0)
        before = np.concatenate([np.zeros((self.batch_size, k)), upto])[: len(upto)]
        sums = (upto - before).ravel()[reach - k :][: self.size]
        return float(np.mean((sums / self.batch_size) ** 2))
