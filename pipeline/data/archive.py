"""Arrays out of an npz file that may be anything: what it declares is checked before room is made for it."""

from __future__ import annotations

import io
import math
import warnings
import zipfile
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
# Deflate cannot pack tighter: 258 bytes into 2 bits  [zlib, "Technical details", "Maximum compression factor"].
TIGHTEST = 1032
# Each is opened by itself; a directory of many thousand empty ones would take minutes.
MOST_ARRAYS = 1000


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
            members = _members(archive, keys, path)
            _check_total(members, path, max_bytes)
            return {key: _array(archive, member, key, path) for key, member in members.items()}
    except BadInput:
        raise
    except MemoryError as error:
        raise BadInput(f"{path} must fit into memory; found: {brief(error)}: give fewer rows or columns") from error
    # Damaged bytes raise more than zipfile documents: OverflowError and struct.error among them.
    except Exception as error:
        raise BadInput(f"{path} must be a whole npz file; found: {brief(error) or 'its end'}: {SAVE_AGAIN}") from error


def brief(found: object, *, most: int = 120) -> str:
    r"""Return what was found as a few words that fit into a line, whatever a file has put into it.

    Examples
    --------
    >>> brief("W1\n\x1b[2Jb1")
    'W1 ?[2Jb1'
    >>> brief("1, " * 100, most=12)
    '1, 1, 1, 1 …'
    """
    # A name in a file may hold what moves a terminal's cursor.
    words = "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in str(found)[: 10 * most]).split()
    line = " ".join(words)
    return line if len(line) <= most else f"{line[: most - 2].rstrip(' ,')} …"


def _members(archive: zipfile.ZipFile, keys: Sequence[str], path: Path) -> dict[str, zipfile.ZipInfo]:
    """The entries of the arrays; refused if one is absent, encrypted, or packed as NumPy never packs."""
    held = {info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")}
    size = path.stat().st_size
    for key in keys:
        if key not in held:
            found = brief(", ".join(list(held)[:10])) or "nothing"
            wanted = brief(" and ".join(keys))
            raise BadInput(f"{path} must hold the arrays {wanted}; found {found}: save it with {brief(key, most=40)}=…")
        member = held[key]
        if member.compress_type not in METHODS or member.flag_bits & 1:
            raise BadInput(f"{brief(key)} of {path} must be stored or deflated; found another packing: {SAVE_AGAIN}")
        packed = min(member.compress_size, size)
        if member.file_size > (packed if member.compress_type == zipfile.ZIP_STORED else TIGHTEST * (packed + 1)):
            raise BadInput(
                f"{brief(key)} of {path} must be as long as it declares; found {member.file_size:,} bytes declared, "
                f"and {packed:,} in the file: {SAVE_AGAIN}"
            )
    return {key: held[key] for key in keys}


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
    name = brief(key)
    with archive.open(member) as stream:
        start = io.BytesIO(stream.read(HEADER_BYTES))
    shape, dtype = _header(start, name, path)
    if dtype.hasobject:
        raise BadInput(
            f"{name} of {path} must hold numbers; found pickled objects, which are never loaded: "
            f"save {name} as an array of numbers"
        )
    if dtype.kind not in REAL_KINDS:
        raise BadInput(f"{name} of {path} must hold real numbers; found {brief(dtype)}: save {name} as int or float")
    declared = start.tell() + math.prod(shape) * dtype.itemsize
    if declared != member.file_size or min(shape, default=0) < 0:
        raise BadInput(
            f"{name} of {path} must have {_count(declared)} bytes, as its shape {brief(shape)} of {dtype} declares; "
            f"found {member.file_size:,}: {SAVE_AGAIN}"
        )
    with archive.open(member) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _count(n_bytes: int) -> str:
    # A shape may be declared that has more digits than Python is willing to print.
    return f"{n_bytes:,}" if abs(n_bytes) < 10**18 else "more than 10^18"


def _header(start: io.BytesIO, name: str, path: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array; the position is left behind its header."""
    try:
        version = npy.read_magic(start)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(start)
    # NumPy evaluates the header as a literal: what damaged ones raise is no closed list.
    except Exception as error:
        found = f"found: {brief(error)}: {SAVE_AGAIN}"
        raise BadInput(f"{name} of {path} must be an array as NumPy saves it; {found}") from error
    return shape, dtype
