from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.commands import dashboard
from pipeline.errors import BadInput
from pipeline.plots.picture import saved
from pipeline.report.page import Page
from pipeline.report.page_html import html
from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking
from pipeline.tracking.store import Store
from tests import browser, server

PATIENCE = browser.PATIENCE
SIZES = (1, 10, 100)
CELLS = [f"batch_size={size}" for size in SIZES]
SWEEP = "sweep digits test · mlp"

needs_browser = pytest.mark.skipif(
    not browser.is_installed(), reason="needs Chromium: apt-get install chromium chromium-driver"
)


@dataclass
class Served:
    """A dashboard that runs as a person would start it."""

    process: subprocess.Popen[str]
    port: int
    mlruns: Path
    printed: str
    parent: str
    experiment_id: str

    def address(self, line: str) -> str:
        """The address printed below a line."""
        found = re.search(rf"{line}.*:\n +(http\S+)", self.printed)
        assert found, self.printed
        return found[1]


def metrics_of(size: int) -> dict[str, float]:
    return {
        **{f"{m}/{name}": 0.5 / size**0.5 for m in ("loss", "accuracy") for name in ("se", "rmse", "half_width")},
        **{f"{m}/{name}": 0.5 + 0.1 / size for m in ("loss", "accuracy") for name in ("mean", "all", "coverage")},
        "seconds/batch": 1e-6 * size,
        "seconds/all": 1e-3,
    }


def log_sweep(store: Store) -> str:
    """A parent with three cells, as a real sweep logs them."""
    started = time.time()
    parent = store.start(SWEEP, kind="sweep", started=started)
    for i, (size, name) in enumerate(zip(SIZES, CELLS, strict=True), start=1):
        cell = store.start(name, kind="cell", parent=parent, started=started + i)
        store.log(cell, Log(params={"batch_size": str(size)}, metrics=metrics_of(size)))
        store.end(cell, "FINISHED")
    figure = Figure(figsize=(4, 3))
    figure.add_subplot().plot(SIZES, [metrics_of(size)["loss/rmse"] for size in SIZES])
    series = [(key, value, size) for size in SIZES for key, value in metrics_of(size).items()]
    cells = pd.DataFrame([{"batch_size": size, **metrics_of(size)} for size in SIZES])
    drawn = saved("funnel", figure)
    report = {"report.html": html(Page(SWEEP, "The answer.", pictures=[drawn.picture]))}
    store.log(parent, Log(series=series, tables={"cells.csv": cells}, pictures={"funnel": drawn.png}, texts=report))
    store.end(parent, "FINISHED")
    return parent


