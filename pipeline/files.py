"""Where generated things go, and how a file is written so that a half-written one is never seen."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import BadInput, Failed

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


def mlruns() -> Path:
    """Return the folder for everything generated: the project's ``mlruns``, or what ``BATCHSCOPE_MLRUNS`` names."""
    named = os.environ.get("BATCHSCOPE_MLRUNS")
    return Path(named).resolve() if named else Path(__file__).resolve().parent.parent / "mlruns"


def check() -> None:
    """Refuse a place for generated things that is none.

    Raises
    ------
    BadInput
        If it is a file.
    """
    folder = mlruns()
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"BATCHSCOPE_MLRUNS must be a folder; found a file at {folder}: name another")


def is_unwritable(error: BaseException) -> bool:
    """Whether the error says that a disk is full, or that it must not be written to."""
    return isinstance(error, OSError) and error.errno in (*_FULL, *_CLOSED)


def unwritable(error: OSError) -> BadInput | Failed:
    """Say that nothing can be written: a full disk is a failure on the way, a closed one a wrong request."""
    found = f"found: {error.strerror or error}"
    if error.errno in _FULL:
        return Failed(
            f"{mlruns()} must have room for what is generated; {found}: make room and start again; what was finished "
            "is kept"
        )
    return BadInput(f"{mlruns()} must be writable; {found}: let BATCHSCOPE_MLRUNS name another folder")


def absolute(path: str) -> str:
    """Return a path as it is from every folder, ``~`` expanded; what is empty stays empty."""
    return str(Path(path).expanduser().absolute()) if path else path


def cache(kind: str) -> Path:
    """Return the folder of one kind of cached file, such as ``models``; made when first written to."""
    return mlruns() / "cache" / kind


def write_beside(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name in the same folder, then move it into place.

    Parameters
    ----------
    path : Path
        The final name; its folder is made if needed, and a file of that name is replaced in one step.
    write : callable
        Is given the open binary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by tempfile: its files are closed to the other users of a shared folder.
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def place(path: Path, there: Path) -> None:
    """Let a flushed file be in a second place too, in one step; without a copy where both are on one disk."""
    beside = there.with_name(f".{there.name}.{uuid.uuid4().hex}")
    try:
        try:
            os.link(path, beside)
        except OSError:
            shutil.copyfile(path, beside)
        os.replace(beside, there)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def flush(folder: Path) -> None:
    """Bring every file of a folder to the disk: after a power cut, what was moved into place must be whole."""
    for path in [*folder.rglob("*"), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def content_digest(*parts: bytes | memoryview) -> str:
    """Return the SHA-256 (hex) of the parts in order."""
    found = hashlib.sha256()
    for part in parts:
        found.update(part)
    return found.hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Return the SHA-256 (hex) of the package's source files, by name and content, as they were at the first call."""
    package = Path(__file__).parent
    found = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        found.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def inside(folder: Path) -> Iterator[Path]:
    """Yield all that is in a folder, but for what is generated, where that lies in it."""
    generated = mlruns()
    within = generated.is_relative_to(folder.resolve()) and generated != folder.resolve()
    yield from (p for p in folder.rglob("*") if not (within and p.resolve().is_relative_to(generated)))


def stamp_of(path: str | None) -> str:
    """Return what tells whether a file, or a folder's files, are still the same; empty where there is none here."""
    found = Path(path) if path else None
    try:
        if found is None or not found.exists():
            return ""
        contents = sorted(p for p in inside(found) if p.is_file()) if found.is_dir() else [found]
        stats = [(str(p), p.stat()) for p in contents]
    except (OSError, ValueError):
        return ""
    return digest_of([(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])


def digest_of(*parts: object) -> str:
    """Return the SHA-256 (hex) of plain values, by their JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
