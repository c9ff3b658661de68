"""Arrays of one length, by name: what npz files and folders of npy files have in common."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.data.archive import brief
from pipeline.data.shards.base import BLOCK_ROWS, Column, Source
from pipeline.errors import BadInput

_KINDS = "biufUM"


class Header(NamedTuple):
    """What an npy file says of itself.

    Attributes
    ----------
    shape, dtype
        Of the array.
    is_fortran : bool
        Whether its first axis runs fastest.
    start : int
        Bytes before its values.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool
    start: int

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def header_of(stream: BinaryIO, name: str) -> Header:
    """Read the start of an npy file.

    Raises
    ------
    BadInput
        If it is none.
    """
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = read(stream)
    # NumPy evaluates the header as a literal: what damaged ones raise is no closed list.
    except Exception as error:
        raise BadInput(
            f"{name} must be an array as NumPy saves it; found: {brief(error)}: save it again with numpy.save"
        ) from error
    if min(shape, default=0) < 0:
        raise BadInput(f"{name} must have a shape; found {brief(shape)}: save it again with numpy.save")
    return Header(shape, dtype, is_fortran, stream.tell())


class ArraysSource(Source):
    """Arrays of N rows each, N being the length that most of them have; the others are refused where asked for.

    Parameters
    ----------
    name, path : str
        For people, and for errors.
    headers : mapping of str to Header
        Of the arrays, by name.
    """

    def __init__(self, name: str, path: str, headers: Mapping[str, Header]) -> None:
        self.name, self._path = name, path
        self._headers = {key: header for key, header in headers.items() if header.shape}
        lengths = Counter(header.shape[0] for header in self._headers.values())
        n = max(lengths, key=lambda length: (lengths[length], length), default=0)
        self._usual = next((key for key, header in self._headers.items() if header.shape[0] == n), "")
        self.columns = {key: _column(header) for key, header in self._headers.items()}
        self.bounds = np.append(np.arange(0, n, BLOCK_ROWS), n).astype(np.int64)

    def read(self, shard: int, columns: Sequence[str]) -> Iterator[dict[str, NDArray[Any]]]:
        """Read rows of arrays."""
        start, stop = (int(bound) for bound in self.bounds[shard : shard + 2])
        for name in columns:
            self._check_length(name)
        yield {name: self._rows(name, start, stop) for name in columns}

    def where(self, row: int) -> str:
        """Say which row it is."""
        return f"row {row:,} of {self._path}"

    @abstractmethod
    def _array(self, name: str) -> NDArray[Any]:
        """Return an array, in memory or mapped."""

    def _rows(self, name: str, start: int, stop: int) -> NDArray[Any]:
        found = self._array(name)[start:stop]
        width = self.columns[name].width
        rows = found.reshape(len(found) if width is None else (len(found), width))
        return rows.astype(rows.dtype.newbyteorder("="), order="C", copy=False)

    def _check_length(self, name: str) -> None:
        rows = self._headers[name].shape[0]
        if rows != len(self):
            raise BadInput(
                f"{brief(name)} of {self._path} must have as many rows as {brief(self._usual)}; found {rows:,} instead "
                f"of {len(self):,}: save arrays that belong together"
            )


def _column(header: Header) -> Column:
    width = math.prod(header.shape[1:])
    kind = header.dtype.kind if header.dtype.kind in _KINDS else "O"
    words = "pickled objects, which are never loaded" if header.dtype.hasobject else str(header.dtype)
    # A single column is one value a row.
    shape = brief(header.shape, most=40)
    return Column(kind, None if width == 1 else width, f"{words} of shape {shape}", is_byte=header.dtype == np.uint8)
