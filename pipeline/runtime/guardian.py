"""A command that ends with the process that started it, even where that is killed and can end nothing any more.

Run as a program, this file reads the command as a line of JSON, starts it, and ends its own process group when the
other end of its standard input is closed: the system closes it when a process dies, in whatever way.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def start(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start a command in a process group of its own.

    Parameters
    ----------
    command : sequence of str
        A program and its arguments.
    folder : Path
        Its current folder.
    environment : mapping of str to str
        Its environment variables.
    output : file
        Takes what it prints.

    Returns
    -------
    Popen
        The guardian: it leads the group, ends with the command's status, and ends the group when its standard input is
        closed.
    """
    guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    assert guardian.stdin is not None
    guardian.stdin.write(json.dumps(list(command)).encode() + b"\n")
    guardian.stdin.flush()
    return guardian


def stop(guardian: subprocess.Popen[bytes], *, seconds: float) -> None:
    """Ask the group to end, and kill after so many seconds what has not."""
    with suppress(ProcessLookupError):
        os.killpg(guardian.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        guardian.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(guardian.pid, signal.SIGKILL)
    guardian.wait()
    if guardian.stdin is not None:
        guardian.stdin.close()


def _guard() -> int:
    command = json.loads(sys.stdin.buffer.readline())
    # Handlers, for a child inherits what is ignored. The command itself is asked to end by the same signals.
    for number in _SIGNALS:
        signal.signal(number, _do_nothing)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_the_starter, daemon=True).start()
    return child.wait()


def _end_with_the_starter() -> None:
    # Not sys.stdin, whose lock Python wants when it ends.
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def _do_nothing(*_: Any) -> None:
    pass


if __name__ == "__main__":
    sys.exit(_guard())
