"""A population that is too large for memory: read from disk, shard by shard, as it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Block, IntArray


@dataclass(frozen=True, eq=False)
class Streamed:
    """All N rows of the chosen split, on disk; see `pipeline.records.Population`.

    Attributes
    ----------
    name, digest, n_classes, scale, width, bounds, groups, weights
        As a Population has them.
    read_shard : callable
        Yields the blocks of a shard.
    read_labels : callable or None
        Returns the labels of all rows; None where rows have none.
    row_name : callable
        Says where a row stands.
    contents : callable or None
        Returns what tells each shard's rows, and how they are read: equal where they are the same in another folder.
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

    def __len__(self) -> int:
        return int(self.bounds[-1])

    @cached_property
    def labels(self) -> NDArray[Any] | None:
        """The labels of all rows, read when first asked for."""
        return None if self.read_labels is None else self.read_labels()

    def read(self, shard: int) -> Iterator[Block]:
        """Read a shard, in order, in blocks of bounded size."""
        return self.read_shard(shard)

    def where(self, row: int) -> str:
        """Say which row of which file a row is."""
        return self.row_name(row)

    def take(self, rows: IntArray) -> Block:
        """Read rows in the order asked for; only the shards that hold them are touched, each once."""
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
