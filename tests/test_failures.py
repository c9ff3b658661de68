"""What goes wrong in mid-work: nothing is lost, nothing stays RUNNING, and the exit status says so."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from pipeline.tracking.mlflow import Tracking

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory):
    folder = tmp_path_factory.mktemp("failures") / "mlruns"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def store(mlruns, own_mlruns):
    return Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open()


@pytest.fixture
def broken(command, mlruns, tmp_path):
    """A function that runs a command with the real fault put in: a patch that Python applies when it starts."""

    def run(patch, *arguments, **environment):
        (tmp_path / "sitecustomize.py").write_text(patch)
        path = f"{tmp_path}:{ROOT}"
        return command(*arguments, mlruns=mlruns, **({"PYTHONPATH": path} | environment))

    return run


FAILING_CELL = """
import pipeline.study.evaluate as room
result = room.Evaluate.result
def fails(self, stages, scored, estimates, seconds):
    if stages.experiment.batch_size == 20:
        raise ArithmeticError("a fault in the middle")
    return result(self, stages, scored, estimates, seconds)
room.Evaluate.result = fails
"""

FAILING_LOG = """
import pipeline.tracking.upload as room
upload_artifacts = room._upload_artifacts
def fails(client, info, artifacts):
    if client.get_run(info.run_id).data.params.get("batch_size") == "20":
        raise {error}
    return upload_artifacts(client, info, artifacts)
room._upload_artifacts = fails
"""

FAILING_PLOT = """
import pipeline.plots as room
def fails(cells, draws):
    raise ArithmeticError("no picture")
room.SWEEP_PLOTS["funnel"] = fails
"""


def statuses(store):
    parent = store.newest_sweep()
    cells = store.children(parent.info.run_id)
    return parent.info.status, {int(cell.data.params.get("batch_size", 20)): cell.info.status for cell in cells}


@pytest.mark.slow
def test_a_cell_that_fails_is_named_and_the_others_are_kept_and_the_next_start_retries_it_alone(
    broken, command, store, mlruns
):
    done = broken(FAILING_CELL, "--multirun", "draws=5", "batch_size=10,20,30")
    assert done.returncode == 1
    assert "cell batch_size=20 draws=5: a fault in the middle" in done.stderr.replace(
        "draws=5 batch_size=20", "batch_size=20 draws=5"
    )
    assert "1 of 3 cells failed (batch_size=20); the other 2 are kept" in done.stderr
    assert statuses(store) == ("FAILED", {10: "FINISHED", 20: "FAILED", 30: "FINISHED"})
    parent = store.newest_sweep().info.run_id
    frame = pd.read_csv(mlruns / "artifacts" / parent / "artifacts" / "cells.csv")
    assert frame["batch_size"].tolist() == [10, 30]
    failed = next(cell for cell in store.children(parent) if cell.info.status == "FAILED")
    kept = (mlruns / "artifacts" / failed.info.run_id / "artifacts" / "traceback.txt").read_text()
    assert "a fault in the middle" in kept
    assert failed.data.tags["error"] == "a fault in the middle"
    before = {run.info.run_id for run in store.children(parent)}
    again = command("--multirun", "draws=5", "batch_size=10,20,30", mlruns=mlruns)
    assert again.returncode == 0, again.stderr
    assert "2 of 3 cells are finished already" in again.stderr
    new = [run for run in store.children(parent) if run.info.run_id not in before]
    assert [run.data.params["batch_size"] for run in new] == ["20"]
    assert store.newest_sweep().info.run_id == parent
    assert store.newest_sweep().info.status == "FINISHED"


@pytest.mark.parametrize(
    ("error", "end"),
    [
        ("OSError(28, 'No space left')", "FAILED"),
        pytest.param("KeyboardInterrupt()", "KILLED", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_a_result_whose_logging_was_cut_off_is_kept_and_delivered_by_the_next_start(
    broken, command, store, mlruns, error, end
):
    asked = ("--multirun", "draws=5", "batch_size=10,20", f"seed={1 if end == 'FAILED' else 2}")
    done = broken(FAILING_LOG.format(error=error), *asked)
    assert done.returncode == (1 if end == "FAILED" else 130), done.stderr
    assert statuses(store) == (end, {10: "FINISHED", 20: "KILLED"})
    (kept,) = (mlruns / "undelivered").glob("[!.]*")
    wanted = pd.read_parquet(kept / "artifacts" / "draws.parquet")
    again = command(*asked, mlruns=mlruns)
    assert again.returncode == 0, again.stderr
    assert "2 of 2 cells are finished already" in again.stderr
    assert list((mlruns / "undelivered").glob("*")) == []
    parent = store.newest_sweep().info
    finished = [run for run in store.children(parent.run_id) if run.info.status == "FINISHED"]
    assert sorted(run.data.params["batch_size"] for run in finished) == ["10", "20"]
    pd.testing.assert_frame_equal(store.read_table(finished[-1].info.run_id, "draws.parquet"), wanted)


@pytest.mark.slow
def test_a_failure_at_the_very_end_of_a_sweep_is_no_success(broken, store):
    done = broken(FAILING_PLOT, "--multirun", "draws=6", "batch_size=10")
    assert done.returncode == 1
    assert "no picture" in done.stderr
    assert statuses(store) == ("FAILED", {10: "FINISHED"})


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_sweep_that_is_told_to_stop_leaves_nothing_running(store, mlruns, monkeypatch, number):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(mlruns))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    before = store.newest_sweep().info.run_id if store.newest_sweep() else None
    sizes = "batch_size=" + ",".join(str(size) for size in range(100, 140))
    sweep = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "--multirun", "draws=3000", f"seed={int(number)}", sizes],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # Pytest may run where they are ignored; a terminal's programs do not.
        preexec_fn=lambda: [signal.signal(each, signal.SIG_DFL) for each in (signal.SIGINT, signal.SIGHUP)],
    )
    while not (new := store.newest_sweep()) or new.info.run_id == before or not store.children(new.info.run_id):
        assert sweep.poll() is None, sweep.stderr.read()
        time.sleep(0.1)
    sweep.send_signal(number)
    _, said = sweep.communicate()
    status = sweep.returncode
    assert status == (130 if number == signal.SIGINT else 128 + number), said
    parent, cells = statuses(store)
    assert parent == "KILLED"
    assert set(cells.values()) <= {"FINISHED", "KILLED"}
    assert 0 < len(cells) < 40
