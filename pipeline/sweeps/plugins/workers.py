"""Processes that launchers start on this machine, kept from the signals of the terminal."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hydra.plugins.launcher import Launcher

_OF_A_TERMINAL = (signal.SIGINT, signal.SIGHUP)


@contextmanager
def undisturbed(launcher: Launcher) -> Iterator[None]:
    """Start submitit's local jobs and joblib's workers with the signals of the terminal blocked; others as they are.

    Ctrl-C goes to every process of the terminal, and each of these would print a traceback. The sweep ends them itself.
    """
    found = _starter(launcher)
    if found is None:
        yield
        return
    module, name = found
    starting = getattr(module, name)

    def start(*arguments: Any, **named: Any) -> Any:
        # What is blocked stays so in the programs that a process starts.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _OF_A_TERMINAL)
        try:
            return starting(*arguments, **named)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    setattr(module, name, start)
    try:
        yield
    finally:
        setattr(module, name, starting)


def _starter(launcher: Launcher) -> tuple[Any, str] | None:
    """Return where the function is by which a launcher starts a process; None where that is not to be changed."""
    name = type(launcher).__name__
    if name == "LocalLauncher":
        # Internal to submitit 1.5.4.
        from submitit.local import local

        return local, "start_controller"
    if name == "JoblibLauncher":
        # Internal to joblib 1.5.3.
        from joblib.externals.loky.backend import fork_exec

        return fork_exec, "fork_exec"
    return None
