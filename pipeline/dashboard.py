"""The dashboard: MLflow's pages, served to this machine alone unless told otherwise; its addresses land on a sweep.

python -m pipeline.dashboard [port=5000] [host=127.0.0.1] [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import IO, TYPE_CHECKING, Any

from pipeline import arguments, files, report
from pipeline.address import artifacts_beside, resolve, without_secret
from pipeline.errors import BadInput
from pipeline.tracking import Store, Tracking

if TYPE_CHECKING:
    from mlflow.entities import Run

HOST = "127.0.0.1"
PORT = 5000
_PORTS_TRIED = 100
_SECONDS_TO_START = 180.0
_SECONDS_TO_STOP = 1.0
# Between two looks at the server, seconds.
_LOOK = 0.2
_CURVES_A_CHART = 8

# What a chart shows (all on a logarithmic axis of batch sizes) and the scale of its other axis.
_CHARTS = [
    (("loss/rmse", "loss/se"), "log"),
    (("accuracy/rmse", "accuracy/se"), "log"),
    (("loss/coverage", "accuracy/coverage"), "linear"),
    (("loss/mean", "loss/all"), "linear"),
    (("accuracy/mean", "accuracy/all"), "linear"),
    (("seconds/batch", "seconds/all"), "log"),
]
# As many columns as fit beside MLflow's assistant panel.
_COLUMNS = [f"metrics.`{metric}/{name}`" for metric in ("loss", "accuracy") for name in ("mean", "rmse")]


@dataclass(frozen=True)
class Request:
    """What the command line asked for.

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
    """Serve until Ctrl-C; return the exit status: 0 ended as asked, 1 the server failed, 2 the request was wrong."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # SIGINT too: it is ignored in what a script starts in the background.
        signal.signal(number, signal.default_int_handler)
    try:
        return serve(parse(command_line))
    except BadInput as error:
        report.error(str(error))
        return 2
    except KeyboardInterrupt:
        return 0


def parse(command_line: Sequence[str]) -> Request:
    """Read ``KEY=VALUE`` arguments; the environment's ``MLFLOW_TRACKING_URI`` stands where no ``tracking.uri`` does.

    Raises
    ------
    BadInput
        If an argument is not one of the known ones, or its value is out of range.
    """
    given, tracking = arguments.read(command_line, ("port", "host"))
    port = given.get("port")
    if port is not None and not (port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535):
        raise BadInput(f"port must be a whole number from 1 to 65535; found {port!r}: write port={PORT}")
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
    """Show where the runs are and serve them until interrupted; a server elsewhere is only pointed to.

    Returns
    -------
    int
        The exit status: 0 if there was nothing to serve, 1 if the server ended by itself.
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
    if request.port is None and port != PORT:
        print(f"Port {PORT} is taken; using {port}.", flush=True)
    print("Starting the dashboard …", flush=True)
    # The store comes first: the server would bring up a fresh one without the lock.
    store = request.tracking.open()
    # Every address is served: this machine's own pages are asked for by its own.
    address = f"http://{HOST if IPv4Address(host).is_unspecified else host}:{port}"
    with _server(resolve(uri), host, port) as (server, log):
        if _answers(server, address):
            show(store, address)
            print("Ctrl-C ends the dashboard.", flush=True)
            # Not server.wait(): a library that MLflow imports where it is installed (Polars) takes the signals over so
            # that a call which waits for a process is not interrupted.
            while server.poll() is None:
                time.sleep(_LOOK)
        report.error(
            f"MLflow's server must keep running; it ended or did not answer (status {server.poll()}): {_last_line(log)}"
        )
    return 1


def exposed(host: str) -> str:
    """Return the line that says what must stand in front of a server that other machines can reach."""
    return (
        f"host={host} lets other machines in, and MLflow asks nobody for a password: put a reverse proxy with TLS and "
        "a login in front of it, and let a firewall close the port to all but the proxy."
    )


def free_port(wanted: int | None, *, host: str = HOST) -> int:
    """The wanted port, or else the first free one from 5000 on.

    Raises
    ------
    BadInput
        If it is taken.
    """
    candidates = [wanted] if wanted else range(PORT, PORT + _PORTS_TRIED)
    for port in candidates:
        with socket.socket() as probe:
            # As the server will do, or a port whose last connection has just ended would seem taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((host, port))
                return port
    named = f"port {wanted}" if wanted else f"a port from {PORT} to {PORT + _PORTS_TRIED - 1}"
    raise BadInput(f"{named} must be free to serve on; found it taken or not allowed: name another with port=NUMBER")


def command(uri: str, host: str, port: int) -> list[str]:
    """Return the command that serves the store of a resolved address."""
    options = {
        "--host": host,
        "--port": str(port),
        "--workers": "1",
        "--uvicorn-opts": "--log-level warning --no-access-log",
        "--artifacts-destination": artifacts_beside(uri) or (files.mlruns() / "artifacts").as_uri(),
    }
    return [sys.executable, "-m", "mlflow", "server", *(part for option in options.items() for part in option)]


