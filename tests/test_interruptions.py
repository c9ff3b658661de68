"""Real interruptions of a sweep: signals under every launcher, a pause, a locked store, a server that misbehaves.

Each ends without a traceback and leaves nothing RUNNING, and the next start ends as if nothing had happened.
"""

import http.server
import os
import signal
import sqlite3
import threading
import time
from contextlib import closing, suppress

import pytest

from pipeline.tracking.mlflow import Tracking
from tests.test_faults import check_whole, store_of, sweep
from tests.zygote import descendants

pytestmark = pytest.mark.slow
SIZES = tuple(range(100, 112))
# `make faults` holds it longer.
LOCK_SECONDS = float(os.environ.get("BATCHSCOPE_LOCK_SECONDS", "8"))
LAUNCHERS = {
    "basic": ([], "hydra"),
    "joblib": (["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], "hydra_plugins.hydra_joblib_launcher"),
    "submitit": (["hydra/launcher=submitit_local"], "hydra_plugins.hydra_submitit_launcher"),
}
OF_A_PERSON = (signal.SIGINT,)


@pytest.fixture
def mlruns(new_mlruns):
    return new_mlruns()


def outcomes(mlruns):
    return list(mlruns.glob("hydra/sweeps/*/outcomes/[0-9]*.json"))


def started(zygote, mlruns, said, asked):
    """Start a sweep and return its process once a cell has ended."""
    pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    deadline = time.monotonic() + 300
    while not outcomes(mlruns):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return pid


def statuses(store):
    (parent,) = store._search("tags.kind = 'sweep'")
    return parent.info.status, {run.info.status for run in store.children(parent.info.run_id)}


def of_launcher(launcher):
    more, plugin = LAUNCHERS[launcher]
    pytest.importorskip(plugin, reason=f"the launcher {launcher} is not installed")
    return [*sweep(*SIZES), *more]


@pytest.mark.fault("Ctrl-C, SIGTERM from a scheduler, or a lost terminal")
@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_sweep_leaves_no_worker_and_nothing_running(zygote, mlruns, tmp_path, launcher, number):
    asked, said = of_launcher(launcher), tmp_path / "said"
    pid = started(zygote, mlruns, said, asked)
    below = set(descendants(pid))
    # A terminal sends it to all of its processes, a scheduler to the one that it started.
    send = os.killpg if number in OF_A_PERSON else os.kill
    send(pid, number)
    assert zygote.wait(pid) == (130 if number == signal.SIGINT else 128 + number)
    assert len(said.read_text().splitlines()) <= 1, said.read_text()
    deadline = time.monotonic() + 5
    while alive := [each for each in below if each != pid and is_alive(each)]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)
    parent, cells = statuses(store_of(mlruns))
    assert parent == "KILLED"
    assert cells <= {"FINISHED", "KILLED"}
    status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    check_whole(store_of(mlruns), SIZES)


# What is there while a single cell is at something, and where.
AT_WORK = {
    "it evaluates": "hydra/runs/*",
    "its package is written": "undelivered/.*",
    "its package is delivered": "undelivered/[!.]*",
    "its files are placed": "artifacts/*/artifacts",
}


@pytest.mark.fault("Ctrl-C, SIGTERM or a lost terminal at a single cell", times=len(AT_WORK))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_cell_says_so_in_one_line_leaves_nothing_running_and_loses_no_result(
    zygote, new_mlruns, tmp_path, number
):
    asked, kept = ["draws=20000", "batch_size=100"], "what was finished is kept"
    line = "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"
    for place in AT_WORK.values():
        mlruns, said = new_mlruns(), tmp_path / f"said-{len(list(tmp_path.iterdir()))}"
        pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        while not list(mlruns.glob(place)) and not zygote.has_ended(pid, 0.0005):
            pass
        if not zygote.has_ended(pid, 0):
            os.kill(pid, number)
        status, text = zygote.wait(pid), said.read_text()
        assert status == (130 if number == signal.SIGINT else 128 + number), text
        assert text == f"batchscope: {line}; {kept}\n"
        assert {run.info.status for run in cells_alone(mlruns)} <= {"FINISHED", "KILLED"}
        had_result = place == AT_WORK["its package is delivered"]
        status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        statuses = [run.info.status for run in cells_alone(mlruns)]
        assert set(statuses) <= {"FINISHED", "KILLED"}
        assert statuses.count("FINISHED") >= 1 + had_result
        assert not [*mlruns.glob("undelivered/*"), *mlruns.glob("artifacts/*/artifacts/.*")]


def cells_alone(mlruns):
    return store_of(mlruns)._search("tags.kind = 'cell'")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.fault("Ctrl-C twice")
def test_a_second_ctrl_c_costs_nothing(zygote, mlruns, tmp_path):
    said = tmp_path / "said"
    pid = started(zygote, mlruns, said, sweep(*SIZES))
    os.killpg(pid, signal.SIGINT)
    time.sleep(0.02)
    # It may have ended already.
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGINT)
    assert zygote.wait(pid) == 130
    assert "Traceback" not in said.read_text()
    assert statuses(store_of(mlruns))[1] <= {"FINISHED", "KILLED"}
    assert zygote.run(said, *sweep(*SIZES), BATCHSCOPE_MLRUNS=str(mlruns))[0] == 0
    check_whole(store_of(mlruns), SIZES)


