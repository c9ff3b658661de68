"""Circular systematic sampling: every k-th row from a random start, continued from the end at the beginning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batch
from ..records.rows import IntArray
from ..records.stored import BLOCK, StoredColumn
from .base import Plan, Sampling, refuse_more_than_all
from .difficulty_order import by_difficulty
from .frame import Frame

_ORDERS = ("stored", "proxy")
# The longest step for which the variance of values on disk is computed: it holds one sum for each start up to the step.
_LONGEST_STEP = 1 << 23
# The row length from which adding row by row is faster than numpy.cumsum down the columns.
_LONG_ROW = 256


@dataclass
class Systematic(Sampling):
    """Draw rows r, r + k, r + 2k … modulo N with k = ⌊N/b⌋ and any of the N rows as the start r, with equal chance.

    Every row is in the batch with chance b/N, so the mean is unbiased [Lahiri's circular method; Murthy 1967, Sampling
    Theory and Methods, §5.2]. It gains where neighbouring rows are alike.

    The design's variance cannot be estimated from one batch, because a batch is one draw of one start. Intervals treat
    the batch as a simple random sample: mostly conservative in the order of a proxy, but not in a stored order with a
    period near k. There are at most N different batches, and only k if b divides N, so with a large b their means may
    differ much in any order. The error that is logged (``M/se``, ``M/variance_ratio``) is exact. For more than a
    million rows on disk it is left out (``nan``) if k is above 8,388,608 and b at least 2.

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
        """Return the plan, with the units in order.

        Raises
        ------
        BadInput
            If the batch is larger than the population.
        """
        refuse_more_than_all(frame.size, batch_size)
        order = by_difficulty(frame) if self.order == "proxy" else None
        return SystematicPlan(frame.size, batch_size, order, self.order)


@dataclass(frozen=True, eq=False)
class SystematicPlan(Plan):
    """Every k-th unit of an order.

    Attributes
    ----------
    order : ndarray of int, shape (N,), or None
        The units in the order in which they are counted; None is the stored order.
    by : str
        What the order is made by, for display.
    """

    order: IntArray | None
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
        """Draw one batch."""
        return self.from_start(int(rng.integers(self.size)))

    def from_start(self, start: int) -> Batch:
        """Return the batch that starts at a position of the order, 0 … N - 1."""
        places = (start + self.step * np.arange(self.batch_size)) % self.size
        return Batch(places if self.order is None else self.order[places])

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return the variance of the mean over the N starts, which are equally likely."""
        if self.batch_size == self.size:
            return 0.0
        k, reach = self.step, self.step * self.batch_size
        ordered = (values if self.order is None else values[self.order]) - values.mean()
        # Extended past the end (reach is at most N) and cut into rows of k, so that a column holds positions k apart.
        around = np.concatenate([ordered, ordered[:reach], np.zeros(-(self.size + reach) % k)])
        upto = np.cumsum(around.reshape(-1, k), axis=0)
        before = np.concatenate([np.zeros((self.batch_size, k)), upto])[: len(upto)]
        sums = (upto - before).ravel()[reach - k :][: self.size]
        return float(np.mean((sums / self.batch_size) ** 2))

    def stored_error_variance(self, values: StoredColumn) -> float:
        """Return the same for values on disk, in two passes; ``nan`` if the step is too long.

        The sum from start r + k is the sum from r, minus row r, plus the row one step after its last. So only k running
        sums are held, one for each remainder of r divided by k.
        """
        if self.batch_size == 1:
            return values.var()
        if self.batch_size == self.size:
            return 0.0
        if self.step > _LONGEST_STEP or not math.isfinite(values.var()):
            return math.nan
        mean, reach = values.mean(), self.step * self.batch_size
        sums = np.zeros(self.step)
        for start, stop in _pieces(reach, self.step):
            _walk(sums, start, values.read(start, stop) - mean)
        squares = []
        for start, stop in _pieces(self.size, self.step):
            change = self._around(values, start + reach, stop + reach) - values.read(start, stop)
            along = _walk(sums, start, change)
            squares.append(float((along * along).sum()))
        return math.fsum(squares) / self.size / self.batch_size**2

    def _around(self, values: StoredColumn, start: int, stop: int) -> NDArray[np.float64]:
        """Consecutive values, continued from the end at the beginning."""
        if stop <= self.size:
            return values.read(start, stop)
        if start >= self.size:
            return values.read(start - self.size, stop - self.size)
        return np.concatenate([values.read(start, self.size), values.read(0, stop - self.size)])


def _pieces(size: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut 0 … size into pieces of bounded length: whole numbers of steps (but for the last), or parts of one step."""
    turn = step * max(1, BLOCK // step)
    for first in range(0, size, turn):
        end = min(first + turn, size)
        # A turn of several steps is at most one block long, so only a single step is cut further.
        for start in range(first, end, BLOCK):
            yield start, min(start + BLOCK, end)


def _walk(sums: NDArray[np.float64], start: int, change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the changes of a piece to the running sums, by remainder, and return each sum before its change."""
    step = len(sums)
    if len(change) <= step:
        own = sums[start % step :][: len(change)]
        before = own.copy()
        own += change
        return before
    rows = -(-len(change) // step)
    upto = np.zeros((rows + 1, step))
    upto[0] = sums
    upto[1:].ravel()[: len(change)] = change
    if step < _LONG_ROW:
        upto = np.cumsum(upto, axis=0)
    else:
        # numpy.cumsum goes down one column after the other, which misses the processor's cache in long rows.
        for before, row in pairwise(upto):
            row += before
    sums[:] = upto[-1]
    return upto[:-1].ravel()[: len(change)]
