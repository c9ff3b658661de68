"""Starts of the pipeline that cost no imports: a process that has imported everything forks one for each command.

Run as a program; it reads a line of JSON a command, ``{"arguments": […], "environment": {…}, "said": FILE}``, answers
with the process's id, and with ``{"pid": …, "status": …}`` when that has ended.
"""

import fcntl
import json
import os
import re
import runpy
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def descendants(pid):
    """The ids of a process and of all below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found


def state(pid):
    """What a process is at (``T`` is stopped) and when it was started, by which it is told from a later one of its id.

    Both are None where it has ended.
    """
    try:
        what, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None, None
    return (None, None) if what == "Z" else (what, int(fields[18]))


class Zygote:
    """The process, from the tests' side."""

    def __init__(self, environment):
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        )
        # Not a file's own buffer: what lies in that, `select` does not see.
        self._pending, self._started, self._ended = b"", [], {}

    def start(self, said, *arguments, erred=None, **environment):
        """Start a command whose output goes to the file `said` (errors to `erred`); return its process id."""
        command = {"arguments": arguments, "environment": environment, "said": str(said), "erred": str(erred or said)}
        line = json.dumps(command).encode() + b"\n"
        while line:
            line = line[self._process.stdin.write(line) :]
        while not self._started:
            self._hear(None)
        return self._started.pop()

    def run(self, said, *arguments, **environment):
        """Carry a command out; return its status and what it said."""
        before = said.stat().st_size if said.exists() else 0
        status = self.wait(self.start(said, *arguments, **environment))
        return status, said.read_bytes()[before:].decode()

    def completed(self, folder, *arguments, **environment):
        """Carry a command out, as `subprocess.run` does; what it says goes through files in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        said, erred = folder / "said", folder / "erred"
        for path in (said, erred):
            path.write_bytes(b"")
        status = self.wait(self.start(said, *arguments, erred=erred, **environment))
        return subprocess.CompletedProcess(arguments, status, said.read_text(), erred.read_text())

    def wait(self, pid):
        """Wait for a command's end and return its status, below 0 for the signal that ended it."""
        while pid not in self._ended:
            self._hear(None)
        return self._ended[pid]

    def has_ended(self, pid, seconds):
        """Whether a command ends within that time."""
        deadline = time.monotonic() + seconds
        while pid not in self._ended and self._hear(max(0, deadline - time.monotonic())):
            pass
        return pid in self._ended

    def _hear(self, seconds):
        """Take in what the process answers within that time, if it is given; return whether it did."""
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return False
        got = os.read(self._process.stdout.fileno(), 65536)
        assert got, "the process that forks the commands has ended"
        *lines, self._pending = (self._pending + got).split(b"\n")
        for answer in map(json.loads, lines):
            if "started" in answer:
                self._started.append(answer["started"])
                # The system gives an id again: it is of another command now.
                self._ended.pop(answer["started"], None)
            else:
                self._ended[answer["pid"]] = answer["status"]
        return True

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


def send(pids, number):
    """Send a signal to those that have not ended yet."""
    for each in pids:
        with suppress(ProcessLookupError):
            os.kill(each, number)


def stop(pid):
    """Stop a process and all below it, and return their ids."""
    stopped = []
    # One that is stopped starts no other, so none gets away between the look and the signal.
    while new := set(descendants(pid)).difference(stopped):
        stopped += new
        send(new, signal.SIGSTOP)
    return stopped


def kill(pid, *, whole_tree):
    """Kill a process as a power cut would, with or without those below it."""
    send(stop(pid) if whole_tree else [pid], signal.SIGKILL)


def wait_for_orphans(mlruns, seconds=300):
    """Wait for the end of what was started for this folder of generated files, and has lost the process that did."""
    deadline = time.monotonic() + seconds
    # A process without its first thread has no environment left to read, and holds its locks.
    while alive := _started_for(mlruns) or _is_written_to(mlruns):
        assert time.monotonic() < deadline, alive
        time.sleep(0.1)


def _started_for(mlruns):
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and f"BATCHSCOPE_MLRUNS={mlruns}\0".encode() in (entry / "environ").read_bytes():
                called = (entry / "cmdline").read_bytes().strip(b"\0")
                # Ray's own agents take a minute and more to find that they are alone.
                if not re.match(rb"ray::\w+Agent", called):
                    found[entry.name] = called[:200]
    return found


def _is_written_to(mlruns):
    lock = mlruns / "locks" / "writing.lock"
    if not lock.exists():
        return False
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _serve():
    import benchmarks.imported  # noqa: F401

    commands = sys.stdin.fileno()
    pending, running = b"", set()
    while True:
        if select.select([commands], [], [], 0.02)[0]:
            got = os.read(commands, 65536)
            if not got:
                return
            pending += got
        while b"\n" in pending:
            line, _, pending = pending.partition(b"\n")
            pid = os.fork()
            if pid == 0:
                _run(json.loads(line))
            running.add(pid)
            print(json.dumps({"started": pid}), flush=True)
        for pid in list(running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                running.discard(pid)
                print(json.dumps({"pid": pid, "status": os.waitstatus_to_exitcode(status)}), flush=True)


def _run(command):
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # The tests may run under nohup.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for place, name in ((1, "said"), (2, "erred")):
        os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), place)
    os.environ.update(command["environment"])
    sys.argv = ["pipeline", *command["arguments"]]
    from pipeline.runtime import descendants as below

    try:
        runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except KeyboardInterrupt:
        # After the program's own end: Python would end here.
        status = 130
    except BaseException:
        import traceback

        traceback.print_exc()
        status = 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    sys.stdout.flush()
    sys.stderr.flush()
    if status == 0:
        # Joblib ends its workers by what Python does at its end, which is left out here; they would wait for minutes.
        below.kill(besides=())
    os._exit(status)


if __name__ == "__main__":
    _serve()