def start(mlruns: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "ui", *arguments],
        cwd=Path(__file__).parents[2],
        env={**environment, "BATCHSCOPE_MLRUNS": str(mlruns)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    with process:
        output, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, output


def processes_of(mlruns: Path, text: str = "") -> list[str]:
    """The command lines of the processes that were started for a folder, with a text in them.

    Not those at a port: whoever starts next, such as another run of the tests, may take a port that is free again.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if f"BATCHSCOPE_MLRUNS={mlruns}\0".encode() not in (path / "environ").read_bytes():
                continue
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def listening_on(port: int) -> list[str]:
    """The local addresses (in hexadecimal) on which anything listens at that port."""
    lines = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
    ]
    return [line[1].split(":")[0] for line in lines if line[3] == "0A" and int(line[1].split(":")[1], 16) == port]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    mlruns = tmp_path_factory.mktemp("mlruns")
    store = Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open()
    # An older sweep, whose runs are not to be shown among those of the newest.
    store.end(store.start("an older sweep", kind="sweep", started=time.time() - 60), "FINISHED")
    parent = log_sweep(store)
    port = server.free_port()
    with start(mlruns, f"port={port}") as process:
        try:
            yield Served(process, port, mlruns, printed_by(process), parent, store.experiment_id)
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with browser.chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def wait(page: webdriver.Chrome, script: str, frame: str = "") -> None:
    """Until the JavaScript expression holds; the page's text is in `text`. A page draws its elements anew meanwhile."""
    script = f"const text = document.body.innerText; return Boolean({script})"

    def holds(driver: webdriver.Chrome) -> bool:
        driver.switch_to.default_content()
        if frame:
            driver.switch_to.frame(driver.find_element("css selector", frame))
        return bool(driver.execute_script(script))

    try:
        WebDriverWait(page, PATIENCE, ignored_exceptions=[WebDriverException]).until(holds)
    finally:
        page.switch_to.default_content()
        if folder := os.environ.get("BATCHSCOPE_SCREENSHOTS"):
            page.save_screenshot(str(Path(folder) / f"{time.time():.1f}.png"))


def open_address(page: webdriver.Chrome, address: str) -> None:
    # Addresses that differ after the # alone would not load the page anew.
    page.get("about:blank")
    page.get(address)


@needs_browser
@pytest.mark.slow
def test_printed_runs_address_lists_the_parent_and_below_it_its_cells_in_order(
    served: Served, page: webdriver.Chrome
) -> None:
    open_address(page, served.address("Its runs"))
    wait(page, f"{[SWEEP, *CELLS]!r}.every((name) => text.includes(name)) && text.includes('loss/rmse')")
    links = "[...document.querySelectorAll('a[href*=\"/runs/\"]')].map((link) => link.innerText.trim()).filter(Boolean)"
    wait(page, f"{links}.join('|') === {'|'.join([SWEEP, *CELLS])!r}")


@needs_browser
@pytest.mark.slow
def test_printed_charts_address_draws_curves_over_the_batch_size(served: Served, page: webdriver.Chrome) -> None:
    open_address(page, served.address("Its charts"))
    titles = ["loss/rmse vs loss/se", "accuracy/rmse vs accuracy/se", "loss/coverage vs accuracy/coverage"]
    curves = "document.querySelectorAll('.js-plotly-plot svg .scatterlayer .trace path.js-line').length"
    wait(page, f"{titles!r}.every((title) => text.includes(title)) && {curves} >= 6")
    points = "document.querySelector('.js-plotly-plot svg .scatterlayer .trace').querySelectorAll('path.point')"
    wait(page, f"{points}.length === {len(SIZES)}")


@needs_browser
@pytest.mark.slow
def test_artifact_page_shows_a_plot_and_the_cells(served: Served, page: webdriver.Chrome) -> None:
    artifacts = f"http://127.0.0.1:{served.port}/#/experiments/{served.experiment_id}/runs/{served.parent}/artifacts"
    open_address(page, f"{artifacts}/funnel.png?workflowType=machine_learning")
    wait(page, "[...document.images].some((image) => image.src.startsWith('blob:') && image.naturalWidth > 100)")
    open_address(page, f"{artifacts}/cells.csv?workflowType=machine_learning")
    wait(page, "text.includes('Previewing the first 3 rows')")


@needs_browser
@pytest.mark.slow
def test_artifact_page_shows_the_report_with_its_answer_and_its_picture(served: Served, page: webdriver.Chrome) -> None:
    artifacts = f"http://127.0.0.1:{served.port}/#/experiments/{served.experiment_id}/runs/{served.parent}/artifacts"
    open_address(page, f"{artifacts}/report.html?workflowType=machine_learning")
    wait(page, "text.includes('The answer.') && document.images[0].naturalWidth > 100", frame="iframe")


@pytest.mark.slow
def test_server_listens_on_the_loopback_address_alone(served: Served) -> None:
    assert listening_on(served.port) == ["0100007F"]


@pytest.mark.slow
def test_server_has_one_worker_and_no_job_runner(served: Served) -> None:
    commands = processes_of(served.mlruns, f"--port {served.port} ")
    assert len(commands) == 2
    assert all("--workers 1" in command for command in commands)


@pytest.mark.slow
def test_addresses_do_not_land_on_mlflows_start_page(served: Served) -> None:
    for line in ("Its runs", "Its charts"):
        start_of = f"http://127.0.0.1:{served.port}/#/experiments/{served.experiment_id}/runs?"
        assert served.address(line).startswith(start_of)


@pytest.mark.slow
def test_a_server_elsewhere_is_only_pointed_to_and_its_password_not_printed(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    request = dashboard.parse([f"tracking.uri=http://me:secret@127.0.0.1:{served.port}/"])
    assert dashboard.serve(request) == 0
    printed = capsys.readouterr().out
    assert f"    http://127.0.0.1:{served.port}/#/experiments/{served.experiment_id}/runs?" in printed
    assert "secret" not in printed


@pytest.mark.slow
def test_port_that_is_taken_is_refused_in_one_line(served: Served, tmp_path: Path) -> None:
    status, output = finished(start(tmp_path, f"port={served.port}"))
    assert status == 2
    assert output == (
        f"batchscope: port {served.port} must be free to serve on; found it taken or not allowed: "
        "name another with port=NUMBER\n"
    )
    assert not list(tmp_path.iterdir())


# The last that uses the server, for it ends it.
@pytest.mark.slow
def test_ctrl_c_ends_the_dashboard_with_status_0_and_leaves_no_process(served: Served) -> None:
    served.process.send_signal(signal.SIGINT)
    status, output = finished(served.process)
    assert status == 0
    assert output == ""
    wait_for(lambda: processes_of(served.mlruns) == [])
    assert listening_on(served.port) == []


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("ports=1", r"an argument must be one of port=….*; found 'ports=1'"),
        ("5000", r"an argument must be one of port=….*; found '5000'"),
        ("port=0", r"port must be a whole number from 1 to 65535; found '0'"),
        ("port=65536", r"port must be .*; found '65536'"),
        ("port=-1", r"port must be .*; found '-1'"),
        ("port=8e3", r"port must be .*; found '8e3'"),
        ("port=", r"port must be .*; found ''"),
        ("tracking.uri=./mlruns", r"tracking.uri must be sqlite:///FILE"),
        ("tracking.experiment=", r"tracking.experiment must be a name"),
    ],
)
def test_bad_arguments_are_refused(argument: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        dashboard.parse([argument])


def test_a_port_that_browsers_refuse_is_refused() -> None:
    with pytest.raises(BadInput, match="port must be one that browsers open; found 5060"):
        dashboard.parse(["port=5060"])


def port_in(printed: str) -> int:
    return int(re.findall(r"http://127\.0\.0\.1:(\d+)/", printed)[0])


def printed_by(process: subprocess.Popen[str]) -> str:
    """What a dashboard prints until it serves."""
    printed = ""
    while "Ctrl-C" not in printed:
        line = process.stdout.readline() if process.stdout else ""
        assert line, printed
        printed += line
    return printed


@pytest.mark.slow
def test_two_dashboards_started_at_once_serve_their_own_stores_and_a_killed_one_leaves_no_server(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / name for name in ("one", "other")]
    sweeps = [log_sweep(Tracking(uri=f"sqlite:///{folder}/mlflow.db").open()) for folder in folders]
    started = [start(folder) for folder in folders]
    try:
        ports = []
        for process, own, other in zip(started, sweeps, sweeps[::-1], strict=True):
            ports.append(port_in(printed_by(process)))
            asked = f"http://127.0.0.1:{ports[-1]}/api/2.0/mlflow/runs/get?run_id="
            with urllib.request.urlopen(f"{asked}{own}") as answer:
                assert answer.status == 200
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{asked}{other}")
        assert ports[0] != ports[1]
        started[0].kill()
        wait_for(lambda: processes_of(folders[0]) == [])
        started[1].send_signal(signal.SIGTERM)
        assert finished(started[1]) == (0, "")
        wait_for(lambda: processes_of(folders[1]) == [])
    finally:
        for process in started:
            process.kill()
            process.communicate()


def test_bad_argument_is_one_line_and_status_2(tmp_path: Path) -> None:
    status, output = finished(start(tmp_path, "prot=5001"))
    assert status == 2
    assert re.fullmatch(r"batchscope: an argument must be one of .*\n", output)


def test_environment_names_the_store_and_an_argument_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    assert dashboard.parse([]).tracking.uri == "http://127.0.0.1:1"
    assert dashboard.parse(["tracking.uri=sqlite:///x.db"]).tracking.uri == "sqlite:///x.db"
