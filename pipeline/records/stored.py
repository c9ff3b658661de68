"""Scores on disk: their values are read block by block, so that memory does not grow with the number of rows."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .rows import IntArray
from .scores import Scores

# Up to so many rows, stored values are read into memory and treated as any others.
SMALL = 1 << 20
# Up to so many rows, a design may hold a value of each row in memory.
MOST_IN_MEMORY = 50_000_000
# Rows in a block: as float64 they fit into a core's own cache.
BLOCK = 1 << 17
# Up to so many bytes, all metrics are held in memory: random rows are read faster from memory than from a map.
_MOST_HELD_BYTES = 128 << 20
# Bytes of a column that may be mapped at a time while random rows of it are gathered.
_MOST_MAPPED_BYTES = 64 << 20


class Moments(NamedTuple):
    """Mean, variance (with the divisor N), number of infinite values, and whether all values are 0 or 1."""

    mean: float
    variance: float
    n_infinite: int
    is_binary: bool


class StoredColumn:
    """A column of N values on disk, with the operations that statistics need: mean, variance, the values of some rows.

    Sums are taken over blocks in a fixed order, each in float64, and added exactly (``math.fsum``). Pages of the map
    are released after each block, so that the process does not grow with N.

    Parameters
    ----------
    column : ndarray of float32, float64 or bool, shape (N,)
        A memory map.
    """

    def __init__(self, column: NDArray[Any]) -> None:
        # As a plain array: every slice of a memmap would make another memmap object, which is slow.
        self._column = np.asarray(column)

    def __len__(self) -> int:
        return len(self._column)

    def mean(self) -> float:
        """Return the mean; inf if a value is infinite."""
        return self._moments.mean

    def var(self) -> float:
        """Return the variance, with the divisor N; ``nan`` if a value is infinite."""
        return self._moments.variance

    @property
    def n_infinite(self) -> int:
        """The number of infinite values."""
        return self._moments.n_infinite

    @property
    def is_binary(self) -> bool:
        """Whether all values are 0 or 1."""
        return self._moments.is_binary

    def read(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the values of rows start … stop - 1, float64."""
        found = np.asarray(self._column[start:stop]).astype(np.float64)
        let_go(self._column)
        return found

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield all values in order, float64, `BLOCK` at a time."""
        for start in range(0, len(self), BLOCK):
            yield self.read(start, min(start + BLOCK, len(self)))

    def take(self, rows: IntArray) -> NDArray[np.float64]:
        """Return the values of rows in the order asked for, float64, of the shape of `rows`.

        They are read roughly in stored order, so that a million random rows cost one pass through the file.
        """
        flat = rows.ravel()
        # NumPy sorts 16-bit integers by radix sort, many times faster than whole row numbers.
        shift = max(0, (len(self) - 1).bit_length() - 16)
        places = (flat >> shift).astype(np.uint16)
        order = np.argsort(places, kind="stable")
        span = max(1, (_MOST_MAPPED_BYTES // self._column.itemsize) >> shift)
        ends = np.searchsorted(places[order], np.arange(span, (len(self) >> shift) + 1 + span, span))
        found = np.empty(len(flat))
        for start, stop in pairwise([0, *ends.tolist()]):
            if stop > start:
                own = order[start:stop]
                found[own] = self._column[flat[own]]
                let_go(self._column)
        return found.reshape(rows.shape)

    def totals(self, starts: IntArray, weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the (weighted) sums over runs of consecutive rows.

        Parameters
        ----------
        starts : ndarray of int, shape (G + 1,)
            Where each run starts, and N.
        weights : ndarray of float64, shape (N,), or None
            The weight of each row; None is 1 each.

        Returns
        -------
        ndarray of float64, shape (G,)
        """
        found = np.zeros(len(starts) - 1)
        for i, values in enumerate(self.blocks()):
            start = i * BLOCK
            stop = start + len(values)
            if weights is not None:
                values = values * weights[start:stop]
            first = int(np.searchsorted(starts, start, side="right")) - 1
            last = int(np.searchsorted(starts, stop, side="left"))
            found[first:last] += np.add.reduceat(values, np.maximum(starts[first:last], start) - start)
        return found

    @cached_property
    def _moments(self) -> Moments:
        if self._column.dtype == np.bool_:
            right, size = self._count(), len(self)
            return Moments(right / size, right * (size - right) / size**2, 0, True)
        return moments_of(self.blocks())

    def _count(self) -> int:
        total = 0
        for start in range(0, len(self), 8 * BLOCK):
            total += int(np.count_nonzero(self._column[start : start + 8 * BLOCK]))
            let_go(self._column)
        return total


