"""Scores on disk: one column a metric, filled shard by shard, and read as they are needed."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metric.columns import of_column
from ..records.rows import IntArray
from ..records.scores import Scores
from ..runtime import files
from ..runtime.notice import note
from . import checksums

# Of the folder's form.
_VERSION = 2
# What a shard leaves besides its values: ties, capped, the nanoseconds since what was flushed before it, and the
# checksum of its values and of these three.
_COUNTS = 4
# Flushed together is what was scored in this time: a flush takes milliseconds, whatever there is.
_SECONDS_BETWEEN_FLUSHES = 1.0


class ScoreFile:
    """A folder of columns: 4 bytes a row for each metric (8 where asked), 1 for the accuracy.

    A shard counts as done once its values have been flushed to the disk: after an interruption, or a power cut, the
    others are made again, and so are those whose checksum is not the one that was kept. A folder that is not of these
    shards, or whose files have other sizes, is made anew.

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
        self._drop_damaged()

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
        checksum = 0
        for metric in self._metrics or []:
            dtype = self._dtype_of(metric)
            with np.errstate(over="ignore"):
                values = np.ascontiguousarray(scores.columns[metric], dtype)
            self._write(metric, start * dtype.itemsize, values)
            checksum = checksums.of_values(values, checksum)
        with self._lock:
            self._counts[shard] = scores.ties, scores.capped, nanoseconds, checksum
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
                self._counts[shard, -1] = _over(self._counts[shard], int(self._counts[shard, -1]))
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
        ties, capped = (int(total) for total in self._counts[:, :2].sum(axis=0))
        return Scores.of(columns, ties=ties, capped=capped)

    def _dtype_of(self, metric: str) -> np.dtype[Any]:
        return _dtype_of(metric, self._dtype)

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

    def _drop_damaged(self) -> None:
        """Count as not done what is not as it was kept: a disk may change a bit, and a program a file."""
        columns = {metric: self._dtype_of(metric).itemsize for metric in self._metrics or []}
        done = np.flatnonzero(self._done == 1)
        kept = self._counts[done]
        made = checksums.of_shards(self._folder, columns, self._bounds, done)
        damaged = [
            shard
            for shard, counts, own in zip(done.tolist(), kept, made, strict=True)
            if _over(counts, own) != counts[-1]
        ]
        if not damaged:
            return
        self._done[damaged] = 0
        for shard in damaged:
            self._write("done", shard, np.zeros(1, np.uint8))
        note(
            f"the scores in {self._folder} were damaged (another checksum in {len(damaged)} of {len(self._done)} "
            "parts): these are made anew"
        )

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


# What a folder of scores holds besides: each shard's key, and where it starts.
_KEYS, _BOUNDS = "keys", "bounds"
_KEY_BYTES = 32


def reuse(file: ScoreFile, folder: Path, keys: Sequence[str], bounds: IntArray) -> None:
    """Take over what other folders beside this one have of its missing shards, and let others find what it has.

    Parameters
    ----------
    file, folder : ScoreFile, Path
        The scores that are to be filled, and where they lie.
    keys : sequence of str, length S
        SHA-256 (hex) of all that shapes a shard's scores.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N.
    """
    missing = {bytes.fromhex(keys[shard]): shard for shard in file.missing}
    for other in sorted(folder.parent.iterdir()) if missing else []:
        if other != folder and (other / _KEYS).is_file():
            for key, scores, nanoseconds in _found(other, set(missing), file.form):
                shard = missing.pop(key)
                if len(scores) == bounds[shard + 1] - bounds[shard]:
                    file.keep(shard, scores, nanoseconds=nanoseconds)
    file.flush()
    packed = np.frombuffer(bytes.fromhex("".join(keys)), np.uint8).reshape(-1, _KEY_BYTES)
    for name, array in ((_BOUNDS, np.asarray(bounds, np.int64)), (_KEYS, packed)):
        if not (folder / name).exists():
            files.write_beside(folder / name, lambda opened, array=array: opened.write(array.tobytes()))  # type: ignore[misc]


def _found(folder: Path, wanted: set[bytes], form: dict[str, Any]) -> Iterator[tuple[bytes, Scores, int]]:
    """What a folder has of the wanted shards; nothing where it is of another form, or goes away meanwhile."""
    try:
        its_form = json.loads((folder / "form.json").read_bytes())
        if any(its_form[name] != form[name] for name in ("version", "dtype")):
            return
        metrics = json.loads((folder / "metrics.json").read_bytes())
        keys = np.fromfile(folder / _KEYS, np.uint8).reshape(-1, _KEY_BYTES)
        bounds = np.fromfile(folder / _BOUNDS, np.int64)
        done = np.fromfile(folder / "done", np.uint8)
        counts = np.fromfile(folder / "counts", np.int64).reshape(len(keys), -1)
        if len(bounds) != len(keys) + 1 or len(done) != len(keys):
            return
        for shard in np.flatnonzero(done == 1):
            key = keys[shard].tobytes()
            if key in wanted:
                start, stop = int(bounds[shard]), int(bounds[shard + 1])
                columns = {name: _column(folder / name, form["dtype"], start, stop) for name in metrics}
                ties, capped, nanoseconds, kept = counts[shard].tolist()
                checksum = 0
                for name in metrics:
                    checksum = checksums.of_values(columns[name], checksum)
                if _over(counts[shard], checksum) != kept:
                    continue
                # A folder that its owner makes anew meanwhile has no shard done.
                if (folder / "done").read_bytes()[shard] != 1:
                    return
                wanted.discard(key)
                yield key, Scores.of(columns, ties=ties, capped=capped), nanoseconds
    except (OSError, EOFError, ValueError, LookupError, TypeError):
        return


def _dtype_of(metric: str, dtype: str | np.dtype[Any]) -> np.dtype[Any]:
    """The type of a metric's column on disk: its own where that is no float."""
    own = np.dtype(of_column(metric).dtype)
    return np.dtype(dtype) if own.kind == "f" else own


def _column(path: Path, dtype: str, start: int, stop: int) -> NDArray[Any]:
    kind = _dtype_of(path.name, dtype)
    found = np.fromfile(path, kind, stop - start, offset=start * kind.itemsize)
    if len(found) != stop - start:
        raise ValueError(f"{path} is cut short")
    return found


def _over(counts: NDArray[np.int64], checksum: int) -> int:
    """Go on with a checksum of a shard's values over its counts."""
    return checksums.of_values(np.ascontiguousarray(counts[:-1]), checksum)
