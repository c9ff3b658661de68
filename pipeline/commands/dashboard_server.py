"""MLflow's server for the dashboard: the port, the command, and the process, which ends with the one that starts it."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from ..errors import BadInput
from ..runtime import files, guardian
from ..tracking import dashboard_app
from ..tracking.address import artifacts_beside, for_mlflow

HOST = "127.0.0.1"
PORT = 5000
_PORTS_TRIED = 100
# Ports from 1024 on that browsers refuse to open  [WHATWG Fetch, "bad port"].
BLOCKED = frozenset(
    (1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, *range(6665, 6670), 6679, 6697, 10080)
)
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_TO_START = 180.0
_SECONDS_TO_STOP = 1.0


def free_port(wanted: int | None, *, host: str = HOST, after: int = 0) -> int:
    """Return the wanted port, or the first free one from 5000 on, and above `after`, if none is wanted.

    Raises
    ------
    BadInput
        If the wanted port, or every port of the range, is taken.
    """
    candidates = [wanted] if wanted else sorted(set(range(max(PORT, after + 1), PORT + _PORTS_TRIED)) - BLOCKED)
    for port in candidates:
        with socket.socket() as probe:
            # The server sets this too; without it a port whose last connection has just ended would seem taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((host, port))
                return port
    raise taken(wanted)


def taken(wanted: int | None) -> BadInput:
    """Return the exception for a port that another program has."""
    named = f"port {wanted}" if wanted else f"a port from {PORT} to {PORT + _PORTS_TRIED - 1}"
    return BadInput(f"{named} must be free to serve on; found it taken or not allowed: name another with port=NUMBER")


def command(uri: str, host: str, port: int) -> list[str]:
    """Return the command line of MLflow's server for a store with a resolved address."""
    options = {
        "--host": host,
        "--port": str(port),
        "--workers": "1",
        "--uvicorn-opts": "--log-level warning --no-access-log",
        "--artifacts-destination": artifacts_beside(uri) or (files.mlruns() / "artifacts").as_uri(),
    }
    if dashboard_app.is_installed():
        options["--app-name"] = dashboard_app.NAME
    return [sys.executable, "-m", "mlflow", "server", *(part for option in options.items() for part in option)]


@dataclass(frozen=True)
class Server:
    """A server that was started.

    Attributes
    ----------
    process : Popen
        Ends when the server does.
    address : str
        Where it is to answer.
    log : file
        What it prints.
    token : str
        By which it is known; empty where it cannot say it.
    """

    process: subprocess.Popen[bytes]
    address: str
    log: IO[bytes]
    token: str

    def answers(self) -> bool:
        """Wait until the server answers, this one and no other at its port; return whether it does."""
        # A proxy from the environment could not reach this machine's loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + _SECONDS_TO_START
        while self.process.poll() is None and time.monotonic() < deadline:
            with suppress(urllib.error.URLError, OSError), opener.open(f"{self.address}/", timeout=5) as answer:
                if not self.token or answer.headers.get(dashboard_app.SERVER) == self.token:
                    return True
            time.sleep(0.1)
        return False

    def found_port_taken(self) -> bool:
        """Return whether the server ended because another program has taken its port meanwhile."""
        return self.process.poll() is not None and "address already in use" in self._said().lower()

    def last_line(self) -> str:
        """Return the last line that the server printed."""
        return next((line.strip() for line in reversed(self._said().split("\n")) if line.strip()), "it said nothing")

    def _said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")


@contextmanager
def running(uri: str, host: str, port: int, page: str, address: str) -> Iterator[Server]:
    """Run MLflow's server so that none of its processes outlives the block or this process."""
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    # The address may hold a password, which a list of processes would show if it were an argument.
    environment["MLFLOW_BACKEND_STORE_URI"] = for_mlflow(uri)
    environment[dashboard_app.LANDING] = page
    environment[dashboard_app.TOKEN] = token = secrets.token_hex(16)
    # The server takes `dashboard_app` from this package, whatever else is installed.
    path = [str(files.PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, path))
    folder = files.mlruns()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as log:
        # In a session of its own, so that Ctrl-C reaches this process only, which then stops the server.
        process = guardian.start(command(uri, host, port), folder=folder, environment=environment, output=log)
        try:
            yield Server(process, address, log, token if dashboard_app.is_installed() else "")
        finally:
            # A second Ctrl-C must not keep the server from being ended.
            before = {number: signal.signal(number, signal.SIG_IGN) for number in _SIGNALS}
            guardian.stop(process, seconds=_SECONDS_TO_STOP)
            for number, handler in before.items():
                signal.signal(number, handler)
