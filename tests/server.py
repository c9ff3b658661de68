"""A throw-away PostgreSQL and an MLflow server on top of it, both on loopback, both in a folder of their own."""

from __future__ import annotations

import os
import pwd
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Generous: the machine may be busy, and a wait ends as soon as what it waits for is there.
PATIENCE = 180
_USER = "batchscope"


def binaries() -> Path | None:
    """The folder of PostgreSQL's newest programs, Debian's or those in the path; None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    near = shutil.which("initdb")
    return Path(near).resolve().parent if near else None


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that the system gives to nobody while this process lives.

    It stays bound, without listening. A server that is told of it gets it all the same, for servers set SO_REUSEADDR;
    who asks for any port does not, in the seconds until the server is up.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = int(held.getsockname()[1])
    held.detach()
    return port


@contextmanager
def postgresql() -> Iterator[str]:
    """Run a fresh PostgreSQL on 127.0.0.1; gives the URI, password included, of an empty database."""
    # Not below pytest's folders, which are closed to the user that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder, password, port = Path(name), secrets.token_hex(16), free_port()
        run_as = _unprivileged(folder)
        _initdb(folder, password, run_as)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                _postgres(folder, port), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **run_as
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
    if process.poll() is not None:
        return
    process.send_signal(number)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(30)
