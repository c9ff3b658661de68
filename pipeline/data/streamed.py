"""A population that is too large for memory, and is read from disk shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records.rows import Block, IntArray


@dataclass(frozen=True, eq=False)
class Streamed:
    """All N rows of the chosen split, on disk; implements `records.rows.Population`.

    Attributes
    ----------
    name, digest, n_classes, scale, width, bounds, groups, weights, class_names
        As in `records.rows.Population`.
    read_shard : callable
        Yields the blocks of a shard.
    read_labels : callable or None
        Returns the labels of all rows; None where rows have none.
    row_name : callable
        Names a row by its number, for messages.
    contents : callable or None
        Returns a key of each shard that depends on its content and on how it is read, but not on its path. Scores are
        reused between folders by these keys.
    """

    name: str
    digest: str
    n_classes: int
    scale: float
    width: int
    bounds: IntArray
    read_shard: Callable[[int], Iterator[Block]]
    read_labels: Callable[[], NDArray[Any]] | None
    row_name: Callable[[int], str]
    groups: NDArray[np.int64] | None = None
    weights: NDArray[np.float64] | None = None
    contents: Callable[[], list[str]] | None = None
    class_names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return int(self.bounds[-1])

    @cached_property
    def labels(self) -> NDArray[Any] | None:
        """The labels of all rows, read at the first access."""
        return None if self.read_labels is None else self.read_labels()

    def read(self, shard: int) -> Iterator[Block]:
        """Yield the rows of a shard in order, in blocks of bounded size."""
        return self.read_shard(shard)

    def where(self, row: int) -> str:
        """Name a row by its file and its number there, for messages."""
        return self.row_name(row)

    def take(self, rows: IntArray) -> Block:
        """Return rows in the order of `rows`. Only the shards that contain them are read, each once."""
        rows = np.asarray(rows)
        order = np.argsort(rows, kind="stable")
        wanted = rows[order]
        inputs: list[NDArray[Any]] = []
        labels: list[NDArray[Any]] = []
        for shard in np.unique(np.searchsorted(self.bounds, wanted, side="right") - 1):
            start = int(self.bounds[shard])
            for block in self.read(int(shard)):
                stop = start + len(block.inputs)
                own = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, stop)] - start
                if len(own):
                    inputs.append(block.inputs[own])
                    if block.labels is not None:
                        labels.append(block.labels[own])
                start = stop
        back = np.empty(len(rows), dtype=np.intp)
        back[order] = np.arange(len(rows))
        if not inputs:
            return Block(np.empty((0, self.width)), None if self.read_labels is None else np.empty(0, np.int64))
        return Block(np.concatenate(inputs)[back], np.concatenate(labels)[back] if labels else None)
