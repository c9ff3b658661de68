"""Locks between processes, by name: files in ``mlruns/locks``, let go by the system when their holder dies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline import files


@contextmanager
def held(name: str) -> Iterator[None]:
    """Hold the lock of that name; wait for it as long as another process has it.

    Parameters
    ----------
    name : str
        Letters, digits, ``-`` and ``_`` alone: it becomes a file's name.

    Raises
    ------
    BadInput, Failed
        If the folder of generated things cannot be written to.
    """
    lock = _lock(name)
    try:
        lock.acquire()
    except OSError as error:
        raise files.unwritable(error) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_if_free(name: str) -> Iterator[bool]:
    """Hold the lock if nobody has it; give whether that is so."""
    from filelock import Timeout

    lock = _lock(name)
    try:
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


def _lock(name: str):  # type: ignore[no-untyped-def]
    from filelock import FileLock

    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"a lock's name must be a file's name; found {name!r}")
    folder = files.mlruns() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.unwritable(error) from error
    return FileLock(folder / f"{name}.lock")
