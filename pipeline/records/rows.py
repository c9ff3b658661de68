"""Rows: blocks of them, populations, and data sets in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.integer[Any]]

# Rows in one shard of a data set in memory: what one worker scores at a time.
_SHARD_ROWS = 1 << 16


class Block(NamedTuple):
    """Rows read together.

    Attributes
    ----------
    inputs : ndarray, shape (n, d)
        As stored; the logits themselves, or probabilities or scores, where the rows are predictions.
    labels : ndarray, shape (n,) or (n, k), or None
        None if the rows have scores and no labels.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any] | None


class Population(Protocol):
    """All N rows that are evaluated, in memory (`Dataset`) or read from disk shard by shard (`Streamed`)."""

    @property
    def name(self) -> str:
        """For display: ``mnist train``."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the content."""

    @property
    def n_classes(self) -> int:
        """The number of classes k; 0 if the rows have scores and no classes."""

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes 0 … k - 1, for tables and plots; None if they have numbers alone."""

    @property
    def scale(self) -> float:
        """The factor that inputs are multiplied by when a block is used."""

    @property
    def width(self) -> int:
        """Numbers in a row of the inputs."""

    @property
    def labels(self) -> NDArray[Any] | None:
        """The labels of all rows, shape (N,) or (N, k), or None; read at the first access."""

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """The group of each row, shape (N,); None if rows are drawn one by one."""

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """The weight of each row in a mean, shape (N,); None is 1 each."""

    @property
    def bounds(self) -> IntArray:
        """Where each shard starts, and N, shape (S + 1,)."""

    def __len__(self) -> int: ...

    def read(self, shard: int) -> Iterator[Block]:
        """Yield the rows of a shard in order, in blocks of bounded size."""

    def take(self, rows: IntArray) -> Block:
        """Return rows in the order asked for."""

    def where(self, row: int) -> str:
        """Name a row, for an error message."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """All N rows of the chosen split in memory: the population.

    Attributes
    ----------
    inputs : ndarray, shape (N, d)
        As stored: ``uint8`` pixels stay 8-bit until a block of them is used; otherwise ``float32``.
    labels : ndarray, shape (N,) or (N, k), or None
        Integer classes 0 … k - 1 (``int64``), or one row of label probabilities each (``float32``: one-hot or soft).
        None if the rows have scores and no labels; `data.base.in_memory` refuses that for callers that need labels.
    n_classes : int
        The number of classes k; 0 if there are scores alone.
    scale : float
        The factor that inputs are multiplied by when a block is used: 1/255 for normalised 8-bit pixels, else 1.
    name : str
        For display: ``mnist train``.
    digest : str
        SHA-256 (hex) of the content; equal content gives an equal digest.
    groups : ndarray of int64, shape (N,), or None
        The group of each row, 0 … G - 1, if rows are drawn in groups.
    weights : ndarray of float64, shape (N,), or None
        The weight of each row in a mean, above 0; None is 1 each.
    row_name : callable or None
        Names a row in an error message, by its number; None: ``row 17``.
    class_names : tuple of str, of length k, or None
        The names of the classes, for tables and plots; None if they have numbers alone.
    """

    inputs: NDArray[Any]
    labels: NDArray[Any]
    n_classes: int
    scale: float
    name: str
    digest: str
    groups: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    row_name: Callable[[int], str] | None = None
    class_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def width(self) -> int:
        """Numbers in a row of the inputs."""
        return int(self.inputs.shape[1])

    @property
    def bounds(self) -> IntArray:
        """Where each shard starts, and N."""
        return np.append(np.arange(0, len(self), _SHARD_ROWS), len(self))

    def read(self, shard: int) -> Iterator[Block]:
        """Yield the rows of a shard, as one block."""
        yield self.take(slice(shard * _SHARD_ROWS, (shard + 1) * _SHARD_ROWS))

    def take(self, rows: IntArray | slice) -> Block:
        """Return rows in the order asked for."""
        return Block(self.inputs[rows], None if self.labels is None else self.labels[rows])

    def where(self, row: int) -> str:
        """Name a row, for an error message."""
        return f"row {row}" if self.row_name is None else self.row_name(row)
