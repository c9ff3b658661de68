"""Scores on disk: one column a metric, filled shard by shard, and read as they are needed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.records import IntArray, Scores

# What a shard leaves besides its values: ties, capped, nanoseconds.
_COUNTS = 3


class ScoreFile:
    """A folder of columns: 4 bytes a row for each metric (8 where asked), 1 for the accuracy.

    A shard counts as done once its values are on the disk: after an interruption the others are made again.

    Parameters
    ----------
    folder : Path
        Made if needed.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N.
    is_double : bool
        Whether values are kept as float64 instead of float32.
    """

    def __init__(self, folder: Path, bounds: IntArray, *, is_double: bool = False) -> None:
        self._folder, self._bounds = folder, bounds
        self._dtype = np.dtype(np.float64 if is_double else np.float32)
        self._open: dict[str, NDArray[Any]] = {}
        folder.mkdir(parents=True, exist_ok=True)
        shards = len(bounds) - 1
        self._done = self._column("done", np.dtype(np.uint8), shards)
        self._counts = self._column("counts", np.dtype(np.int64), shards * _COUNTS).reshape(shards, _COUNTS)

    @property
    def missing(self) -> list[int]:
        """The shards that are not done."""
        return np.flatnonzero(np.asarray(self._done) == 0).tolist()

    @property
    def seconds(self) -> float:
        """Wall time that all shards took together, as noted by `add_seconds`."""
        return float(self._counts[:, 2].sum()) / 1e9

    def keep(self, shard: int, scores: Scores) -> None:
        """Write a shard's scores down."""
        start, stop = int(self._bounds[shard]), int(self._bounds[shard + 1])
        if len(scores) != stop - start:
            raise ValueError(f"shard {shard} must have {stop - start} scores; found {len(scores)}")
        if not self._names_path.exists():
            files.write_beside(self._names_path, lambda file: file.write(json.dumps(scores.metrics).encode()))
        for metric, values in scores.columns.items():
            self._write(metric, start, values)
        self._counts[shard, :2] = scores.ties, scores.capped
        self._done[shard] = 1

    def add_seconds(self, seconds: float) -> None:
        """Note how long the shards of this start took."""
        self._counts[0, 2] += int(seconds * 1e9)

    def scores(self) -> Scores:
        """Return the scores of all rows, to be read from the disk as they are needed."""
        names: Sequence[str] = json.loads(self._names_path.read_bytes())
        columns = {metric: self._metric(metric) for metric in names}
        ties, capped, _ = (int(total) for total in self._counts.sum(axis=0))
        return Scores(
            columns.pop("loss", None), columns.pop("accuracy", None), further=columns, ties=ties, capped=capped
        )

    @property
    def _names_path(self) -> Path:
        return self._folder / "metrics.json"

    def _metric(self, metric: str) -> NDArray[Any]:
        return self._column(metric, self._dtype_of(metric), int(self._bounds[-1]))

    def _dtype_of(self, metric: str) -> np.dtype[Any]:
        return np.dtype(np.bool_) if metric == "accuracy" else self._dtype

    def _column(self, name: str, dtype: np.dtype[Any], size: int) -> NDArray[Any]:
        if name not in self._open:
            path = self._folder / name
            if not path.exists() or path.stat().st_size != size * dtype.itemsize:
                with path.open("wb") as file:
                    file.truncate(size * dtype.itemsize)
            self._open[name] = np.memmap(path, dtype=dtype, mode="r+", shape=(size,))
        return self._open[name]

    def _write(self, metric: str, start: int, values: NDArray[Any]) -> None:
        """Bring values to the disk; not through the memory map, whose pages would count as this process's memory."""
        dtype = self._dtype_of(metric)
        with np.errstate(over="ignore"):
            data = np.ascontiguousarray(values, dtype=dtype).view(np.uint8).data
        handle = os.open(self._folder / metric, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            done, at = 0, start * dtype.itemsize
            while done < len(data):
                done += os.pwrite(handle, data[done:], at + done)
            # Before the shard is said to be done: after a power cut what is said must be so.
            os.fdatasync(handle)
        finally:
            os.close(handle)