@pytest.mark.fault("a pause (SIGSTOP)")
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_that_is_paused_goes_on(zygote, mlruns, tmp_path, launcher):
    asked, said = of_launcher(launcher), tmp_path / "said"
    pid = started(zygote, mlruns, said, asked)
    below = descendants(pid)
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for each in below:
            if is_alive(each):
                os.kill(each, number)
        time.sleep(LOCK_SECONDS)
    assert zygote.wait(pid) == 0, said.read_text()
    check_whole(store_of(mlruns), SIZES)


@pytest.mark.fault("another process holds the store's write lock")
def test_a_store_that_another_process_writes_to_all_the_while_loses_nothing(zygote, mlruns, tmp_path):
    said = tmp_path / "said"
    pid = started(zygote, mlruns, said, sweep(*SIZES))
    with closing(sqlite3.connect(mlruns / "mlflow.db", timeout=60)) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(LOCK_SECONDS)
        other.rollback()
    assert zygote.wait(pid) in (0, 1)
    assert "Traceback" not in said.read_text()
    status, text = zygote.run(said, *sweep(*SIZES), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    check_whole(store_of(mlruns), SIZES)
    assert list((mlruns / "undelivered").glob("*")) == []


class _Server(http.server.BaseHTTPRequestHandler):
    fault = "500"

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fault == "slow":
            time.sleep(3)
        if self.fault == "half":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"experiment": ')
            return
        self.send_response(200 if self.fault in ("nonsense", "slow") else int(self.fault))
        self.end_headers()
        self.wfile.write(b"<html>" if self.fault in ("nonsense", "slow") else b"")

    do_GET = do_POST = _answer  # noqa: N815

    def log_message(self, *_):
        """Say nothing."""


@pytest.mark.fault("a server that answers 500, 429, 404, slowly, half, or nonsense")
@pytest.mark.parametrize("fault", ["500", "429", "404", "slow", "half", "nonsense"])
def test_a_server_that_misbehaves_is_named_in_one_line_before_the_first_cell(zygote, tmp_path, monkeypatch, fault):
    monkeypatch.setattr(_Server, "fault", fault)
    mlruns, said = tmp_path / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as misbehaving:
        threading.Thread(target=misbehaving.serve_forever, daemon=True).start()
        uri = f"tracking.uri=http://127.0.0.1:{misbehaving.server_port}"
        more = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"} if fault == "slow" else {}
        status, text = zygote.run(said, *sweep(10), uri, BATCHSCOPE_MLRUNS=str(mlruns), **more)
        misbehaving.shutdown()
    assert (status, len(text.splitlines())) == (2, 1), text
    assert "tracking.uri must be a store that answers" in text
    assert not (mlruns / "undelivered").exists()


@pytest.mark.fault("data that change while the sweep runs")
def test_data_that_change_in_mid_sweep_are_said_in_few_lines_and_evaluated_by_the_next_start(zygote, mlruns, tmp_path):
    rows, said = tmp_path / "rows.csv", tmp_path / "said"
    rows.write_text("label,logit_0,logit_1\n" + "0,1,0\n1,0,1\n0,0.5,1\n" * 2000)
    sizes = range(100, 112)
    asked = ["data=predictions", f"data.path={rows}", "draws=200", f"batch_size={','.join(map(str, sizes))}"]
    asked = ["--multirun", *asked, *LAUNCHERS["joblib"][0]]
    pytest.importorskip(LAUNCHERS["joblib"][1])
    pid = started(zygote, mlruns, said, asked)
    (tmp_path / "new.csv").write_text(rows.read_text().replace("0,1,0", "0,3,0"))
    # In one step, as a careful writer does.
    (tmp_path / "new.csv").replace(rows)
    status, text = zygote.wait(pid), said.read_text()
    assert status == 1, text
    assert "Traceback" not in text
    assert text.count("found a change: start the sweep again") <= 3
    assert "the next start evaluates what is there then" in text
    status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    newest = Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open().newest_sweep()
    finished = store_of(mlruns).children(newest.info.run_id)
    assert [run.info.status for run in finished] == ["FINISHED"] * len(sizes)
