"""An npz file: an array is a column; unpacked into memory when it is asked for."""

from __future__ import annotations

import io
import threading
import warnings
import zipfile
from functools import cached_property
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline import files
from pipeline.data.archive import HEADER_BYTES, MOST_ARRAYS, SAVE_AGAIN, brief, read_arrays
from pipeline.data.shards.arrays import ArraysSource, Header, header_of
from pipeline.data.shards.places import Place
from pipeline.errors import BadInput

# What a table's arrays may take in memory, for they cannot be read in part.
MOST_BYTES = 1 << 32


class NpzSource(ArraysSource):
    """Arrays of numbers in an npz file.

    Parameters
    ----------
    place : Place
        The file.

    Raises
    ------
    BadInput
        If the file is damaged, not on this machine, or holds more than 1,000 arrays.
    """

    def __init__(self, place: Place) -> None:
        if place.uri is not None:
            raise BadInput(
                f"an npz file must be named by its path on this machine; found {place}: copy it, or give Parquet"
            )
        self._file, self._place = Path(place.path), place
        self._unpacked: dict[str, NDArray[Any]] = {}
        self._lock = threading.Lock()
        super().__init__(place.name, place.path, _headers(self._file))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the file."""
        return files.digest_of("npz", self._place.digest)

    def _array(self, name: str) -> NDArray[Any]:
        # Shards are read by several threads, an array once.
        with self._lock:
            if name not in self._unpacked:
                self._unpacked |= self._read(name)
            return self._unpacked[name]

    def _read(self, name: str) -> dict[str, NDArray[Any]]:
        total = self._headers[name].size + sum(array.nbytes for array in self._unpacked.values())
        if total > MOST_BYTES:
            raise BadInput(
                f"the arrays of {self._file} must take at most {MOST_BYTES:,} bytes; found {brief(total)}: save each "
                "as an npy file in a folder, which is streamed"
            )
        return read_arrays(self._file, (name,), max_bytes=MOST_BYTES)


def _headers(path: Path) -> dict[str, Header]:
    try:
        # NumPy warns of a file that Python 2 wrote, and reads it well.
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            if len(members) > MOST_ARRAYS:
                raise BadInput(
                    f"{path} must hold at most {MOST_ARRAYS:,} arrays; found {len(members):,}: leave some out"
                )
            return {m.filename.removesuffix(".npy"): _header(archive, m, path) for m in members}
    except BadInput:
        raise
    # Damaged bytes raise more than zipfile documents: OverflowError and struct.error among them.
    except Exception as error:
        raise BadInput(f"{path} must be a whole npz file; found: {brief(error) or 'its end'}: {SAVE_AGAIN}") from error


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> Header:
    with archive.open(member) as stream:
        return header_of(io.BytesIO(stream.read(HEADER_BYTES)), f"{brief(member.filename)} of {path}")
