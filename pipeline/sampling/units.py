"""Sampling units: the rows, groups or blocks that are drawn, and the weight of each in a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..records.rows import IntArray, Population
from ..records.stored import refuse_too_many


@dataclass(frozen=True, eq=False)
class Units:
    """The sampling units of a population of N rows.

    Attributes
    ----------
    n_rows : int
        N.
    weights : ndarray of float64, shape (N,), or None
        The weight of each row; None is 1 each.
    order, starts : ndarray of int, shapes (N,) and (G + 1,), or None
        The rows group by group, and where each group starts in `order`. Without `order` a unit is a run of consecutive
        rows; without `starts` each row is a unit.
    called : str
        The name of units of several rows, in the plural, for display.
    """

    n_rows: int
    weights: NDArray[np.float64] | None = None
    order: IntArray | None = None
    starts: IntArray | None = None
    called: str = "groups"

    @property
    def size(self) -> int:
        """The number of units."""
        return self.n_rows if self.starts is None else len(self.starts) - 1

    @property
    def is_simple(self) -> bool:
        """Whether every unit is one row of weight 1."""
        return self.weights is None and self.starts is None

    @property
    def is_runs(self) -> bool:
        """Whether each unit is a run of consecutive rows."""
        return self.order is None and self.starts is not None

    def sizes(self) -> NDArray[np.float64] | None:
        """Return the weight of each unit, the sum of its rows' weights, shape (size,); None if all are 1."""
        if self.is_simple:
            return None
        if self.is_runs and self.weights is None:
            assert self.starts is not None
            return np.diff(self.starts).astype(np.float64)
        return self.totals(np.ones(self.n_rows))

    def rows_of(self, units: IntArray) -> IntArray:
        """Return the rows of units, unit by unit."""
        if self.starts is None:
            return units
        if self.order is None:
            lengths = np.diff(self.starts)[units]
            # The start of each run, minus its position in the result.
            offsets = self.starts[:-1][units] - (np.cumsum(lengths) - lengths)
            return np.repeat(offsets, lengths) + np.arange(lengths.sum())
        return np.concatenate([self.order[self.starts[unit] : self.starts[unit + 1]] for unit in units])

    def totals(self, values: NDArray[np.float64], units: IntArray | None = None) -> NDArray[np.float64]:
        """Return the weighted sum of each unit's values.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            The values of all rows, or of ``rows_of(units)``.
        units : ndarray of int, shape (u,), or None
            The units that are asked for; None is all.

        Returns
        -------
        ndarray of float64, shape (u,) or (size,)
        """
        rows = None if units is None else self.rows_of(units)
        if self.weights is not None:
            values = values * (self.weights if rows is None else self.weights[rows])
        if self.starts is None:
            return values
        if units is None:
            return np.add.reduceat(values if self.order is None else values[self.order], self.starts[:-1])
        lengths = np.diff(self.starts)[units]
        return np.add.reduceat(values, np.concatenate([[0], np.cumsum(lengths)[:-1]]))


def units_of(dataset: Population, rows: IntArray | None = None) -> Units:
    """Return the units of a data set, or of some of its rows: its groups if it has any, else its rows.

    Parameters
    ----------
    dataset : Population
        All rows.
    rows : ndarray of int, shape (n,), or None
        Those that count; None is all. The rows of the result are counted from 0 among them, and groups that have none
        of them are no units.

    Raises
    ------
    BadInput
        If there are groups or weights, and too many rows to hold them in memory.
    """
    size = len(dataset) if rows is None else len(rows)
    groups, weights = dataset.groups, dataset.weights
    if groups is not None or weights is not None:
        refuse_too_many(len(dataset), "data.group and data.weight")
    if weights is not None and rows is not None:
        weights = weights[rows]
    if groups is None:
        return Units(size, weights)
    if rows is not None:
        groups = np.unique(groups[rows], return_inverse=True)[1]
    order = np.argsort(groups, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(groups))])
    return Units(size, weights, order, starts)
