"""Arrays out of an npz file that may be anything: what it declares is checked before room is made for it."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.errors import BadInput

# More than the header that NumPy itself is willing to parse (10,000 characters).
HEADER_BYTES = 1 << 14
REAL_KINDS = "biuf"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
SAVE_AGAIN = "save it again with numpy.savez"


def read_arrays(path: Path, keys: Sequence[str], *, max_bytes: int) -> dict[str, NDArray[Any]]:
    """Read arrays of real numbers; nothing is ever unpickled.

    Parameters
    ----------
    path : Path
        A file as ``numpy.savez`` or ``numpy.savez_compressed`` writes it.
    keys : sequence of str
        The arrays' names.
    max_bytes : int
        What the arrays together may take in memory, as stored.

    Returns
    -------
    dict of str to ndarray
        Of bool, int or float, as stored.

    Raises
    ------
    BadInput
        If the file is missing or damaged, lacks an array, holds one of another type, declares more than `max_bytes`,
        or other sizes than it has.
    """
    if not path.is_file():
        raise BadInput(f"the npz must be a file that holds {' and '.join(keys)}; found no file {path}: check the path")
    try:
        # NumPy warns of a file that Python 2 wrote, and reads it well.
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path) as archive:
            members = {key: _member(archive, key, path, keys) for key in keys}
            _check_total(members, path, max_bytes)
            return {key: _array(archive, member, key, path) for key, member in members.items()}
    except BadInput:
        raise
    # What zipfile and zlib raise on damaged bytes.
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise BadInput(f"{path} must be a whole npz file; found: {error or 'its end'}: {SAVE_AGAIN}") from error


def _member(archive: zipfile.ZipFile, key: str, path: Path, keys: Sequence[str]) -> zipfile.ZipInfo:
    """The entry of one array, refused if it is absent, encrypted, or packed as NumPy never packs."""
    names = archive.namelist()
    if f"{key}.npy" not in names:
        held = ", ".join(" ".join(name.removesuffix(".npy").split()) for name in names[:10]) or "nothing"
        raise BadInput(f"{path} must hold the arrays {' and '.join(keys)}; found {held}: save it with {key}=…")
    member = archive.getinfo(f"{key}.npy")
    if member.compress_type not in METHODS or member.flag_bits & 1:
        raise BadInput(f"{key} of {path} must be stored or deflated; found another packing: {SAVE_AGAIN}")
    return member


def _check_total(members: dict[str, zipfile.ZipInfo], path: Path, max_bytes: int) -> None:
    """Refuse more than `max_bytes`; zipfile unpacks no more of an entry than the size it declares."""
    total = sum(member.file_size for member in members.values())
    if total > max_bytes + len(members) * HEADER_BYTES:
        raise BadInput(
            f"{path} must unpack to at most data.max_bytes={max_bytes:,}; found {total:,} bytes declared: "
            "raise data.max_bytes if that is what it should hold"
        )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, key: str, path: Path) -> NDArray[Any]:
    """Check one array's own header against the entry's size, then read it."""
    with archive.open(member) as stream:
        start = io.BytesIO(stream.read(HEADER_BYTES))
    shape, dtype = _header(start, key, path)
    if dtype.hasobject:
        raise BadInput(
            f"{key} of {path} must hold numbers; found pickled objects, which are never loaded: "
            f"save {key} as an array of numbers"
        )
    if dtype.kind not in REAL_KINDS:
        raise BadInput(f"{key} of {path} must hold real numbers; found {dtype}: save {key} as int or float")
    declared = start.tell() + math.prod(shape) * dtype.itemsize
    if declared != member.file_size or min(shape, default=0) < 0:
        raise BadInput(
            f"{key} of {path} must have {declared:,} bytes, as its shape {shape} of {dtype} declares; "
            f"found {member.file_size:,}: {SAVE_AGAIN}"
        )
    with archive.open(member) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _header(start: io.BytesIO, key: str, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array; the position is left behind its header."""
    try:
        version = npy.read_magic(start)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(start)
    # NumPy evaluates the header as a literal: what damaged ones raise is no closed list.
    except Exception as error:
        found = " ".join(str(error).split())[:200]
        raise BadInput(f"{key} of {path} must be an array as NumPy saves it; found: {found}: {SAVE_AGAIN}") from error
    return shape, dtype
