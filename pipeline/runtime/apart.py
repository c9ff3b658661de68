"""Calls into libraries that do not listen to Python: bounded in time, and ended by Ctrl-C and other signals.

Python hears a signal in its main thread alone, and only between its own instructions. So the call goes to another
thread, and the main thread waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

T = TypeVar("T")

# For how long a call that is given up is waited for, in seconds: one that comes back to Python while that ends would
# abort the process.
_ENDING = 2.0


class Stoppable(Protocol):
    """Calls that another thread can end."""

    def stop(self) -> None:
        """End those under way, and let no other begin."""


_known: WeakSet[Stoppable] = WeakSet()


def call_apart(work: Callable[[], T], *, seconds: float | None = None, stop: Callable[[], None] | None = None) -> T:
    """Call `work` in a thread of its own and wait for it; signals are heard meanwhile.

    Parameters
    ----------
    work : callable
        Whatever it raises is raised here.
    seconds : float or None
        How long it may take. None: without end.
    stop : callable or None
        Ends the call from another thread, soon. None: a call that takes too long runs on until this process ends.

    Raises
    ------
    TimeoutError
        If it takes longer.
    """
    outcome: dict[str, Any] = {}
    # Not `join`, which takes a thread for ended once it was interrupted  [CPython 3.11, `_wait_for_tstate_lock`].
    is_done = threading.Event()

    def carry_out() -> None:
        try:
            outcome["value"] = work()
        # It is raised in the thread that waits.
        except BaseException as error:
            outcome["error"] = error
        finally:
            is_done.set()

    # A daemon, so that the process can end while it runs.
    threading.Thread(target=carry_out, daemon=True).start()
    try:
        if not is_done.wait(seconds):
            raise TimeoutError
    except BaseException:
        if stop is not None:
            stop()
        is_done.wait(_ENDING)
        raise
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def end_when_interrupted(calls: Stoppable) -> None:
    """Let `stop_all` end these calls for as long as they are referred to."""
    _known.add(calls)


def stop_all() -> None:
    """End the calls of all threads that can be ended: the process was interrupted."""
    for calls in list(_known):
        calls.stop()
