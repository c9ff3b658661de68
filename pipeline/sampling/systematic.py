"""Systematic sampling: every k-th row from a random start, around the end to the beginning."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Batch, Frame, IntArray
from pipeline.sampling.base import Plan, Sampling, refuse_more_than_all
from pipeline.sampling.order import by_difficulty
from pipeline.stored import BLOCK, Stored

_ORDERS = ("stored", "proxy")
# The longest step of which the error is known of values on disk: it takes one number a start up to the step.
_LONGEST_STEP = 1 << 23
# Numbers in a row from which a sum of two rows is worth a call.
_LONG_ROW = 256


@dataclass
class Systematic(Sampling):
    """Draw rows r, r + k, r + 2k … modulo N with k = ⌊N/b⌋ and any of the N rows as the start r, with equal chance.

    Every row is in the batch with chance b/N, so the mean is unbiased [Lahiri's circular method; Murthy 1967, Sampling
    Theory and Methods, §5.2]. It pays where rows that stand near to each other are alike.

    No batch tells the design's own variance, for it is one draw of one start; intervals take the batch for a simple
    random sample. In order of a proxy that is mostly on the safe side; in a stored order with a period near to k it is
    not. There are N batches at most, and but k where b divides N: with large b these few may happen to be far apart,
    whatever the order. The error that is logged (``M/se``, ``M/variance_ratio``) is the exact one; of more than a
    million rows on disk it is left out (``nan``) where k is above 8,388,608 and b at least 2.

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
        order = by_difficulty(frame) if self.order == "proxy" else None
        return SystematicPlan(frame.size, batch_size, order, self.order)


@dataclass(frozen=True, eq=False)
class SystematicPlan(Plan):
    """Every k-th unit of an order.

    Attributes
    ----------
    order : ndarray of int, shape (N,), or None
        The units in the order in which they are counted; None is as stored.
    by : str
        What the order is made by, for people.
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
        """Draw one batch, in the order counted."""
        return self.from_start(int(rng.integers(self.size)))

    def from_start(self, start: int) -> Batch:
        """Return the batch that starts at a place of the order, 0 … N - 1."""
        places = (start + self.step * np.arange(self.batch_size)) % self.size
        return Batch(places if self.order is None else self.order[places])

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return the variance of the mean over the N starts, each of which is as likely as any other."""
        if self.batch_size == self.size:
            return 0.0
        k, reach = self.step, self.step * self.batch_size
        ordered = (values if self.order is None else values[self.order]) - values.mean()
        # Around the end: reach is at most N. Rows of k, so that a column holds the places that lie k apart.
        around = np.concatenate([ordered, ordered[:reach], np.zeros(-(self.size + reach) % k)])
        upto = np.cumsum(around.reshape(-1, k), axis=0)
        before = np.concatenate([np.zeros((self.batch_size, k)), upto])[: len(upto)]
        sums = (upto - before).ravel()[reach - k :][: self.size]
        return float(np.mean((sums / self.batch_size) ** 2))

    def stored_error_variance(self, values: Stored) -> float:
        """Return the same of values on disk, in two passes; ``nan`` where the step is too long.

        The sum from start r + k is that from r, less row r and with the row one step beyond its last: k sums, one a
        remainder of r by k, are all that is kept.
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

    def _around(self, values: Stored, start: int, stop: int) -> NDArray[np.float64]:
        """Consecutive values, around the end to the beginning."""
        if stop <= self.size:
            return values.read(start, stop)
        if start >= self.size:
            return values.read(start - self.size, stop - self.size)
        return np.concatenate([values.read(start, self.size), values.read(0, stop - self.size)])


def _pieces(size: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut 0 … size into pieces of bounded length: of whole steps, the last one apart, or within one step."""
    turn = step * max(1, BLOCK // step)
    for first in range(0, size, turn):
        end = min(first + turn, size)
        # A turn of several steps is no longer than a block.
        for start in range(first, end, BLOCK):
            yield start, min(start + BLOCK, end)


def _walk(sums: NDArray[np.float64], start: int, change: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add the changes of a piece to the sums, by remainder, and return each sum as it was before its change."""
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
        # NumPy runs down one column after the other, out of the processor's cache.
        for before, row in pairwise(upto):
            row += before
    sums[:] = upto[-1]
    return upto[:-1].ravel()[: len(change)]
