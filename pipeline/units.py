"""What is drawn: rows, or whole groups or blocks of them; and what each counts in a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import IntArray, Population
from pipeline.stored import refuse_too_many


@dataclass(frozen=True, eq=False)
class Units:
    """The units of a population of N rows.

    Attributes
    ----------
    n_rows : int
        N.
    weights : ndarray of float64, shape (N,), or None
        What each row counts; None is 1 each.
    order, starts : ndarray of int, shapes (N,) and (G + 1,), or None
        The rows group by group, and where in `order` each group starts. Without an order a unit is a run of consecutive
        rows; without starts each row is one.
    called : str
        What a unit of several rows is, in the plural, for people.
    """

    n_rows: int
    weights: NDArray[np.float64] | None = None
    order: IntArray | None = None
    starts: IntArray | None = None
    called: str = "groups"

    @property
    def size(self) -> int:
        """How many units there are."""
        return self.n_rows if self.starts is None else len(self.starts) - 1

    @property
    def is_simple(self) -> bool:
        """Whether every unit is a row that counts 1."""
        return self.weights is None and self.starts is None

    @property
    def is_runs(self) -> bool:
        """Whether each unit is a run of consecutive rows."""
        return self.order is None and self.starts is not None

    def sizes(self) -> NDArray[np.float64] | None:
        """Return what each unit counts, the sum of its rows' weights, shape (size,); None where it is 1 each."""
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
            # Where each run starts, less the rows before it in what is returned.
            offsets = self.starts[:-1][units] - (np.cumsum(lengths) - lengths)
            return np.repeat(offsets, lengths) + np.arange(lengths.sum())
        return np.concatenate([self.order[self.starts[unit] : self.starts[unit + 1]] for unit in units])

    def totals(self, values: NDArray[np.float64], units: IntArray | None = None) -> NDArray[np.float64]:
        """Return each unit's sum of weight times value.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            Of all rows, or of ``rows_of(units)``.
        units : ndarray of int, shape (u,), or None
            Which units; None is all.

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


def units_of(dataset: Population) -> Units:
    """Return the units of a data set: its groups if it has any, else its rows.

    Raises
    ------
    BadInput
        If there are groups or weights of too many rows for memory.
    """
    if dataset.groups is not None or dataset.weights is not None:
        refuse_too_many(len(dataset), "data.group and data.weight")
    if dataset.groups is None:
        return Units(len(dataset), dataset.weights)
    order = np.argsort(dataset.groups, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(dataset.groups))])
    return Units(len(dataset), dataset.weights, order, starts)
