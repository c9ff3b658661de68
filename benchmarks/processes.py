"""Commands in processes of their own, with their wall time and their peak memory.

In the small form a command is a fork of a process that has imported everything: it costs no imports.
"""

from __future__ import annotations

import atexit
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from abc import ABC, abstractmethod
from contextlib import suppress
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path
from typing import NamedTuple

from benchmarks.measuring import Size, composed

ROOT = Path(__file__).resolve().parents[1]
# A process is charged with the peak of the one it was forked from; so the measured one is forked from a small one.
_WATCH = """
import os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Spent(NamedTuple):
    """What a command took: wall seconds, its peak resident memory in bytes, and seconds of the processor."""

    seconds: float
    peak: int
    cpu: float


class Commands(ABC):
    """Runs commands of Python, each with a folder for everything that it generates."""

    @abstractmethod
    def run(self, *arguments: str, home: Path) -> Spent:
        """Run ``python ARGUMENTS`` to its end.

        Raises
        ------
        RuntimeError
            If it does not end with status 0; the message has the last line of its errors.
        """

    def prepare(self, home: Path) -> None:
        """Make the store and train the default network, so that the measured command does neither."""
        self.run("-m", "pipeline", "--multirun", "draws=1", "batch_size=1", home=home)


class Processes(Commands):
    """Each command is a new process, imports included.

    Parameters
    ----------
    bytecode : Path or None
        Where compiled modules are kept, so that no import compiles, even where Python is told to write none; None
        leaves that as it is.
    """

    def __init__(self, bytecode: Path | None = None) -> None:
        kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(bytecode)}
        self._bytecode = kept if bytecode else {}

    def run(self, *arguments: str, home: Path) -> Spent:
        """See `Commands`."""
        command = [sys.executable, "-c", _WATCH, sys.executable, *arguments]
        environment = {**os.environ, **_environment(home), **self._bytecode}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(_failed(arguments, done.returncode, done.stderr))
        seconds, kilobytes, cpu = done.stdout.split()
        return Spent(float(seconds), int(kilobytes) * 1024, float(cpu))


class Forks(Commands):
    """Each command is a fork of one process that has imported everything; a new store is a copy of one made once."""

    def __init__(self) -> None:
        self._context = context("small")
        self._made = tempfile.TemporaryDirectory(prefix="batchscope-bench-")
        atexit.register(self._made.cleanup)

    def run(self, *arguments: str, home: Path) -> Spent:
        """See `Commands`."""
        with tempfile.TemporaryDirectory() as folder:
            said = Path(folder, "said")
            said.touch()
            receive, send = self._context.Pipe(duplex=False)
            process = self._context.Process(target=_carry_out, args=(arguments, _environment(home), str(said), send))
            process.start()
            # Else the end of a process that was killed would go unnoticed.
            send.close()
            with receive, suppress(EOFError):
                spent = Spent(*receive.recv())
            process.join()
            if process.exitcode:
                raise RuntimeError(_failed(arguments, process.exitcode, said.read_text(encoding="utf-8")))
        return spent

    def prepare(self, home: Path) -> None:
        """Copy the store and the network that were made once."""
        made = Path(self._made.name)
        if not (made / "mlflow.db").exists():
            self.run("-m", "benchmarks.processes", home=made)
        # The place of the artifacts in the copy is mended when the store is opened.
        shutil.copytree(made, home, dirs_exist_ok=True)


@cache
def context(size: Size) -> SpawnContext | ForkServerContext:
    """Return how processes are started: new ones, or in the small form forks of one that has imported everything."""
    if size != "small":
        return get_context("spawn")
    forks = get_context("forkserver")
    forks.set_forkserver_preload(["benchmarks.predictions", "benchmarks.imported"])
    return forks


@cache
def commands(size: Size) -> Commands:
    """Return the way in which commands are run for a bench of that size."""
    return Forks() if size == "small" else Processes()


def _environment(home: Path) -> dict[str, str]:
    # Without the peers' folder: MLflow would import Polars.
    return {"BATCHSCOPE_MLRUNS": str(home), "PYTHONPATH": str(ROOT)}


def _failed(arguments: tuple[str, ...], status: int, said: str) -> str:
    last = said.strip().splitlines()[-1:] or ["it said nothing"]
    return f"python {' '.join(arguments)} ended with {status}: {last[0]}"


def _carry_out(arguments: tuple[str, ...], environment: dict[str, str], said: str, send: Connection) -> None:
    """Run a command in this process, which ends with the command's status."""
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(output, standard)
    os.environ.update(environment)
    kind, what, *rest = arguments
    start, status = time.perf_counter(), 0
    before = time.process_time()
    try:
        sys.argv = ["-", *rest]
        if kind == "-m":
            runpy.run_module(what, run_name="__main__", alter_sys=True)
        else:
            exec(compile(what, "<command>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if status and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    # Not `resource.getrusage`, which knows the peak of the process that it was forked from too.
    found = Path("/proc/self/status").read_text(encoding="ascii")
    peak = 1024 * int(found.split("VmHWM:")[1].split()[0])
    send.send((time.perf_counter() - start, peak, time.process_time() - before))
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(status)


if __name__ == "__main__":
    default = composed()
    default.model.built(default.data)
    default.tracking.open()
