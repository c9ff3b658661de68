"""Read text files, plain or gzip, in pieces of whole lines with their line numbers."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ...errors import BadInput, brief
from .base import MAX_DEFLATE_RATIO
from .budget import MOST_BYTES, refuse_expansion
from .locations import Location, OutOfReach

# Bytes read at once, and the largest size of one line.
_PIECE = 1 << 22
MOST_OF_A_LINE = 1 << 24
# The length of the unpacked size at the end of a file in .gz  [RFC 1952, section 2.3.1, ISIZE].
_SIZE_BYTES = 4
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Piece(NamedTuple):
    """Whole lines of a file.

    Attributes
    ----------
    data : bytes
        UTF-8; each line ends in a line feed.
    first : int
        The number of the first line, from 1.
    """

    data: bytes
    first: int

    @property
    def n_lines(self) -> int:
        """The number of lines."""
        return self.data.count(b"\n")

    @property
    def where(self) -> str:
        """The range of lines in words, for messages."""
        return f"lines {self.first:,} to {self.first + self.n_lines - 1:,}"

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the number and the text of each line, without its line ending."""
        for number, line in enumerate(self.data.decode().removesuffix("\n").split("\n"), self.first):
            yield number, line.removesuffix("\r")


def pieces_of(location: Location, most_bytes: int = MOST_BYTES) -> Iterator[Piece]:
    """Yield the lines of a text file in pieces, without empty lines at the end.

    Parameters
    ----------
    location : Location
        The file.
    most_bytes : int
        What a file in .gz may unpack to, unless it is not a hundred times as much as the file.

    Raises
    ------
    BadInput
        If the file cannot be read, is damaged, is not UTF-8, unpacks to too much, or has a line of more than 16 MiB.
    """
    first, rest, is_start = 1, b"", True
    with _opened(location, most_bytes) as stream:
        while True:
            found = _read(stream, location, first)
            if is_start and found:
                found, is_start = found.removeprefix(_BYTE_ORDER_MARK), False
                if not found:
                    continue
            data, is_end = rest + found, not found
            body = data.rstrip(b"\r\n") if is_end else data[: data.rfind(b"\n") + 1].rstrip(b"\r\n")
            if body:
                whole = body + b"\n"
                # Empty lines after the last line are kept for the next piece: the file may go on after them.
                end = data.find(b"\n", len(body)) + 1
                yield _checked(Piece(whole, first), location)
                first += whole.count(b"\n")
                rest = data[end:] if end else b""
            else:
                rest = data
            if is_end:
                return
            if len(rest) > MOST_OF_A_LINE:
                raise BadInput(
                    f"line {first:,} of {location} must take at most {MOST_OF_A_LINE:,} bytes; found more: check "
                    "that it is text, a row a line"
                )


def _checked(piece: Piece, location: Location) -> Piece:
    if b"\0" in piece.data:
        line = piece.first + piece.data[: piece.data.index(b"\0")].count(b"\n")
        raise BadInput(f"{location} must be text; found a byte of 0 in line {line:,}: save it as UTF-8 text")
    if not piece.data.isascii():
        try:
            piece.data.decode()
        except UnicodeDecodeError as error:
            line = piece.first + piece.data[: error.start].count(b"\n")
            raise BadInput(
                f"{location} must be UTF-8 text; found other bytes in line {line:,}: save it as UTF-8"
            ) from error
    return piece


@contextmanager
def _opened(location: Location, most_bytes: int) -> Iterator[Any]:
    # Only `opened` is inside, so that errors in writing the cache are not reported as errors of this file.
    try:
        handle = location.opened()
    except OutOfReach:
        raise
    except OSError as error:
        raise BadInput(f"{location} must be a file that can be read; found: {brief(error)}: check the path") from error
    with handle:
        yield _Unpacked(handle, location, most_bytes) if location.name.lower().endswith(".gz") else handle


class _Unpacked:
    """A file in .gz, which is refused once it has unpacked to far more than it is."""

    def __init__(self, handle: Any, location: Location, most_bytes: int) -> None:
        self._packed, self._location, self._most_bytes = handle.size(), location, most_bytes
        # A file ends in its unpacked size (modulo 4 GiB); the bytes are counted all the same, for it may have parts.
        if location.uri is None and self._packed > _SIZE_BYTES:
            handle.seek(self._packed - _SIZE_BYTES)
            declared = int.from_bytes(handle.read(_SIZE_BYTES), "little")
            handle.seek(0)
            # More than that no file can hold: it was cut off, which is said when its end is reached.
            self._check(declared if declared <= MAX_DEFLATE_RATIO * self._packed else 0)
        self._stream = gzip.GzipFile(fileobj=handle, mode="rb")
        self._unpacked = 0

    def read(self, size: int) -> bytes:
        found = self._stream.read(size)
        self._unpacked += len(found)
        self._check(self._unpacked)
        return found

    def _check(self, unpacked: int) -> None:
        refuse_expansion(unpacked, self._packed, self._most_bytes, str(self._location))


def _read(stream: Any, location: Location, line: int) -> bytes:
    try:
        return bytes(stream.read(_PIECE))
    except OutOfReach:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(
            f"{location} must be a whole file; found after line {line:,}: {brief(error)}: get it again"
        ) from error
