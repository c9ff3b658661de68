"""Values that lie on disk: read block by block, so that no more of them is in memory than is at work."""

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

from pipeline.errors import BadInput
from pipeline.records import IntArray, Scores

# Rows up to which stored values are simply read, and treated as any others.
SMALL = 1 << 20
# Rows up to which a design may hold something of each.
MOST_IN_MEMORY = 50_000_000
# Rows that are worked on at once: as float64 they fit into a core's own cache.
BLOCK = 1 << 17
# Bytes up to which all metrics are read once and kept: rows drawn at random come sooner from memory than from a map.
_HELD = 128 << 20
# Bytes of a column that may be mapped while rows of it are gathered.
_SPAN = 64 << 20


class Moments(NamedTuple):
    """Mean and variance (with the divisor N) of values; how many are infinite; whether all are 0 or 1."""

    mean: float
    variance: float
    n_infinite: int
    is_binary: bool


class Stored:
    """A column of N values on disk, with what statistics ask of an array: mean, variance, some rows' values.

    Sums are taken by blocks in a fixed order, each in float64, and added up exactly. Maps are let go after each block,
    so that the process does not grow with N.

    Parameters
    ----------
    column : ndarray of float32, float64 or bool, shape (N,)
        A memory map.
    """

    def __init__(self, column: NDArray[Any]) -> None:
        # Not as a memmap, which makes a new one of every slice.
        self._column = np.asarray(column)

    def __len__(self) -> int:
        return len(self._column)

    def mean(self) -> float:
        """Return the mean; inf where a value is."""
        return self._moments.mean

    def var(self) -> float:
        """Return the variance, with the divisor N; ``nan`` where a value is infinite."""
        return self._moments.variance

    @property
    def n_infinite(self) -> int:
        """How many values are infinite."""
        return self._moments.n_infinite

    @property
    def is_binary(self) -> bool:
        """Whether all values are 0 or 1."""
        return self._moments.is_binary

    def read(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the values of consecutive rows."""
        found = np.asarray(self._column[start:stop]).astype(np.float64)
        let_go(self._column)
        return found

    def blocks(self) -> Iterator[NDArray[np.float64]]:
        """Yield all values in order."""
        for start in range(0, len(self), BLOCK):
            yield self.read(start, min(start + BLOCK, len(self)))

    def take(self, rows: IntArray) -> NDArray[np.float64]:
        """Return the values of rows in the order asked for, float64, of the shape of `rows`.

        They are read in stored order, more or less: a million rows cost one way through the file.
        """
        flat = rows.ravel()
        # NumPy sorts 16-bit numbers by their digits, many times faster than whole row numbers.
        shift = max(0, (len(self) - 1).bit_length() - 16)
        places = (flat >> shift).astype(np.uint16)
        order = np.argsort(places, kind="stable")
        span = max(1, (_SPAN // self._column.itemsize) >> shift)
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
            What each row counts; None is 1 each.

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
    """Return the moments of all values of some blocks, which are overwritten: of each in float64, put together exactly.

    The blocks' own squares are added to those of their means  [Chan, Golub & LeVeque 1983, Am. Statistician 37,
    242-247].
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


_TABLES: WeakKeyDictionary[Scores, NDArray[Any]] = WeakKeyDictionary()
_KNOWN: WeakKeyDictionary[Scores, dict[str, Stored]] = WeakKeyDictionary()


def is_large(scores: Scores) -> bool:
    """Tell whether scores lie on disk and are too many to be read and kept."""
    return scores.is_stored and len(scores) > SMALL


def column_of(scores: Scores, metric: str) -> Stored:
    """Return a metric's values on disk; what was found out of them is known as long as the scores are."""
    known = _KNOWN.setdefault(scores, {})
    if metric not in known:
        # Says what is missing where there is no such metric.
        scores.take(slice(0, 0)).values(metric)
        known[metric] = Stored(scores.columns[metric])
    return known[metric]


def held_table(scores: Scores) -> NDArray[Any] | None:
    """Return all metrics side by side in memory, shape (N, metrics); None where there are too many rows for that.

    A row drawn at random is then one look-up for all of its metrics.
    """
    columns = scores.columns.values()
    dtype = np.result_type(np.float32, *columns)
    if len(scores) * len(columns) * dtype.itemsize > _HELD:
        return None
    if scores not in _TABLES:
        table = np.empty((len(scores), len(columns)), dtype)
        for start in range(0, len(scores), BLOCK):
            for place, column in enumerate(columns):
                table[start : start + BLOCK, place] = column[start : start + BLOCK]
                let_go(column)
        _TABLES[scores] = table
    return _TABLES[scores]


def n_infinite(scores: Scores) -> int:
    """Count the infinite losses, wherever the scores lie."""
    return column_of(scores, "loss").n_infinite if is_large(scores) else int(np.isinf(scores.loss).sum())


def refuse_too_many(size: int, what: str) -> None:
    """Refuse what holds something of every row in memory.

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
    """Give back the memory of a map's pages; the system still has them, and reads them again if need be."""
    base: Any = column
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
