"""Read arrays from an npz file that is not trusted. Declared sizes are checked before memory is allocated."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.lib import format as npy
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .array_table import header_of
from .base import MAX_DEFLATE_RATIO

# Larger than the longest header that NumPy parses (10,000 characters).
HEADER_BYTES = 1 << 14
REAL_KINDS = "biuf"
TEXT_KINDS = "US"
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
SAVE_AGAIN = "save it again with numpy.savez"
# Each array is opened separately, so that many thousand empty ones would take minutes.
MOST_ARRAYS = 1000


def read_arrays(path: Path, keys: Sequence[str], *, max_bytes: int, kinds: str = REAL_KINDS) -> dict[str, NDArray[Any]]:
    """Read arrays of real numbers. Pickled objects are refused, never loaded.

    Parameters
    ----------
    path : Path
        A file as ``numpy.savez`` or ``numpy.savez_compressed`` writes it.
    keys : sequence of str
        The names of the arrays.
    max_bytes : int
        The largest total size of the arrays in memory.
    kinds : str
        The kinds of NumPy types that are read: with `TEXT_KINDS` text as well.

    Returns
    -------
    dict of str to ndarray
        Arrays of bool, int or float, or of another of the kinds, in their stored type.

    Raises
    ------
    BadInput
        If the file is missing or damaged, lacks an array, holds one of another type, declares more than `max_bytes`, or
        declares sizes that are wrong.
    """
    if not path.is_file():
        raise BadInput(f"the npz must be a file that holds {' and '.join(keys)}; found no file {path}: check the path")
    with opened_npz(path) as archive:
        members = _members(archive, keys, path)
        _check_total(members, path, max_bytes)
        return {key: _array(archive, member, key, path, kinds) for key, member in members.items()}


@contextmanager
def opened_npz(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an npz file, and turn the exceptions of a damaged one into BadInput.

    Raises
    ------
    BadInput
        If the file is damaged, or does not fit into memory.
    """
    try:
        # Ignored: NumPy warns about files that Python 2 wrote, but reads them correctly.
        with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(path) as archive:
            yield archive
    except BadInput:
        raise
    except MemoryError as error:
        raise BadInput(f"{path} must fit into memory; found: {brief(error)}: give fewer rows or columns") from error
    # Damaged bytes can raise more than zipfile documents, such as OverflowError and struct.error.
    except Exception as error:
        raise BadInput(f"{path} must be a whole npz file; found: {brief(error) or 'its end'}: {SAVE_AGAIN}") from error


def _members(archive: zipfile.ZipFile, keys: Sequence[str], path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the entries of the arrays; raise if one is missing, encrypted, or compressed as NumPy never does."""
    held = {info.filename.removesuffix(".npy"): info for info in archive.infolist() if info.filename.endswith(".npy")}
    size = path.stat().st_size
    refuse_twice([info.filename for info in archive.infolist() if info.filename.removesuffix(".npy") in keys], path)
    for key in keys:
        if key not in held:
            found = brief(", ".join(list(held)[:10])) or "nothing"
            wanted = brief(" and ".join(keys))
            raise BadInput(f"{path} must hold the arrays {wanted}; found {found}: save it with {brief(key, most=40)}=…")
        member = held[key]
        if member.compress_type not in METHODS or member.flag_bits & 1:
            raise BadInput(f"{brief(key)} of {path} must be stored or deflated; found another packing: {SAVE_AGAIN}")
        packed = min(member.compress_size, size)
        if member.file_size > (
            packed if member.compress_type == zipfile.ZIP_STORED else MAX_DEFLATE_RATIO * (packed + 1)
        ):
            raise BadInput(
                f"{brief(key)} of {path} must be as long as it declares; found {member.file_size:,} bytes declared, "
                f"and {packed:,} in the file: {SAVE_AGAIN}"
            )
    return {key: held[key] for key in keys}


def refuse_twice(names: Sequence[str], path: Path) -> None:
    """Refuse an archive in which a name stands twice: which of the two is read would be chance.

    Raises
    ------
    BadInput
        With the first such name.
    """
    for name, count in Counter(names).items():
        if count > 1:
            raise BadInput(f"{path} must name each array once; found {brief(name)!r} {count} times: {SAVE_AGAIN}")


def _check_total(members: dict[str, zipfile.ZipInfo], path: Path, max_bytes: int) -> None:
    """Raise if more than `max_bytes` are declared; zipfile never unpacks more than the declared size of an entry."""
    total = sum(member.file_size for member in members.values())
    if total > max_bytes + len(members) * HEADER_BYTES:
        raise BadInput(
            f"{path} must unpack to at most data.max_bytes={max_bytes:,}; found {total:,} bytes declared: "
            "raise data.max_bytes if that is what it should hold"
        )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, key: str, path: Path, kinds: str) -> NDArray[Any]:
    """Read an array after its header was checked against the size of its entry."""
    name = brief(key)
    with archive.open(member) as stream:
        header = header_of(io.BytesIO(stream.read(HEADER_BYTES)), f"{name} of {path}", remedy=SAVE_AGAIN)
    dtype = header.dtype
    if dtype.hasobject:
        as_text = "" if "U" not in kinds else ", or of text with astype(str)"
        raise BadInput(
            f"{name} of {path} must hold numbers; found pickled objects, which are never loaded: "
            f"save {name} as an array of numbers{as_text}"
        )
    if dtype.kind not in kinds:
        raise BadInput(f"{name} of {path} must hold real numbers; found {brief(dtype)}: save {name} as int or float")
    declared = header.start + header.size
    if declared != member.file_size:
        raise BadInput(
            f"{name} of {path} must have {_bytes_in_words(declared)} bytes, as its shape {brief(header.shape)} of "
            f"{dtype} declares; found {member.file_size:,}: {SAVE_AGAIN}"
        )
    with archive.open(member) as stream:
        return npy.read_array(stream, allow_pickle=False)


def _bytes_in_words(n_bytes: int) -> str:
    # A declared shape may have more digits than Python prints.
    return f"{n_bytes:,}" if abs(n_bytes) < 10**18 else "more than 10^18"
