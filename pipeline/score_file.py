"""Scores on disk: one column a metric, filled shard by shard, and read as they are needed."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.records import IntArray, Scores

# Of the folder's form.
_VERSION = 1
# What a shard leaves besides its values: ties, capped, and the nanoseconds since what was flushed before it.
_COUNTS = 3
# Flushed together is what was scored in this time: a flush takes milliseconds, whatever there is.
_SECONDS_BETWEEN_FLUSHES = 1.0


class ScoreFile:
    """A folder of columns: 4 bytes a row for each metric (8 where asked), 1 for the accuracy.

    A shard counts as done once its values have been flushed to the disk: after an interruption, or a power cut, the
    others are made again. A folder that is not of these shards, or whose files have other sizes, is made anew.

    Parameters
    ----------
    folder : Path
        Made if needed. Nobody else may write to it meanwhile.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N.
    is_double : bool
        Whether values are kept as float64 instead of float32.
    """

    def __init__(self, folder: Path, bounds: IntArray, *, is_double: bool = False) -> None:
        self._folder, self._bounds = folder, bounds
        self._dtype = np.dtype(np.float64 if is_double else np.float32)
        self._lock, self._flushing = threading.Lock(), threading.Lock()
        self._pending: list[int] = []
        self._flushed = time.perf_counter()
        if not self._is_whole():
            self._make()
        shards = len(bounds) - 1
        self._done = np.fromfile(folder / "done", dtype=np.uint8)
        self._counts = np.fromfile(folder / "counts", dtype=np.int64).reshape(shards, _COUNTS)
        self._metrics = self._metrics_found()

    @property
    def missing(self) -> list[int]:
        """The shards that are not done."""
        return np.flatnonzero(self._done != 1).tolist()

    @property
    def seconds(self) -> float:
        """Wall time that all shards took together, in however many starts."""
        return float(self._counts[self._done == 1, 2].sum()) / 1e9

    def keep(self, shard: int, scores: Scores, *, nanoseconds: int = 0) -> None:
        """Write a shard's scores down, and the time they took elsewhere; may be called from several threads."""
        start, stop = int(self._bounds[shard]), int(self._bounds[shard + 1])
        if len(scores) != stop - start:
            raise ValueError(f"shard {shard} must have {stop - start} scores; found {len(scores)}")
        with self._lock:
            if self._metrics is None:
                self._name(list(scores.metrics))
        if set(self._metrics or []) != set(scores.metrics):
            raise ValueError(f"shard {shard} must have scores of {self._metrics}; found {scores.metrics}")
        for metric, values in scores.columns.items():
            dtype = self._dtype_of(metric)
            with np.errstate(over="ignore"):
                self._write(metric, start * dtype.itemsize, np.asarray(values, dtype))
        with self._lock:
            self._counts[shard] = scores.ties, scores.capped, nanoseconds
            self._pending.append(shard)
        if time.perf_counter() - self._flushed > _SECONDS_BETWEEN_FLUSHES:
            self.flush()

    def flush(self) -> None:
        """Bring to the disk what was kept, and only then count it as done."""
        with self._flushing:
            with self._lock:
                shards, self._pending = self._pending, []
                before, self._flushed = self._flushed, time.perf_counter()
            if not shards:
                return
            # Shared out by rows, so that a part of the shards has a part of the time.
            rows = np.diff(self._bounds)[shards]
            self._counts[shards, 2] += ((self._flushed - before) * 1e9 * rows / max(rows.sum(), 1)).astype(np.int64)
            for metric in self._metrics or []:
                self._sync(metric)
            for shard in shards:
                self._write("counts", shard * _COUNTS * 8, self._counts[shard])
            self._sync("counts")
            for shard in shards:
                self._write("done", shard, np.ones(1, np.uint8))
            self._done[shards] = 1

    def scores(self) -> Scores:
        """Return the scores of all rows, to be read from the disk as they are needed."""
        names = self._metrics or []
        columns: dict[str, NDArray[Any]] = {
            metric: np.memmap(self._folder / metric, dtype=self._dtype_of(metric), mode="r") for metric in names
        }
        ties, capped, _ = (int(total) for total in self._counts.sum(axis=0))
        return Scores.of(columns, ties=ties, capped=capped)

    def _dtype_of(self, metric: str) -> np.dtype[Any]:
        return np.dtype(np.bool_) if metric == "accuracy" else self._dtype

    @property
    def form(self) -> dict[str, Any]:
        """Return what tells the folder's form: a version, the type of the values, the digest of the bounds."""
        bounds = files.content_digest(np.ascontiguousarray(self._bounds, np.int64).tobytes())
        return {"version": _VERSION, "dtype": self._dtype.str, "bounds": bounds}

    def _metrics_found(self) -> list[str] | None:
        path = self._folder / "metrics.json"
        return json.loads(path.read_bytes()) if path.exists() else None

    def _is_whole(self) -> bool:
        """Whether the folder is of these shards, and every file in it has its size."""
        try:
            if json.loads((self._folder / "form.json").read_bytes()) != self.form:
                return False
            shards, rows = len(self._bounds) - 1, int(self._bounds[-1])
            sizes = {"done": shards, "counts": shards * _COUNTS * 8}
            for metric in self._metrics_found() or []:
                sizes[metric] = rows * self._dtype_of(metric).itemsize
            if any((self._folder / name).stat().st_size != size for name, size in sizes.items()):
                return False
            return len(sizes) > 2 or not (self._folder / "done").read_bytes().strip(b"\0")
        except (OSError, ValueError, TypeError):
            return False

    def _make(self) -> None:
        if self._folder.is_dir():
            shutil.rmtree(self._folder)
        else:
            self._folder.unlink(missing_ok=True)
        self._folder.mkdir(parents=True)
        shards = len(self._bounds) - 1
        self._truncate("done", shards)
        self._truncate("counts", shards * _COUNTS * 8)
        self._say("form.json", self.form)

    def _name(self, metrics: list[str]) -> None:
        """Make room for the columns, now that they are known."""
        for metric in metrics:
            self._truncate(metric, int(self._bounds[-1]) * self._dtype_of(metric).itemsize)
        self._say("metrics.json", metrics)
        self._metrics = metrics

    def _say(self, name: str, what: object) -> None:
        files.write_beside(self._folder / name, lambda file: file.write(json.dumps(what).encode()))

    def _truncate(self, name: str, size: int) -> None:
        with (self._folder / name).open("wb") as file:
            file.truncate(size)

    def _write(self, name: str, at: int, values: NDArray[Any]) -> None:
        # Not through a memory map: its pages would count as this process's memory, and a full disk would end it.
        data = np.ascontiguousarray(values).view(np.uint8).data
        handle = os.open(self._folder / name, os.O_RDWR)
        try:
            done = 0
            while done < len(data):
                done += os.pwrite(handle, data[done:], at + done)
        finally:
            os.close(handle)

    def _sync(self, name: str) -> None:
        handle = os.open(self._folder / name, os.O_RDWR)
        try:
            os.fdatasync(handle)
        finally:
            os.close(handle)
