"""A throw-away PostgreSQL and an MLflow server on top of it, both on loopback, both in a folder of their own."""

from __future__ import annotations

import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Generous: the machine may be busy, and a wait ends as soon as what it waits for is there.
PATIENCE = 180
_USER = "batchscope"
# Below those that Linux gives to connections by itself: such a one would take the port before a server does.
_PORTS = range(20_000, 32_000)
# The places of the process group and of the number of threads in /proc/PID/stat, counted from the state.
_GROUP, _THREADS = 2, 17


def binaries() -> Path | None:
    """The folder of PostgreSQL's newest programs, Debian's or those in the path; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    near = shutil.which("initdb")
    return Path(near).resolve().parent if near else None


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now, chosen at random so that others hardly choose it meanwhile."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a fresh PostgreSQL on 127.0.0.1; gives the URI, password included, of an empty database."""
    # Not below pytest's folders, which are closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as name:
        folder, password, port = Path(name), secrets.token_hex(16), free_port()
        run_as = _unprivileged(folder)
        _initdb(folder, password, run_as)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                _postgres(folder, port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **run_as,
            )
        try:
            wait(lambda: _accepts(port), process, folder / "log")
            yield f"postgresql://{_USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            # "Immediate" to PostgreSQL: its folder is thrown away.
            _end(process, signal.SIGQUIT)


def _programs() -> Path:
    programs = binaries()
    if programs is None:
        raise RuntimeError("PostgreSQL's initdb was not found")
    return programs


def _initdb(folder: Path, password: str, run_as: dict[str, Any]) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if run_as:
        shutil.chown(secret, run_as["user"])
    options = [f"--username={_USER}", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
    command = [str(_programs() / "initdb"), "--no-sync", *options, "--pgdata", str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, **run_as)
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr}")


def _postgres(folder: Path, port: int) -> list[str | Path]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        # A socket's path has little room.
        "unix_socket_directories": "",
        "fsync": "off",
    }
    return [_programs() / "postgres", "-D", folder / "data", *(f"--{key}={value}" for key, value in settings.items())]


def _unprivileged(folder: Path) -> dict[str, Any]:
    """Popen's arguments for a process of the folder's new owner, since PostgreSQL refuses root; empty but for root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    shutil.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _accepts(port: int) -> bool:
    asked = [str(_programs() / "pg_isready"), "--quiet", "--host=127.0.0.1", f"--port={port}"]
    return subprocess.run(asked).returncode == 0


@dataclass
class Served:
    """An MLflow server that runs.

    Attributes
    ----------
    uri : str
        Its address.
    process : Popen
    log : Path
        What it printed.
    """

    uri: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End it; what it was told is kept in its database."""
        _end(self.process, signal.SIGTERM)


@contextmanager
def mlflow(store: str, folder: Path, port: int | None = None) -> Iterator[Served]:
    """Run ``mlflow server`` on 127.0.0.1 over a database, its artifacts in `folder`, at a free port unless told."""
    folder.mkdir(parents=True, exist_ok=True)
    port, log = port or free_port(), folder / "log"
    artifacts = str(folder / "artifacts")
    command = ["-m", "mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", artifacts]
    variables = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *command, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"],
            env={**os.environ, **variables},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    served = Served(f"http://127.0.0.1:{port}", process, log)
    try:
        wait(lambda: is_healthy(served.uri), process, log)
        yield served
    finally:
        served.stop()


def is_healthy(uri: str) -> bool:
    """Whether a server of MLflow answers."""
    try:
        # A proxy from the environment could not reach this machine's loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{uri}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait(is_ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a process is ready."""
    until = time.monotonic() + PATIENCE
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"{process.args!r} did not come up:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes], number: int) -> None:
    """End a server, and what it has started: its port is free then."""
    if process.returncode is not None:
        return
    process.send_signal(number)
    with suppress(subprocess.TimeoutExpired):
        process.wait(30)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    until = time.monotonic() + PATIENCE
    while members := _members(process.pid):
        if time.monotonic() > until:
            raise RuntimeError(f"the processes {members} of {process.args!r} did not end")
        time.sleep(0.02)


def _members(group: int) -> list[int]:
    """The ids of the processes of a group that live; one of which the first thread alone has ended holds its port."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[_GROUP]) == group and (fields[0] != "Z" or int(fields[_THREADS]) > 1):
                    found.append(int(entry.name))
    return found
