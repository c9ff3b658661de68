"""Signals that ask a process to end: they become SystemExit, so that what runs is ended before the process."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_received: list[int] = []


def exit_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into SystemExit with status 128 + the signal's number."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP; that must stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)


def exit_if_asked() -> None:
    """Raise the SystemExit of a signal that came before.

    Python drops an exception that is raised in a destructor or in the callback of a weak reference. Where a signal
    arrives in one, the process would go on; so the work asks again between its parts.
    """
    if _received:
        sys.exit(128 + _received[0])


def is_asked() -> bool:
    """Whether such a signal has come; in the midst of a library its SystemExit may come out as another error."""
    return bool(_received)


def asked_by() -> str:
    """Return the name of the signal that came, such as ``SIGTERM``; empty where none has."""
    return signal.Signals(_received[0]).name if _received else ""


@contextmanager
def undisturbed(seconds: float) -> Iterator[None]:
    """Drop signals that ask the process to end, for so many seconds at most: it is ending, and puts something right.

    A person presses Ctrl-C twice, and a scheduler sends SIGTERM again.
    """
    deadline = time.monotonic() + seconds
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

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


def _leave(number: int, _frame: FrameType | None) -> None:
    _received.append(number)
    sys.exit(128 + number)
