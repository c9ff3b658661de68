"""A table in an npz file: each array is a column, and is unpacked into memory when it is read."""

from __future__ import annotations

import io
import threading
import zipfile
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ...errors import BadInput, brief
from ...runtime import files
from .array_table import ArraysSource, Header, header_of
from .budget import MOST_BYTES
from .locations import Location
from .npz_arrays import HEADER_BYTES, MOST_ARRAYS, REAL_KINDS, TEXT_KINDS, opened_npz, read_arrays, refuse_twice


class NpzSource(ArraysSource):
    """Arrays of numbers in an npz file.

    Parameters
    ----------
    location : Location
        The file.
    most_bytes : int
        The largest size of the unpacked arrays in memory: a part of an array cannot be unpacked alone.

    Raises
    ------
    BadInput
        If the file is damaged, not on this machine, or holds more than 1,000 arrays.
    """

    def __init__(self, location: Location, most_bytes: int = MOST_BYTES) -> None:
        if location.uri is not None:
            raise BadInput(
                f"an npz file must be named by its path on this machine; found {location}: copy it, or give Parquet"
            )
        self._file, self._location, self._most_bytes = Path(location.path), location, most_bytes
        self._unpacked: dict[str, NDArray[Any]] = {}
        self._lock = threading.Lock()
        super().__init__(location.name, location.path, _headers(self._file))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the file."""
        return files.digest_of("npz", self._location.digest)

    def _array(self, name: str) -> NDArray[Any]:
        # Several threads read shards; the lock makes them unpack each array once.
        with self._lock:
            if name not in self._unpacked:
                self._unpacked |= self._read(name)
            return self._unpacked[name]

    def _read(self, name: str) -> dict[str, NDArray[Any]]:
        total = self._headers[name].size + sum(array.nbytes for array in self._unpacked.values())
        if total > self._most_bytes:
            raise BadInput(
                f"the arrays of {self._file} must take at most data.max_bytes={self._most_bytes:,}; found "
                f"{brief(total)}: raise it, or save each array as an npy file in a folder, which is streamed"
            )
        return read_arrays(self._file, (name,), max_bytes=self._most_bytes, kinds=REAL_KINDS + TEXT_KINDS)


def _headers(path: Path) -> dict[str, Header]:
    with opened_npz(path) as archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
        if len(members) > MOST_ARRAYS:
            raise BadInput(f"{path} must hold at most {MOST_ARRAYS:,} arrays; found {len(members):,}: leave some out")
        refuse_twice([member.filename for member in members], path)
        return {m.filename.removesuffix(".npy"): _header(archive, m, path) for m in members}


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Header:
    with archive.open(member) as stream:
        return header_of(io.BytesIO(stream.read(HEADER_BYTES)), f"{brief(member.filename)} of {path}")
