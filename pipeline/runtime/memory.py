"""A limit on the memory of this process while something untrusted is loaded."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")
# The limit is the process's, so that two threads must not set it in turn.
_LOCK = threading.RLock()


@contextmanager
def limited(more: int) -> Iterator[None]:
    """Let this process take at most so many bytes more; what asks for more than that fails, and nothing else is lost.

    Only on Linux, where a limit on data counts what libraries map for themselves; elsewhere nothing is limited.
    Libraries raise MemoryError, or an exception of their own, where the system refuses.

    Parameters
    ----------
    more : int
        In bytes, beyond what is taken when the block begins.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    with _LOCK:
        before = resource.getrlimit(resource.RLIMIT_DATA)
        soft, hard = before
        wanted = _taken() + more
        if soft == resource.RLIM_INFINITY or wanted < soft:
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_DATA, before)


def _taken() -> int:
    """Return the memory that the limit counts, in bytes."""
    found = re.search(r"^VmData:\s+(\d+) kB", _STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return 1024 * int(found[1]) if found else 0


def is_shortage(error: BaseException | None) -> bool:
    """Return whether an error, or one behind it, says that memory ran out.

    Examples
    --------
    >>> is_shortage(RuntimeError("bfc_arena.cc:360 Failed to allocate memory for requested buffer"))
    True
    """
    while error is not None:
        said = str(error).lower()
        if isinstance(error, MemoryError) or any(words in said for words in _WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


# How libraries in C++ and Rust say it.
_WORDS = ("allocate", "bad_alloc", "bad allocation", "out of memory", "alloc failed")
