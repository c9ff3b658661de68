"""Submitit's jobs on this machine, kept from the signals of the terminal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.plugins.launcher import Launcher

_OF_A_TERMINAL = (signal.SIGINT, signal.SIGHUP)


@contextmanager
def undisturbed(launcher: Launcher) -> Iterator[None]:
    """Start submitit's local jobs with the signals of the terminal blocked; other launchers as they are.

    Ctrl-C goes to every process of the terminal, and each job would print a traceback. The sweep ends its jobs itself.
    """
    if type(launcher).__name__ != "LocalLauncher":
        yield
        return
    from submitit.local import local

    # Internal to submitit 1.5.4. What is blocked stays so in the programs that a process starts.
    starting = local.start_controller

    def start(*arguments: Any, **named: Any) -> Any:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_A_TERMINAL)
        try:
            return starting(*arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    local.start_controller = start
    try:
        yield
    finally:
        local.start_controller = starting
