"""The sampling frame: what a design may know of the population before a batch is evaluated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..records.rows import IntArray
from ..records.scores import Scores


@dataclass(frozen=True, eq=False)
class Guess:
    """A proxy's guess of every unit's difficulty, loss and accuracy, made before the unit is evaluated.

    Attributes
    ----------
    difficulty : ndarray of float64, shape (N,)
        Finite; larger where a larger loss is expected. At least 0 for a design that draws in proportion to it.
    loss, accuracy : ndarray of float64, shape (N,)
        Substitutes for the two metrics, on any scale: only their correlation with the metric matters.
    """

    difficulty: NDArray[np.float64]
    loss: NDArray[np.float64]
    accuracy: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """What a design may know of the population before a batch is evaluated.

    Attributes
    ----------
    size : int
        N, the number of units that can be drawn: rows, or groups of rows.
    read_labels : callable
        Returns the classes, shape (N,), or None if a unit is a group of rows or has no class; see `labels`.
    guess : callable
        Returns the proxy's Guess. It is expensive, so only designs that need a proxy call it.
    score : callable
        From units, shape (n,), to their Scores, for a pilot sample.
    is_simple : bool
        Whether every unit is one row and all have the same sampling weight.
    """

    size: int
    read_labels: Callable[[], IntArray | None]
    guess: Callable[[], Guess]
    score: Callable[[IntArray], Scores]
    is_simple: bool = True

    @cached_property
    def labels(self) -> IntArray | None:
        """The classes, shape (N,), or None; read at the first access."""
        return self.read_labels()
