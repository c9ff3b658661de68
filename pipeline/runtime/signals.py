"""Signals that ask a process to end: they become exceptions, so that what runs is ended before the process."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_received: list[int] = []
# Until an exception that Python dropped is raised again, in seconds: what dropped it is over by then.
_AGAIN = 0.05


def exit_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into SystemExit with status 128 + the signal's number; SIGINT is KeyboardInterrupt.

    Python drops an exception that is raised in a destructor or in the callback of a weak reference, and tells only
    `sys.unraisablehook`. Where a signal arrives in one, its exception is raised again a moment later.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup ignores SIGHUP, and a shell SIGINT for what it starts in the background; that must stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    signal.signal(signal.SIGALRM, _leave_again)
    others = sys.unraisablehook

    def told(dropped: sys.UnraisableHookArgs) -> None:
        if _received and issubclass(dropped.exc_type, KeyboardInterrupt | SystemExit):
            signal.setitimer(signal.ITIMER_REAL, _AGAIN)
        else:
            others(dropped)

    sys.unraisablehook = told


def exit_if_asked() -> None:
    """Raise the exception of a signal that came before: a library may have made another error of it, or none."""
    if _received:
        _raise(_received[0])


def is_asked() -> bool:
    """Whether a signal has come that ends the process; in the midst of a library it may come out as another error."""
    return bool(_received)


def is_interrupted() -> bool:
    """Whether Ctrl-C was the first such signal."""
    return _received[:1] == [signal.SIGINT]


def asked_by() -> str:
    """Return the name of the signal that came first, such as ``SIGTERM``; empty where it is Ctrl-C, or none has."""
    return signal.Signals(_received[0]).name if _received and not is_interrupted() else ""


@contextmanager
def undisturbed(seconds: float) -> Iterator[None]:
    """Drop signals that ask the process to end, for so many seconds at most: it is ending, and puts something right.

    A person presses Ctrl-C twice, and a scheduler sends SIGTERM again.
    """
    deadline = time.monotonic() + seconds
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}

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
    _raise(number)


def _leave_again(_number: int, _frame: FrameType | None) -> None:
    exit_if_asked()


def _raise(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)
