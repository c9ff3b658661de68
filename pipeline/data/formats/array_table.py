"""The base class of npz files and of folders of npy files: tables whose columns are arrays of one length."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .base import BLOCK_ROWS, Column, Source
from .budget import NUMBER_BYTES, refuse_wide_rows, rows_of_a_block

_KINDS = "biufUM"
_AS_TEXT = "save texts with astype(str)"
# Bytes are read as text in UTF-8.
_BYTES = "S"
# Arrays of no bytes may declare any length; the places of their blocks would fill the memory.
_LONGEST = 1 << 36


class Header(NamedTuple):
    """The header of an npy file.

    Attributes
    ----------
    shape, dtype
        The shape and the type of the array.
    is_fortran : bool
        Whether the array is stored in Fortran order, first axis fastest.
    start : int
        The offset of the values in the file, in bytes.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    is_fortran: bool
    start: int

    @property
    def size(self) -> int:
        """The size of the values in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def header_of(stream: BinaryIO, name: str, *, remedy: str = "save it again with numpy.save") -> Header:
    """Read the header of an npy file; `name` and `remedy` are used in error messages.

    Raises
    ------
    BadInput
        If it is not a valid header.
    """
    try:
        version = npy.read_magic(stream)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = read(stream)
    # NumPy evaluates the header as a Python literal; a damaged one can raise exceptions of any type.
    except Exception as error:
        raise BadInput(f"{name} must be an array as NumPy saves it; found: {brief(error)}: {remedy}") from error
    if not all(0 <= length <= _LONGEST for length in shape):
        raise BadInput(f"{name} must have a shape; found {brief(shape)}: {remedy}")
    return Header(shape, dtype, is_fortran, stream.tell())


def decoded(texts: NDArray[np.bytes_], name: str) -> NDArray[np.str_]:
    """Return bytes as text.

    Raises
    ------
    BadInput
        If they are not UTF-8.
    """
    try:
        return np.char.decode(texts, "utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name} must be text in UTF-8; found {brief(error.object)}: save it with astype(str)"
        ) from error


class ArraysSource(Source):
    """A table of arrays. N is the length of most arrays; reading an array of another length raises an error.

    Parameters
    ----------
    name, path : str
        The name for display, and the path for messages.
    headers : mapping of str to Header
        The headers of the arrays, by name.
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
        """Yield the rows of a shard, in blocks."""
        start, stop = (int(bound) for bound in self.bounds[shard : shard + 2])
        for name in columns:
            self._check_length(name)
        row_bytes = NUMBER_BYTES * sum(self.columns[name].width or 1 for name in columns)
        refuse_wide_rows(row_bytes, self._path)
        step = rows_of_a_block(row_bytes, most=BLOCK_ROWS)
        for first in range(start, stop, step):
            yield {name: self._rows(name, first, min(stop, first + step)) for name in columns}

    def where(self, row: int) -> str:
        """Name a row, for messages."""
        return f"row {row:,} of {self._path}"

    @abstractmethod
    def _array(self, name: str) -> NDArray[Any]:
        """Return an array, in memory or memory-mapped."""

    def _rows(self, name: str, start: int, stop: int) -> NDArray[Any]:
        found = self._array(name)[start:stop]
        width = self.columns[name].width
        rows = found.reshape(len(found) if width is None else (len(found), width))
        if rows.dtype.kind == _BYTES:
            return decoded(rows, f"{brief(name)} of {self._path}")
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
    kind = "U" if header.dtype.kind == _BYTES else header.dtype.kind if header.dtype.kind in _KINDS else "O"
    words = f"pickled objects, which are never loaded ({_AS_TEXT})" if header.dtype.hasobject else str(header.dtype)
    # An array of one column has one value a row.
    shape = brief(header.shape, most=40)
    return Column(kind, None if width == 1 else width, f"{words} of shape {shape}", is_byte=header.dtype == np.uint8)
