"""Real interruptions of a sweep: signals under every launcher, a pause, a locked store, a server that misbehaves.

Each ends without a traceback and leaves nothing RUNNING, and the next start ends as if nothing had happened.
"""

import http.server
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.test_faults import check_whole, store_of, sweep
from tests.zygote import descendants, send, state, stop

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
SIZES = tuple(range(100, 112))
# `make faults` holds it longer.
LOCK_SECONDS = float(os.environ.get("BATCHSCOPE_LOCK_SECONDS", "8"))
LAUNCHERS = {
    "basic": ([], "hydra"),
    "joblib": (["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], "hydra_plugins.hydra_joblib_launcher"),
    "submitit": (["hydra/launcher=submitit_local"], "hydra_plugins.hydra_submitit_launcher"),
    "ray": (["hydra/launcher=ray"], "hydra_plugins.hydra_ray_launcher"),
}
OF_A_PERSON = (signal.SIGINT,)
# How often an instant is looked for that a fast process may have passed before it was seen.
ATTEMPTS = 10


def met(attempt, new_mlruns, tmp_path):
    """Let an attempt find its instant, with a new store and a new file for what is said each time, until it has."""
    assert any(attempt(new_mlruns(), tmp_path / f"said-{number}") for number in range(ATTEMPTS)), "never met"


def outcomes(mlruns):
    return list(mlruns.glob("hydra/sweeps/*/outcomes/[0-9]*.json"))


def started(zygote, mlruns, said, asked):
    """Start a sweep and return its process once a cell has ended, or all have."""
    pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    while not outcomes(mlruns) and not zygote.has_ended(pid, 0.01):
        pass
    assert outcomes(mlruns), said.read_text()
    return pid


def status_of(number):
    return 130 if number == signal.SIGINT else 128 + number


def line_of(number):
    how = "interrupted" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"
    return f"batchscope: {how}; what was finished is kept"


def told(said):
    """The lines that were said; those on a wait for another process come where the machine is busy."""
    return [line for line in said.read_text().splitlines() if not line.startswith("batchscope: waiting for ")]


def statuses(store):
    (parent,) = store._search("tags.kind = 'sweep'")
    return parent.info.status, {run.info.status for run in store.children(parent.info.run_id)}


def was_stopped(mlruns, said, status, number):
    """Check what a signal has left of a sweep; False where that had done all before, or left no run."""
    assert "Traceback" not in said.read_text(), said.read_text()
    if not store_of(mlruns)._search("tags.kind = 'sweep'") or statuses(store_of(mlruns))[0] == "FINISHED":
        return False
    assert (status, told(said)) == (status_of(number), [line_of(number)])
    parent, cells = statuses(store_of(mlruns))
    assert parent == "KILLED"
    assert cells <= {"FINISHED", "KILLED"}
    return True


def check_next_start(zygote, mlruns, said, asked):
    status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    check_whole(store_of(mlruns), SIZES)


def wait_for_end_of(below):
    """Wait until none of the processes lives, given by id and start."""
    deadline = time.monotonic() + 60
    while alive := [pid for pid, start in below.items() if start is not None and state(pid)[1] == start]:
        assert time.monotonic() < deadline, alive
        time.sleep(0.05)


def of_launcher(launcher):
    more, plugin = LAUNCHERS[launcher]
    pytest.importorskip(plugin, reason=f"the launcher {launcher} is not installed")
    return [*sweep(*SIZES), *more]


@pytest.mark.fault("Ctrl-C, SIGTERM from a scheduler, or a lost terminal")
@pytest.mark.parametrize("launcher", LAUNCHERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_sweep_leaves_no_worker_and_nothing_running(zygote, new_mlruns, tmp_path, launcher, number):
    asked = of_launcher(launcher)

    def attempt(mlruns, said):
        pid = started(zygote, mlruns, said, asked)
        below = {each: state(each)[1] for each in descendants(pid) if each != pid}
        with suppress(ProcessLookupError):
            # A terminal sends it to all of its processes, a scheduler to the one that it started.
            (os.killpg if number in OF_A_PERSON else os.kill)(pid, number)
        status = zygote.wait(pid)
        if is_met := was_stopped(mlruns, said, status, number):
            wait_for_end_of(below)
            check_next_start(zygote, mlruns, said, asked)
        return is_met

    met(attempt, new_mlruns, tmp_path)


@pytest.mark.fault("Ctrl-C while the workers start")
@pytest.mark.parametrize("launcher", ["joblib", "submitit"])
def test_ctrl_c_while_the_workers_start_is_said_in_one_line(zygote, new_mlruns, tmp_path, launcher):
    asked = of_launcher(launcher)

    def attempt(mlruns, said):
        pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        while not any(map(is_worker, descendants(pid))) and not zygote.has_ended(pid, 0.005):
            pass
        # They import for seconds.
        zygote.has_ended(pid, 0.5)
        below = {each: state(each)[1] for each in descendants(pid) if each != pid}
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGINT)
        status = zygote.wait(pid)
        if is_met := was_stopped(mlruns, said, status, signal.SIGINT):
            wait_for_end_of(below)
            check_next_start(zygote, mlruns, said, asked)
        return is_met

    met(attempt, new_mlruns, tmp_path)


def is_worker(pid):
    with suppress(OSError):
        called = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"popen_loky" in called or b"submitit" in called
    return False


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
    asked = ["draws=20000", "batch_size=100"]

    def attempt(mlruns, said, place):
        pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        while not list(mlruns.glob(place)) and not zygote.has_ended(pid, 0.0005):
            pass
        if not zygote.has_ended(pid, 0):
            send([pid], number)
        status = zygote.wait(pid)
        assert "Traceback" not in said.read_text(), said.read_text()
        before = [run.info.status for run in cells_alone(mlruns)]
        if status == 0 or "FINISHED" in before:
            return False
        assert (status, said.read_text()) == (status_of(number), f"{line_of(number)}\n")
        assert set(before) <= {"KILLED"}
        had_result = bool(list(mlruns.glob("undelivered/[!.]*")))
        assert had_result or place in (AT_WORK["it evaluates"], AT_WORK["its package is written"])
        status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        statuses = [run.info.status for run in cells_alone(mlruns)]
        assert set(statuses) <= {"FINISHED", "KILLED"}
        assert statuses.count("FINISHED") == 1 + had_result
        assert not [*mlruns.glob("undelivered/*"), *mlruns.glob("artifacts/*/artifacts/.*")]
        return True

    for step, place in enumerate(AT_WORK.values()):
        (tmp_path / f"{step}").mkdir()
        met(lambda mlruns, said, place=place: attempt(mlruns, said, place), new_mlruns, tmp_path / f"{step}")


def cells_alone(mlruns):
    return store_of(mlruns)._search("tags.kind = 'cell'")


# Sends the process a signal when it imports a module.
SENDS = """
import os, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "{module}" and not sys.modules.get("sent"):
            sys.modules["sent"] = os
            os.kill(os.getpid(), {number})
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.fault("Ctrl-C, SIGTERM or a lost terminal while a command starts")
@pytest.mark.parametrize(
    ("number", "module", "asked"),
    [
        (signal.SIGINT, "hydra", ["draws=5"]),
        (signal.SIGTERM, "hydra", sweep(10)),
        (signal.SIGHUP, "hydra", ["draws=5"]),
        (signal.SIGINT, "pipeline.commands.report", ["report"]),
    ],
)
def test_a_command_that_is_stopped_while_it_starts_says_so_in_one_line(tmp_path, number, module, asked):
    (tmp_path / "sitecustomize.py").write_text(SENDS.format(module=module, number=int(number)))
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "BATCHSCOPE_MLRUNS": str(tmp_path / "mlruns")}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *asked],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        # The tests may run where they are ignored.
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )
    assert (done.returncode, done.stdout, done.stderr) == (status_of(number), "", f"{line_of(number)}\n")


@pytest.mark.fault("Ctrl-C twice")
@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.5])
def test_a_second_ctrl_c_costs_nothing(zygote, new_mlruns, tmp_path, seconds):
    asked = sweep(*SIZES)

    def attempt(mlruns, said):
        pid = started(zygote, mlruns, said, asked)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGINT)
            zygote.has_ended(pid, seconds)
            # It may have ended already.
            os.killpg(pid, signal.SIGINT)
        if is_met := was_stopped(mlruns, said, zygote.wait(pid), signal.SIGINT):
            check_next_start(zygote, mlruns, said, asked)
        return is_met

    met(attempt, new_mlruns, tmp_path)


@pytest.mark.fault("a pause (SIGSTOP)")
@pytest.mark.parametrize("launcher", ["basic", "joblib"])
def test_a_sweep_that_is_paused_goes_on(zygote, new_mlruns, tmp_path, launcher):
    asked = of_launcher(launcher)

    def attempt(mlruns, said):
        pid = started(zygote, mlruns, said, asked)
        stopped = stop(pid)
        while {state(each)[0] for each in stopped} - {"T", None}:
            time.sleep(0.01)
        ended = len(outcomes(mlruns))
        time.sleep(LOCK_SECONDS)
        is_met = not zygote.has_ended(pid, 0) and len(outcomes(mlruns)) == ended < len(SIZES)
        send(stopped, signal.SIGCONT)
        assert zygote.wait(pid) == 0, said.read_text()
        check_whole(store_of(mlruns), SIZES)
        return is_met

    met(attempt, new_mlruns, tmp_path)


@pytest.mark.fault("another process holds the store's write lock")
def test_a_store_that_another_process_writes_to_all_the_while_loses_nothing(zygote, new_mlruns, tmp_path):
    asked = sweep(*SIZES)

    def attempt(mlruns, said):
        pid = started(zygote, mlruns, said, asked)
        with closing(sqlite3.connect(mlruns / "mlflow.db", timeout=60)) as other:
            other.execute("BEGIN IMMEDIATE")
            # The sweep's own: as long as the lock is held, it cannot end.
            (running,) = other.execute("SELECT count(*) FROM runs WHERE status = 'RUNNING'").fetchone()
            if running:
                time.sleep(LOCK_SECONDS)
            other.rollback()
        assert zygote.wait(pid) in (0, 1)
        assert "Traceback" not in said.read_text()
        if running:
            check_next_start(zygote, mlruns, said, asked)
            assert list((mlruns / "undelivered").glob("*")) == []
        return running

    met(attempt, new_mlruns, tmp_path)


class _Server(http.server.BaseHTTPRequestHandler):
    fault = "500"

    def _answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.fault == "slow":
            # Longer than the client waits.
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
        try:
            status, text = zygote.run(said, *sweep(10), uri, BATCHSCOPE_MLRUNS=str(mlruns), **more)
        finally:
            misbehaving.shutdown()
    assert (status, len(text.splitlines())) == (2, 1), text
    assert "tracking.uri must be a store that answers" in text
    assert not (mlruns / "undelivered").exists()


@pytest.mark.fault("data that change while the sweep runs")
def test_data_that_change_in_mid_sweep_are_said_in_few_lines_and_evaluated_by_the_next_start(
    zygote, new_mlruns, tmp_path
):
    rows, new = tmp_path / "rows.csv", tmp_path / "new.csv"
    first = "label,logit_0,logit_1\n" + "0,1,0\n1,0,1\n0,0.5,1\n" * 2000
    asked = [*of_launcher("joblib"), "data=predictions", f"data.path={rows}"]

    def attempt(mlruns, said):
        rows.write_text(first)
        new.write_text(first.replace("0,1,0", "0,3,0"))
        pid = started(zygote, mlruns, said, asked)
        # In one step, as a careful writer does.
        new.replace(rows)
        status, text = zygote.wait(pid), said.read_text()
        assert "Traceback" not in text
        if status == 0:
            return False
        assert status == 1, text
        assert 1 <= text.count("found a change: start the sweep again") <= 3
        assert "the next start evaluates what is there then" in text
        status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        finished = store_of(mlruns).children(store_of(mlruns).newest_sweep().info.run_id)
        assert [run.info.status for run in finished] == ["FINISHED"] * len(SIZES)
        return True

    met(attempt, new_mlruns, tmp_path)
