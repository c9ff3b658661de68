"""Read the IDX format of MNIST and Fashion-MNIST. The header is checked before memory is allocated for the values.

A file has two zero bytes, a type (0x08: unsigned bytes), the number of axes, one big-endian 32-bit length an axis, and
the values, last axis fastest  [LeCun, Cortes & Burges, The MNIST database, "File formats"].
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...runtime import files
from ...runtime.files import as_bytes
from .base import MAX_DEFLATE_RATIO

MOST_BYTES = 1 << 30
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20
GET_ANOTHER = "get the file again"


def header(shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file of unsigned bytes of this shape.

    Examples
    --------
    >>> header((60000,)).hex(" ", 4)
    '00000801 0000ea60'
    """
    return struct.pack(f">I{len(shape)}I", 0x0800 | len(shape), *shape)


def content_sha256(array: NDArray[np.uint8]) -> str:
    """Return the SHA-256 (hex) of the decompressed file that a contiguous array was read from."""
    return files.content_digest(header(array.shape), as_bytes(array))


def read_idx(path: Path, *, n_axes: int, most_bytes: int = MOST_BYTES) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes, compressed with gzip or plain. The content decides which, not the name.

    Parameters
    ----------
    path : Path
        The file.
    n_axes : int
        The number of axes that it must have: 3 for images, 1 for labels.
    most_bytes : int
        The largest number of values allowed.

    Returns
    -------
    ndarray of uint8, with `n_axes` axes
        At least one value; at most `most_bytes`.

    Raises
    ------
    BadInput
        If the file cannot be read, is not such an IDX file, or is longer or shorter than its header declares.
    """
    try:
        with open(path, "rb") as raw:
            size = os.fstat(raw.fileno()).st_size
            if raw.peek(2)[:2] != GZIP_MAGIC:
                shape = _shape(raw.read(4 + 4 * n_axes), path, n_axes, most_bytes)
                return _read(raw, path, shape, least=size, most=size)
            with gzip.GzipFile(fileobj=raw) as stream:
                shape = _shape(stream.read(4 + 4 * n_axes), path, n_axes, most_bytes)
                return _read(stream, path, shape, least=0, most=MAX_DEFLATE_RATIO * size)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} must be a readable file, whole if gzip; found: {error}: {GET_ANOTHER}") from error


def _read(
    stream: BinaryIO | gzip.GzipFile, path: Path, shape: tuple[int, ...], *, least: int, most: int
) -> NDArray[np.uint8]:
    """Read the values after the header. The size of the decompressed file is between `least` and `most` bytes."""
    whole = len(header(shape)) + math.prod(shape)
    if not least <= whole <= most:
        _refuse_length(path, shape, whole, f"{least:,}" if least == most else f"at most {most:,}")
    values = np.empty(shape, dtype=np.uint8)
    left = as_bytes(values)
    while left:
        chunk = stream.read(min(CHUNK, len(left)))
        if not chunk:
            _refuse_length(path, shape, whole, f"{whole - len(left):,}")
        left[: len(chunk)] = chunk
        left = left[len(chunk) :]
    # This read also makes gzip verify its checksum.
    if stream.read(1):
        _refuse_length(path, shape, whole, "more")
    return values


def _shape(start: bytes, path: Path, n_axes: int, most_bytes: int) -> tuple[int, ...]:
    """Return the shape that the header declares, no axis of it 0."""
    magic = header((0,) * n_axes)[:4]
    if start[:4] != magic:
        raise BadInput(
            f"{path} must be an IDX file of {n_axes} axes, which starts with {magic.hex(' ')} (or gzip of one); "
            f"found {start[:4].hex(' ') or 'nothing'}: give the file that belongs to this name"
        )
    if len(start) < 4 + 4 * n_axes:
        raise BadInput(f"{path} must declare {n_axes} lengths; found its end after {len(start)} bytes: {GET_ANOTHER}")
    shape = struct.unpack(f">{n_axes}I", start[4:])
    if 0 in shape:
        raise BadInput(f"{path} must hold at least one value; found the shape {shape}: give a file with rows")
    if math.prod(shape) > most_bytes:
        raise BadInput(
            f"{path} must hold at most {most_bytes:,} bytes; found the shape {shape}, which is {math.prod(shape):,}: "
            "split the file, or pass it as data=npz"
        )
    return shape


def _refuse_length(path: Path, shape: tuple[int, ...], whole: int, found: str) -> None:
    """Raise the error for a file whose length does not fit its shape."""
    raise BadInput(
        f"{path} must be {whole:,} bytes long (decompressed), by the shape {shape} that it declares; "
        f"found {found}: {GET_ANOTHER}"
    )
