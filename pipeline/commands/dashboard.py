"""Serve MLflow's dashboard, to this machine only unless told otherwise, and print the addresses of the newest sweep.

python -m pipeline ui [port=5000] [host=127.0.0.1] [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import NoReturn

from .. import errors
from ..errors import BadInput
from ..report import terminal
from ..runtime.redact import without_secret
from ..tracking.address import resolve
from ..tracking.mlflow import Tracking
from ..tracking.store import Store
from . import arguments
from .dashboard_server import BLOCKED, HOST, PORT, free_port, running, taken
from .pages import landing, show

_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Request:
    """The command's arguments.

    Attributes
    ----------
    port : int or None
        The port to serve on, from 1 to 65535; None for 5000 or the next that is free.
    host : str
        The IPv4 address of this machine to serve on; ``0.0.0.0`` is all of them.
    tracking : Tracking
        The store to show.
    """

    port: int | None = None
    host: str = HOST
    tracking: Tracking = field(default_factory=Tracking)


def main(command_line: Sequence[str]) -> int:
    """Serve until Ctrl-C; return the exit status: 0 interrupted, 1 the server failed, 2 the request was wrong."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # SIGINT too, because shells let background commands ignore it.
        signal.signal(number, signal.default_int_handler)
    try:
        return serve(parse(command_line))
    except BadInput as error:
        terminal.error(str(error))
        return 2
    except KeyboardInterrupt:
        return 0
    except Exception as given:
        # Imported here, because the dashboard needs Hydra for nothing else.
        from .. import config

        found = config.in_words(given)
        if errors.WANTS_TRACEBACK or not config.is_plain(found):
            raise
        terminal.error(config.one_line(found))
        return 2 if config.is_request_error(found) else 1


def run(given: Sequence[str]) -> NoReturn:
    """As `main`, and end the process."""
    status = main(given)
    sys.stdout.flush()
    # Python takes seconds to dismantle MLflow's modules, which would keep the person who pressed Ctrl-C waiting.
    os._exit(status)


def parse(command_line: Sequence[str]) -> Request:
    """Read ``KEY=VALUE`` arguments; ``MLFLOW_TRACKING_URI`` counts if there is no ``tracking.uri``.

    Raises
    ------
    BadInput
        If an argument is unknown, or its value is out of range.
    """
    given, tracking = arguments.read(command_line, ("port", "host"))
    port = given.get("port")
    is_number = port is not None and port.isascii() and port.isdigit() and len(port) <= 5
    if port is not None and not (is_number and 1 <= int(port) <= 65535):
        raise BadInput(f"port must be a whole number from 1 to 65535; found {port!r}: write port={PORT}")
    if port is not None and int(port) in BLOCKED:
        raise BadInput(f"port must be one that browsers open; found {port}, which they refuse: write port={PORT}")
    host = given.get("host", HOST)
    try:
        IPv4Address(host)
    except ValueError as error:
        raise BadInput(
            f"host must be an IPv4 address of this machine, such as {HOST}; found {host[:60]!r}: leave it out to serve "
            "this machine alone"
        ) from error
    return Request(port=None if port is None else int(port), host=host, tracking=tracking)


def serve(request: Request) -> int:
    """Print the addresses of the runs and serve them until interrupted; a remote server needs only the addresses.

    Returns
    -------
    int
        The exit status: 0 for a remote server, 1 if the local server ended by itself.
    """
    uri = request.tracking.uri
    if uri.startswith("http"):
        store = request.tracking.open()
        print("The tracking server serves the dashboard itself.", flush=True)
        show(store, without_secret(uri).replace("://***@", "://").rstrip("/"))
        return 0
    host = request.host
    if not IPv4Address(host).is_loopback:
        print(exposed(host), flush=True)
    port = free_port(request.port, host=host)
    print("Starting the dashboard …", flush=True)
    # Open the store first: the server would create a new one without holding the lock.
    store = request.tracking.open()
    while (status := _serve_at(port, request, store)) is None:
        if request.port is not None:
            raise taken(port)
        port = free_port(None, host=host, after=port)
    return status


def _serve_at(port: int, request: Request, store: Store) -> int | None:
    """Serve at a port, as `serve` does; return None where another program has taken it meanwhile."""
    host = request.host
    # 0.0.0.0 is no address for a browser: print 127.0.0.1.
    address = f"http://{HOST if IPv4Address(host).is_unspecified else host}:{port}"
    with running(resolve(request.tracking.uri), host, port, landing(store), address) as server:
        if server.answers():
            if request.port is None and port != PORT:
                print(f"Port {PORT} is taken; using {port}.", flush=True)
            show(store, address)
            print("Ctrl-C ends the dashboard.", flush=True)
            # Not process.wait(): Polars, which MLflow imports if it is installed, replaces the signal handlers, and
            # then Ctrl-C does not interrupt a call that waits for a process.
            while server.process.poll() is None:
                time.sleep(_POLL_SECONDS)
        elif server.found_port_taken():
            return None
        terminal.error(
            "MLflow's server must keep running; it ended or did not answer "
            f"(status {server.process.poll()}): {server.last_line()}"
        )
    return 1


def exposed(host: str) -> str:
    """Return the warning about a server that other machines can reach."""
    return (
        f"host={host} lets other machines in, and MLflow asks nobody for a password: put a reverse proxy with TLS and "
        "a login in front of it, and let a firewall close the port to all but the proxy."
    )