def moments_of(blocks: Iterator[NDArray[np.float64]]) -> Moments:
    """Return the moments of all values of some blocks, which are overwritten.

    The sums of squares within the blocks are added to those between their means  [Chan, Golub & LeVeque 1983, The
    American Statistician 37, 242-247]; each sum is in float64, and the sums are added exactly.
    """
    sizes, sums, squares = [], [], []
    n_infinite, is_binary = 0, True
    for values in blocks:
        total = float(values.sum())
        sizes.append(len(values))
        sums.append(total)
        is_binary = is_binary and bool(((values == 0) | (values == 1)).all())
        if math.isfinite(total):
            values -= total / len(values)
            squares.append(float((values * values).sum()))
        else:
            n_infinite += int(np.isinf(values).sum())
    mean = math.fsum(sums) / sum(sizes)
    if not math.isfinite(mean):
        return Moments(mean, math.nan, n_infinite, False)
    between = [n * (total / n - mean) ** 2 for n, total in zip(sizes, sums, strict=True)]
    return Moments(mean, math.fsum([*squares, *between]) / sum(sizes), 0, is_binary)


_TABLE_OF: WeakKeyDictionary[Scores, NDArray[Any]] = WeakKeyDictionary()
_COLUMNS_OF: WeakKeyDictionary[Scores, dict[str, StoredColumn]] = WeakKeyDictionary()


def is_large(scores: Scores) -> bool:
    """Tell whether scores are on disk and too many to be read into memory."""
    return scores.is_stored and len(scores) > SMALL


def column_of(scores: Scores, metric: str) -> StoredColumn:
    """Return a metric's column on disk; it is memoised with its moments as long as the scores exist."""
    known = _COLUMNS_OF.setdefault(scores, {})
    if metric not in known:
        # Raises the error that names a missing metric.
        scores.take(slice(0, 0)).values(metric)
        known[metric] = StoredColumn(scores.columns[metric])
    return known[metric]


def held_table(scores: Scores) -> NDArray[Any] | None:
    """Return all metrics side by side in memory, shape (N, metrics); None if they take too many bytes.

    In this table a random row is one look-up for all of its metrics.
    """
    columns = scores.columns.values()
    dtype = np.result_type(np.float32, *columns)
    if len(scores) * len(columns) * dtype.itemsize > _MOST_HELD_BYTES:
        return None
    if scores not in _TABLE_OF:
        table = np.empty((len(scores), len(columns)), dtype)
        for start in range(0, len(scores), BLOCK):
            for place, column in enumerate(columns):
                table[start : start + BLOCK, place] = column[start : start + BLOCK]
                let_go(column)
        _TABLE_OF[scores] = table
    return _TABLE_OF[scores]


def n_infinite(scores: Scores) -> int:
    """Count the infinite losses, in memory or on disk."""
    return column_of(scores, "loss").n_infinite if is_large(scores) else int(np.isinf(scores.loss).sum())


def refuse_too_many(size: int, what: str) -> None:
    """Refuse an operation that holds a value of every row in memory, for too many rows.

    Raises
    ------
    BadInput
        If there are more rows than `MOST_IN_MEMORY`.
    """
    if size > MOST_IN_MEMORY:
        raise BadInput(
            f"{what} must have at most {MOST_IN_MEMORY:,} rows, for it keeps something of each in memory; found "
            f"{size:,}: choose sampling=with_replacement, without_replacement, blocks, or systematic as stored, and "
            "leave data.group and data.weight out"
        )


def let_go(column: NDArray[Any]) -> None:
    """Release the pages of a memory map from this process; the system reads them again when they are needed."""
    base: Any = column
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
