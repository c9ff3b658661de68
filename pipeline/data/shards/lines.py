"""Text files, packed or not, in pieces of whole lines whose numbers are known."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pipeline.data.archive import brief
from pipeline.data.shards.places import OutOfReach, Place
from pipeline.errors import BadInput

# Bytes that are read at once, and what one line may take.
_PIECE = 1 << 22
MOST_OF_A_LINE = 1 << 26
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
        """How many lines there are."""
        return self.data.count(b"\n")

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line, without its end, with its number."""
        for number, line in enumerate(self.data.decode().removesuffix("\n").split("\n"), self.first):
            yield number, line.removesuffix("\r")


def pieces_of(place: Place) -> Iterator[Piece]:
    """Read a text file; empty lines at its end are left out.

    Raises
    ------
    BadInput
        If it cannot be read, is damaged or no UTF-8, or a line takes more than 64 MiB.
    """
    first, rest, is_start = 1, b"", True
    with _opened(place) as stream:
        while True:
            found = _read(stream, place, first)
            if is_start and found:
                found, is_start = found.removeprefix(_BYTE_ORDER_MARK), False
                if not found:
                    continue
            data, is_end = rest + found, not found
            body = data.rstrip(b"\r\n") if is_end else data[: data.rfind(b"\n") + 1].rstrip(b"\r\n")
            if body:
                whole = body + b"\n"
                # What ends the last line; empty lines behind it may turn out not to be the file's last.
                end = data.find(b"\n", len(body)) + 1
                yield _checked(Piece(whole, first), place)
                first += whole.count(b"\n")
                rest = data[end:] if end else b""
            else:
                rest = data
            if is_end:
                return
            if len(rest) > MOST_OF_A_LINE:
                raise BadInput(
                    f"line {first:,} of {place} must take at most {MOST_OF_A_LINE:,} bytes; found more: check that it "
                    "is text, a row a line"
                )


def _checked(piece: Piece, place: Place) -> Piece:
    if b"\0" in piece.data:
        line = piece.first + piece.data[: piece.data.index(b"\0")].count(b"\n")
        raise BadInput(f"{place} must be text; found a byte of 0 in line {line:,}: save it as UTF-8 text")
    if not piece.data.isascii():
        try:
            piece.data.decode()
        except UnicodeDecodeError as error:
            line = piece.first + piece.data[: error.start].count(b"\n")
            raise BadInput(f"{place} must be UTF-8 text; found other bytes in line {line:,}: save it so") from error
    return piece


@contextmanager
def _opened(place: Place) -> Iterator[Any]:
    # Here alone, so that a folder of our own that cannot be written to is not taken for it.
    try:
        handle = place.opened()
    except OutOfReach:
        raise
    except OSError as error:
        raise BadInput(f"{place} must be a file that can be read; found: {brief(error)}: check the path") from error
    with handle:
        yield gzip.GzipFile(fileobj=handle, mode="rb") if place.name.endswith(".gz") else handle


def _read(stream: Any, place: Place, line: int) -> bytes:
    try:
        return bytes(stream.read(_PIECE))
    except OutOfReach:
        raise
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(
            f"{place} must be a whole file; found behind line {line:,}: {brief(error)}: get it again"
        ) from error
