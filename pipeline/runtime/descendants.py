"""The processes below this one, on a system that tells them (Linux)."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_POLL_SECONDS = 0.02
# Of prctl(2).
_SET_CHILD_SUBREAPER = 36
# The place of the number of threads behind the program's name in /proc/PID/stat.
_THREADS = 17


def living() -> set[int]:
    """Return the ids of the processes that this one has started, and those have started, and that live."""
    parents: dict[int, int] = {}
    dead = {os.getpid()}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # Ended meanwhile.
        with suppress(OSError, IndexError, ValueError):
            state, parent, *rest = stat.read_text().rpartition(")")[2].split()
            pid = int(stat.parent.name)
            parents[pid] = int(parent)
            # A zombie is dead, and waits only for being asked about. While it has further threads, its first one alone
            # has ended: those still hold its files and its locks, for a while after a kill, too.
            if state == "Z" and int(rest[_THREADS - 2]) <= 1:
                dead.add(pid)
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - dead


def kill(*, besides: Collection[int], seconds: float = 5.0) -> None:
    """Kill the processes below this one, and wait until they are gone.

    Parameters
    ----------
    besides : collection of int
        The ids of those that are left alone.
    seconds : float
        How long to wait at most.
    """
    deadline = time.monotonic() + seconds
    with _orphans_adopted():
        while (left := {p for p in living() - set(besides) if not _is_tracker(p)}) and time.monotonic() < deadline:
            for pid in left:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


@contextmanager
def _orphans_adopted() -> Iterator[None]:
    """Make what loses its parent below this process its own child: it would get away with a parent that is killed.

    A process may start another between the look at the processes and its own end.
    """
    if sys.platform != "linux":
        yield
        return
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _is_tracker(pid: int) -> bool:
    """Whether a process removes the semaphores of the others when these have ended; it ends by itself then."""
    try:
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True
