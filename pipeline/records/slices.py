"""Slices: the parts of a population that are looked at one by one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rows import IntArray


@dataclass(frozen=True, eq=False)
class Slices:
    """A population's rows by the values of a column; every row is in one slice.

    Attributes
    ----------
    column : str
        The column's name; ``class`` where it is the label.
    names : tuple of str
        Of the slices, at least two; the pooled one is the last.
    codes : ndarray of int64, shape (N,)
        The slice of each row, 0 … the number of slices - 1; each has a row.
    pooled : tuple of str
        The values that are too rare for a slice of their own, and together make the last one; empty if there are none.
    """

    column: str
    names: tuple[str, ...]
    codes: NDArray[np.int64]
    pooled: tuple[str, ...] = ()

    def rows(self) -> list[IntArray]:
        """Return the rows of each slice, in their order."""
        order = np.argsort(self.codes, kind="stable")
        return np.split(order, np.searchsorted(self.codes[order], np.arange(1, len(self.names))))
