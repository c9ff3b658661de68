"""Checksums of stored scores: CRC-32, by which a changed bit is found as fast as memory is read."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..records.rows import IntArray
from ..runtime import cores, files

# They stay in a core's own cache between being read and being summed.
_BYTES_AT_ONCE = 1 << 18


def of_values(values: NDArray[Any], before: int = 0) -> int:
    """Return the CRC-32 of a contiguous array's bytes, gone on with from `before`."""
    return zlib.crc32(files.as_bytes(values), before)


def of_shards(folder: Path, columns: Mapping[str, int], bounds: IntArray, shards: IntArray) -> list[int]:
    """Return the checksum of each shard's values on disk.

    Parameters
    ----------
    folder : Path
        Holds a file for each column.
    columns : mapping of str to int
        The bytes of a row, by the column's name, in the order in which the checksum goes over them.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N.
    shards : ndarray of int
        The shards that are asked for.

    Returns
    -------
    list of int
        In the order of `shards`; -1 where a file ends too early.
    """
    parts = np.array_split(shards, max(1, min(cores.count(), len(shards))))
    found = cores.on_all_cores(lambda part: _of_part(folder, columns, bounds, part), parts)
    return [checksum for part in found for checksum in part]


def _of_part(folder: Path, columns: Mapping[str, int], bounds: IntArray, shards: IntArray) -> list[int]:
    buffer = memoryview(bytearray(_BYTES_AT_ONCE))
    found = []
    with ExitStack() as stack:
        # Not through a memory map, whose pages would count as this process's memory.
        opened = [(stack.enter_context(FileIO(folder / name)), size) for name, size in columns.items()]
        for shard in shards.tolist():
            checksum = 0
            for file, size in opened:
                checksum = _of_bytes(file, int(bounds[shard]) * size, int(bounds[shard + 1]) * size, checksum, buffer)
            found.append(checksum)
    return found


def _of_bytes(file: FileIO, start: int, stop: int, checksum: int, buffer: memoryview) -> int:
    file.seek(start)
    while start < stop and checksum >= 0:
        size = file.readinto(buffer[: min(len(buffer), stop - start)])
        checksum = zlib.crc32(buffer[:size], checksum) if size else -1
        start += size
    return checksum
