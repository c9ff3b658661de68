"""Unfinished files of processes that were killed, removed at a later start when no process can be at them any more.

Whoever writes below ``mlruns/`` holds a shared lock on one file for as long as its process lives; the system releases
it when the process dies. Who gets that lock alone knows that nobody writes. A writer also leaves a mark, which it takes
away at its own end: only where one is left were writers killed, and the folders of all runs, scores and sweeps are
searched.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from . import files

try:
    import fcntl
except ImportError:  # Windows has none.
    fcntl = None  # type: ignore[assignment]

# A temporary name begins with a dot, or is that of scores for one use, and ends with 32 hexadecimal digits.
_HIDDEN = re.compile(r"(\..+[.-]|fresh-)[0-9a-f]{32}")
# Of `tempfile`, in which the files of a sweep's run are gathered.
_TEMPORARY = re.compile(r"tmp[a-z0-9_]{8}")
# The open lock of this process, by the folder of generated files.
_held: dict[Path, int] = {}
_ONE = threading.Lock()


def writing() -> None:
    """Tell other processes, until this one ends, that it writes; to be called before a temporary file is made."""
    folder = files.mlruns()
    if fcntl is None:
        return
    # Where nothing can be written, nothing is left either.
    with _ONE, suppress(OSError):
        if folder not in _held:
            handle = _opened(folder)
            # It waits while another process removes what is left over; so do other threads of this one.
            fcntl.flock(handle, fcntl.LOCK_SH)
            _held[folder] = handle
            _mark(folder)


def _mark(folder: Path) -> None:
    """Leave a mark that this process takes away when it ends by itself."""
    path, own = _marks(folder) / uuid.uuid4().hex, os.getpid()
    path.parent.mkdir(exist_ok=True)
    path.touch()

    def take_away() -> None:
        # A forked child that ends is not the writer's end.
        if os.getpid() == own:
            with suppress(OSError):
                path.unlink()

    atexit.register(take_away)


def _marks(folder: Path) -> Path:
    return folder / "locks" / "writers"


def clear() -> int:
    """Remove what killed writers have left, if it is certain that nobody writes; return how many bytes that were.

    Nothing is done where another process writes, where the file system has no locks, or while this process writes.
    """
    folder = files.mlruns()
    if folder in _held or fcntl is None:
        return 0
    if not _files(_marks(folder)) and not any(True for _ in _left(folder)):
        return 0
    try:
        handle = _opened(folder)
    except OSError:
        return 0
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        marks = _files(_marks(folder))
        left = [*_left(folder), *(_left_deeper(folder) if marks else ())]
        # One may lie in another that was removed before it.
        return sum(_removed(path) for path in [*left, *marks] if os.path.lexists(path))
    except OSError:
        return 0
    finally:
        os.close(handle)


def _opened(folder: Path) -> int:
    path = folder / "locks" / "writing.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)


def _left(folder: Path) -> Iterator[Path]:
    """Yield what has the name of something unfinished."""
    for place in [folder, folder / "undelivered", *_inside(folder / "cache")]:
        yield from _inside(place, _HIDDEN)
    yield from _inside(folder / "artifacts", _TEMPORARY)


def _left_deeper(folder: Path) -> Iterator[Path]:
    """Yield what has the name of something unfinished in the folders of each run, cached score, table and sweep."""
    for run in _inside(folder / "artifacts"):
        yield from _inside(run, _TEMPORARY)
        yield from _inside(run / "artifacts", _HIDDEN)
    sweeps = folder / "hydra" / "sweeps"
    for kind in (*_inside(folder / "cache"), *_inside(folder / "data"), sweeps):
        for place in _inside(kind):
            yield from _inside(place, _HIDDEN)
    for sweep in _inside(sweeps):
        yield from _inside(sweep / "outcomes", _HIDDEN)


def _files(folder: Path) -> list[Path]:
    return _inside(folder, re.compile("[0-9a-f]{32}"))


def _inside(folder: Path, named: re.Pattern[str] | None = None) -> list[Path]:
    """Return what is in a folder; a link is left alone, for it may lead anywhere."""
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if not entry.is_symlink() and (named.fullmatch(entry.name) if named else entry.is_dir())
            ]
    except OSError:
        return []


def _removed(path: Path) -> int:
    inside = [path, *path.rglob("*")] if path.is_dir() else [path]
    size = sum(each.lstat().st_size for each in inside if not each.is_dir())
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return size
