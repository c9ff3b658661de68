"""Locks between processes: files that the system unlocks when their holder dies."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import BadInput
from . import files
from .notice import note

if TYPE_CHECKING:
    from filelock import BaseFileLock

# Whoever waits longer is told for what.
_SECONDS_UNTIL_TOLD = 2.0
_LOCKS = Path("/proc/locks")
# What network file systems without locks answer. Where the system itself has none (ENOSYS), filelock locks by making a
# file.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP)


@contextmanager
def held(name: str, what: str) -> Iterator[None]:
    """Hold the lock of that name in ``mlruns/locks``; wait for it as long as another process has it.

    Parameters
    ----------
    name : str
        Letters, digits, ``-`` and ``_`` alone: it becomes a file's name.
    what : str
        What the lock is for, with its article; it is named where the wait takes longer than two seconds.

    Raises
    ------
    BadInput, Failed
        If the folder of generated things cannot be written to, or is on a file system without locks.
    """
    path = _path(name)
    try:
        lock = _lock(path)
        _acquire(lock, path, what)
    except OSError as error:
        raise files.unwritable(error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_if_free(name: str) -> Iterator[bool]:
    """Hold the lock of that name if no process has it; give whether that is so."""
    from filelock import Timeout

    path = _path(name)
    try:
        lock = _lock(path)
        with _refusing_no_locks(path):
            lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise files.unwritable(error) from error
    try:
        yield True
    finally:
        lock.release()


@contextmanager
def held_at(path: Path, what: str) -> Iterator[None]:
    """Hold the lock that is the file `path`, for what lies beside it; wait for it as long as another process has it.

    Parameters
    ----------
    path : Path
        The lock's file; its folder is made if needed.
    what : str
        See `held`.

    Raises
    ------
    OSError
        If the file cannot be made or opened.
    BadInput
        If it is on a file system without locks.
    """
    lock = _lock(path)
    _acquire(lock, path, what)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _refusing_no_locks(path: Path) -> Iterator[None]:
    """Refuse a file system that has no locks, where two processes might do the same."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise BadInput(
            f"{path.parent} must be on a file system with file locks (flock); found: {error.strerror}: let "
            "BATCHSCOPE_MLRUNS, or tracking.uri, name a folder on another, such as a local disk"
        ) from error


def _acquire(lock: BaseFileLock, path: Path, what: str) -> None:
    """Wait for a lock; say once what for, where that takes longer."""
    from filelock import Timeout

    with _refusing_no_locks(path):
        try:
            lock.acquire(timeout=_SECONDS_UNTIL_TOLD)
        except Timeout:
            note(
                f"waiting for {what}: {_holder(path)} holds its lock, {path}. This goes on when that process is done, "
                "or ends"
            )
            lock.acquire()


def _holder(path: Path) -> str:
    """Return who holds the lock, as far as the system tells: Linux lists locks by process, device and inode."""
    try:
        # Read first: where the file is, the system has device numbers. A line that waits for another has an arrow.
        lines = [line.split() for line in _LOCKS.read_text(encoding="ascii").splitlines() if "->" not in line]
        own = path.stat()
        place = f"{os.major(own.st_dev):02x}:{os.minor(own.st_dev):02x}:{own.st_ino}"
        numbers = {int(line[4]) for line in lines if line[1] == "FLOCK" and line[5] == place}
    except (OSError, ValueError, IndexError):
        numbers = set()
    # Of a process in another container the number is 0.
    known = sorted(number for number in numbers if number > 0)
    return f"process {known[0]}" if known else "another process"


def _path(name: str) -> Path:
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"a lock's name must be a file's name; found {name!r}")
    return files.mlruns() / "locks" / f"{name}.lock"


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path)