@contextmanager
def _server(uri: str, host: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], IO[bytes]]]:
    """MLflow's server as a process group of its own, so that no process of it outlives the block."""
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    # By the environment, where no list of processes shows a database's password.
    environment["MLFLOW_BACKEND_STORE_URI"] = uri
    folder = files.mlruns()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile() as log:
        # A session of its own: Ctrl-C reaches this process alone, which then ends the server in order.
        server = subprocess.Popen(
            command(uri, host, port),
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield server, log
        finally:
            _stop(server)


def _stop(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(_SECONDS_TO_STOP)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _answers(server: subprocess.Popen[bytes], address: str) -> bool:
    """Wait for the server; whether it came up."""
    # No proxy: one named in the environment cannot reach this machine's loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + _SECONDS_TO_START
    while server.poll() is None and time.monotonic() < deadline:
        with suppress(urllib.error.URLError, OSError), opener.open(f"{address}/health", timeout=5):
            return True
        time.sleep(0.1)
    return False


def _last_line(log: IO[bytes]) -> str:
    log.seek(0)
    lines = log.read().decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def show(store: Store, address: str) -> None:
    """Print where the runs and the charts of the newest sweep are."""
    page = f"{address}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    sweep = store.newest_sweep()
    if sweep is None:
        print(
            f"There is no sweep yet: run make sweep first, then make ui again. The runs so far:\n    {page}", flush=True
        )
        return
    is_saved = store.save_view("batchscope-runs", _runs_view(sweep))
    runs = f"{page}&viewStateShareKey=batchscope-runs" if is_saved else page
    what, where = _charts(store, sweep, address, page)
    print(
        f"The newest sweep is {sweep.info.run_name!r}.\nIts runs:\n    {runs}\n{what}:\n    {where}",
        flush=True,
    )


def _charts(store: Store, sweep: Run, address: str, page: str) -> tuple[str, str]:
    """What there is to see of a sweep, in words, and its address."""
    run = f"{address}/#/experiments/{store.experiment_id}/runs/{sweep.info.run_id}"
    view, what = charts_view(sweep), "Its charts by batch size"
    if not sweep.data.metrics:
        what += f" (none yet: it is {sweep.info.status}, and they come when all cells are done)"
    elif "compareRunCharts" not in view:
        # Other questions than the batch size: their curves are in the plots.
        return "Its plots", f"{run}/artifacts?workflowType=machine_learning"
    if not store.save_view("batchscope-charts", view):
        return what, f"{run}/model-metrics?workflowType=machine_learning"
    return what, f"{page}&compareRunsMode=CHART&viewStateShareKey=batchscope-charts"


def _view(search: str, **state: Any) -> dict[str, Any]:
    return {
        "searchFilter": search,
        # The page nests (and hides) children when the order is exactly attributes.start_time; quoted, it lists them.
        "orderByKey": "attributes.`start_time`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        **state,
    }


def _runs_view(sweep: Run) -> dict[str, Any]:
    """The runs page with the sweep first and its cells in order below it."""
    return _view(f"attributes.start_time >= {sweep.info.start_time}", selectedColumns=_COLUMNS)


def charts_view(sweep: Run) -> dict[str, Any]:
    """The chart page with the sweep's curves over the batch size, loss beside accuracy."""
    charts: list[dict[str, Any]] = []
    for names, scale in _CHARTS:
        # A sweep over more than the batch size has a curve a group: loss/rmse/GROUP.
        keys = [key for name in names for key in sweep.data.metrics if key == name or key.startswith(f"{name}/")]
        if keys:
            charts.append(_chart(str(len(charts)), keys[:_CURVES_A_CHART], scale))
    if not charts:
        return _view(f"attributes.run_id = '{sweep.info.run_id}'")
    return _view(
        f"attributes.run_id = '{sweep.info.run_id}'",
        runListHidden=True,
        # Or else the page puts its own sections, in alphabetical order, before this one.
        isAccordionReordered=True,
        compareRunCharts=charts,
        compareRunSections=[
            {
                "uuid": "batch-size",
                "name": "By batch size (step)",
                "display": True,
                "isReordered": True,
                "deleted": False,
                "isGenerated": False,
            }
        ],
    )


def _chart(name: str, keys: list[str], scale: str) -> dict[str, Any]:
    return {
        "uuid": f"batch-size-{name}",
        "type": "LINE",
        "metricSectionId": "batch-size",
        "deleted": False,
        "isGenerated": False,
        "metricKey": keys[0],
        "selectedMetricKeys": keys,
        "scaleType": scale,
        "xAxisKey": "step",
        "xAxisScaleType": "log",
        "useGlobalXaxisKey": False,
        "yAxisKey": "metric",
        "lineSmoothness": 0,
        "displayPoints": True,
        "runsCountToCompare": 10,
        "range": {},
    }


if __name__ == "__main__":
    _status = main(sys.argv[1:])
    sys.stdout.flush()
    # Python takes seconds to dismantle MLflow's modules, which would keep the person who pressed Ctrl-C waiting.
    os._exit(_status)
