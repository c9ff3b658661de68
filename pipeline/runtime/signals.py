"""Signals that ask a process to end: they become exceptions, so that what runs is ended before the process."""

from __future__ import annotations

import atexit
import math
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# A person presses Ctrl-C twice, and a scheduler sends SIGTERM again: by then the process is ending.
_SECONDS_TO_END = 10.0
# After which one whose exception Python has dropped is sent again.
_SECONDS_UNTIL_AGAIN = 0.01

_received: list[int] = []
# Until when further ones are dropped.
_deaf_until = [0.0]


def exit_on_signals() -> None:
    """Turn SIGINT into KeyboardInterrupt, and SIGTERM and SIGHUP into SystemExit with status 128 + the signal's number.

    Further ones are dropped for ten seconds. One whose exception Python drops is sent again, and nothing is printed.
    """
    for number in _ENDING:
        # nohup ignores SIGHUP, and a shell SIGINT for what runs behind it; that must stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(_received[-1]))
    sys.unraisablehook = _send_again
    # The last that Python does before it forgets the handlers.
    atexit.register(_be_deaf, math.inf)


def exit_if_asked() -> None:
    """Raise the exception of a signal that came before.

    Python drops an exception that is raised in a destructor or in the callback of a weak reference, and in the midst of
    a library it may come out as another error. So the work asks again between its parts.
    """
    if _received:
        _raise(_received[-1])


def is_asked() -> bool:
    """Whether such a signal has come; in the midst of a library its exception may come out as another error."""
    return bool(_received)


def asked_by() -> str:
    """Return the name of the signal that came, such as ``SIGTERM``; empty where none has, or SIGINT by Ctrl-C."""
    return signal.Signals(_received[-1]).name if _received and _received[-1] != signal.SIGINT else ""


@contextmanager
def undisturbed(seconds: float) -> Iterator[None]:
    """Drop signals that ask the process to end, for so many seconds at most: it is ending, and puts something right."""
    deadline = time.monotonic() + seconds
    before = {number: signal.getsignal(number) for number in _ENDING}

    def later(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if time.monotonic() > deadline and callable(handler):
            handler(number, frame)

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, later)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def kept() -> Iterator[None]:
    """Put this process's own handling of signals back that a library replaces meanwhile, as Ray does."""
    # Elsewhere nothing is replaced, for Python allows it in the main thread alone.
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in _ENDING} if is_main else {}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)


def _leave(number: int, _frame: FrameType | None) -> None:
    if time.monotonic() >= _deaf_until[0]:
        _received.append(number)
        _raise(number)


def _raise(number: int) -> None:
    _be_deaf(_SECONDS_TO_END)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


def _be_deaf(seconds: float) -> None:
    _deaf_until[0] = time.monotonic() + seconds
    signal.setitimer(signal.ITIMER_REAL, 0)


def _send_again(dropped: sys.UnraisableHookArgs) -> None:
    """Have a signal sent again whose exception Python has dropped; other exceptions are printed, as ever."""
    if not _received or not isinstance(dropped.exc_value, KeyboardInterrupt | SystemExit):
        sys.__unraisablehook__(dropped)
        return
    _deaf_until[0] = 0.0
    # By the system's clock: a thread could not be started from everywhere that Python drops exceptions in.
    signal.setitimer(signal.ITIMER_REAL, _SECONDS_UNTIL_AGAIN)
