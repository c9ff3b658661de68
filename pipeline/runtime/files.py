"""The folder for generated files, atomic writes, and digests of files and values."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import uuid
import zlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, Failed, brief

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


PACKAGE = Path(__file__).resolve().parents[1]


def checkout() -> Path | None:
    """Return the folder of the checkout that this package lies in; None where it is installed."""
    # Only the wheel has the configuration inside the package.
    return None if (PACKAGE / "conf").is_dir() else PACKAGE.parent


def version() -> str:
    """Return the program's version, such as ``0.1.0``."""
    from importlib import metadata

    try:
        return metadata.version("batchscope")
    except metadata.PackageNotFoundError:
        return "of a checkout that is not installed"


def configuration() -> Path:
    """Return the folder of the YAML files: beside the package in a checkout, inside it where it is installed."""
    return (checkout() or PACKAGE) / "conf"


def command(name: str, arguments: str = "") -> str:
    """Return how a command is started: by make in a checkout, by the program where the package is installed."""
    if checkout() is None:
        return f"batchscope {name} {arguments}".rstrip()
    return f'make {name} ARGS="{arguments}"' if arguments else f"make {name}"


def in_existing_folder(path: str, said: str) -> Path:
    """Return an absolute path that is to be written, if its folder exists.

    A folder that is missing is a misspelt one more often than a new one.

    Parameters
    ----------
    path : str
        With or without ``~``.
    said : str
        The option that names it, such as ``to=FILE``.

    Raises
    ------
    BadInput
        If the folder is missing.
    """
    found = Path(path).expanduser().absolute()
    if not found.parent.is_dir():
        raise BadInput(
            f"{said} must be in a folder that exists; found no folder {found.parent}: make it, or name another"
        )
    return found


def mlruns() -> Path:
    """Return the folder for everything generated.

    It is what ``BATCHSCOPE_MLRUNS`` names, or else ``mlruns`` of the checkout, or, where the package is installed,
    ``mlruns`` of the current folder.
    """
    named = os.environ.get("BATCHSCOPE_MLRUNS")
    # Not `resolve`, which raises where links lead in a circle; `check` says so in one line.
    return Path(os.path.realpath(named)) if named else (checkout() or Path.cwd()) / "mlruns"


def fix_mlruns() -> None:
    """Keep `mlruns` the same in this process and in the workers that it starts, whose current folder may be another."""
    if checkout() is None:
        os.environ["BATCHSCOPE_MLRUNS"] = str(mlruns())


def check() -> None:
    """Check that generated files have a folder to go to, or that one can be made.

    Raises
    ------
    BadInput
        If what ``BATCHSCOPE_MLRUNS`` names is a file, lies below one, or is no path.
    """
    folder, found = mlruns(), ""
    for path in (folder, *folder.parents):
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            found = f"{brief(path)} ({error.strerror})"
        else:
            found = "" if is_folder else f"a file at {path}"
        break
    if found:
        raise BadInput(f"BATCHSCOPE_MLRUNS must be a folder, or one that can be made; found {found}: name another")


def is_unwritable(error: BaseException) -> bool:
    """Whether the error means that the disk is full, that writing there is not permitted, or that no folder can be."""
    if not isinstance(error, OSError):
        return False
    # Below /proc the system says that there is no such file where none can be made.
    is_no_place = error.errno == errno.ENOENT and not mlruns().exists() and is_around(error.filename, mlruns())
    return error.errno in (*FULL, *CLOSED) or is_no_place


def is_around(name: object, folder: Path) -> bool:
    """Tell whether a path is that of a folder, lies in it, or is one that it lies in."""
    return isinstance(name, str | Path) and (Path(name).is_relative_to(folder) or folder.is_relative_to(name))


def is_no_path(error: BaseException) -> bool:
    """Return whether the error says that a path is too long, or that its links lead in a circle."""
    return isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP)


def unwritable(error: OSError) -> BadInput | Failed:
    """Return the exception for an unwritable place: a full disk is a failure, a read-only one a wrong request."""
    found = f"found: {error.strerror or error}"
    if error.errno in FULL:
        return Failed(
            f"{mlruns()} must have room for what is generated; {found}: make room and start again; what was finished "
            "is kept"
        )
    return BadInput(f"{mlruns()} must be writable; {found}: let BATCHSCOPE_MLRUNS name another folder")


def absolute(path: str) -> str:
    """Return the absolute path, with ``~`` expanded; an empty path stays empty."""
    return str(Path(path).expanduser().absolute()) if path else path


def cache(kind: str) -> Path:
    """Return the folder for one kind of cached file, such as ``models``; it is made by the first write."""
    return mlruns() / "cache" / kind


def write_beside(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name in the same folder, then move it into place.

    Parameters
    ----------
    path : Path
        The final name; its folder is made if needed, and a file of that name is replaced in one step.
    write : callable
        Is given the open binary file.

    Raises
    ------
    BadInput
        If a folder stands in the file's place.
    """
    # Imported here, because it asks this module for the folder.
    from .leftovers import writing

    writing()
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not with tempfile: its files cannot be read by the other users of a shared folder.
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with beside.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except IsADirectoryError as error:
        beside.unlink(missing_ok=True)
        raise BadInput(f"{path} must be a file; found a folder in its place: move it away") from error
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def place(path: Path, there: Path) -> None:
    """Put a flushed file at a second path too, atomically: by a hard link if both are on one disk, else a copy."""
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
    """Flush every file of a folder to the disk, so that what is moved into place is complete even after a power cut."""
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


def checksum(path: Path) -> int:
    """Return the CRC-32 of a file's content, which tells damage, though not a forgery."""
    found = 0
    with path.open("rb", buffering=0) as file:
        while part := file.read(1 << 20):
            found = zlib.crc32(part, found)
    return found


@lru_cache(maxsize=1)
def source_digest() -> str:
    """Return the SHA-256 (hex) of the names and contents of the package's source files, read at the first call."""
    found = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def inside(folder: Path) -> Iterator[Path]:
    """Yield everything in a folder, except the folder for generated files where that lies inside it."""
    generated = mlruns()
    within = generated.is_relative_to(folder.resolve()) and generated != folder.resolve()
    yield from (p for p in folder.rglob("*") if not (within and p.resolve().is_relative_to(generated)))


def stamp_of(path: str | None) -> str:
    """Return a digest of size and modification time of a file, or of a folder's files; empty if there is none."""
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
    """Return the SHA-256 (hex) of the JSON of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def as_bytes(array: NDArray[Any]) -> memoryview:
    """Return the bytes of a contiguous array, without a copy."""
    return array.reshape(-1).view(np.uint8).data
