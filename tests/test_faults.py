"""Real faults: a full disk, one that cannot be written to, a server that is killed, many sweeps at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.tracking import Tracking
from tests import server
from tests.zygote import descendants

MEGABYTE = 2**20


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def sweep(*sizes):
    return ["--multirun", "draws=200", f"batch_size={','.join(map(str, sizes))}"]


def store_of(mlruns):
    return Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open()


def check_whole(store, sizes):
    """One finished sweep with one finished child a size, whose tables can be read."""
    (parent,) = store._search("tags.kind = 'sweep'")
    runs = store.children(parent.info.run_id)
    assert parent.info.status == "FINISHED"
    finished = [run for run in runs if run.info.status == "FINISHED"]
    assert sorted(int(run.data.params["batch_size"]) for run in finished) == sorted(sizes)
    assert {run.info.status for run in runs} <= {"FINISHED", "FAILED", "KILLED"}
    for run in finished:
        assert len(store.read_table(run.info.run_id, "draws.parquet")) == 200


def fill(folder, *, left):
    with (folder / "filler").open("wb") as filler:
        available = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        filler.write(bytes(max(0, available - left)))


@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 40_000, 150_000])
def test_a_full_disk_is_said_in_one_line_and_costs_nothing_that_was_finished(zygote, small_disk, tmp_path, left):
    mlruns, said = small_disk / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    status, text = zygote.run(said, *sweep(10, 20), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    fill(small_disk, left=left)
    status, text = zygote.run(said, *sweep(10, 20, 30, 40), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status in (1, 2), text
    assert "Traceback" not in text
    assert "No space left" in text or "disk is full" in text, text
    (small_disk / "filler").unlink()
    check = Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open()
    (parent,) = check._search("tags.kind = 'sweep'")
    kept = [run for run in check.children(parent.info.run_id) if run.info.status == "FINISHED"]
    assert {"10", "20"} <= {run.data.params["batch_size"] for run in kept}
    status, text = zygote.run(said, *sweep(10, 20, 30, 40), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    check_whole(check, [10, 20, 30, 40])


@pytest.mark.slow
def test_a_disk_that_cannot_be_written_to_is_refused_in_one_line(zygote, small_disk, tmp_path):
    mlruns, said = small_disk / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    assert zygote.run(said, *sweep(10), BATCHSCOPE_MLRUNS=str(mlruns))[0] == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for arguments in (sweep(10, 20), ["draws=5"]):
        status, text = zygote.run(said, *arguments, BATCHSCOPE_MLRUNS=str(mlruns))
        assert (status, len(text.splitlines())) == (2, 1), text
        assert "Read-only file system" in text
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    check_whole(store_of(mlruns), [10])


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [[(10, 20, 30)] * 2, [(size, size + 1) for size in range(10, 90, 10)]])
def test_sweeps_that_start_together_on_a_fresh_store_lose_nothing_and_do_nothing_twice(zygote, tmp_path, sizes):
    mlruns = tmp_path / "mlruns"
    mlruns.mkdir()
    says = [tmp_path / f"said-{number}" for number in range(len(sizes))]
    started = [
        zygote.start(said, *sweep(*own), BATCHSCOPE_MLRUNS=str(mlruns)) for said, own in zip(says, sizes, strict=True)
    ]
    ends = [zygote.wait(pid) for pid in started]
    assert ends == [0] * len(sizes), [said.read_text() for said in says]
    assert not any("locked" in said.read_text() for said in says)
    check_whole(store_of(mlruns), sorted({size for own in sizes for size in own}))


@pytest.mark.slow
def test_a_store_lost_midway_gets_the_results_when_it_is_back(zygote, tmp_path):
    mlruns, said = tmp_path / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    backend, port = f"sqlite:///{tmp_path}/server.db", server.free_port()
    sizes = tuple(range(100, 130))
    with server.mlflow(backend, tmp_path / "server", port=port) as served:
        asked = [*sweep(*sizes), f"tracking.uri={served.uri}"]
        pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        store = Tracking(uri=served.uri).open()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            parents = store._search("tags.kind = 'sweep'")
            if parents and len(store.children(parents[0].info.run_id)) >= 3:
                break
            time.sleep(0.1)
        for each in descendants(served.process.pid):
            os.kill(each, signal.SIGKILL)
        assert zygote.wait(pid) == 1
    text = said.read_text()
    assert "Traceback" not in text
    assert "the store must answer" in text
    kept = len(list((mlruns / "undelivered").glob("[!.]*")))
    assert f"{kept} results are kept" in text
    assert kept > 20
    with server.mlflow(backend, tmp_path / "server", port=port):
        status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        assert "30 of 30 cells are finished already" in text
        assert list((mlruns / "undelivered").glob("*")) == []
        check_whole(store, sizes)


@pytest.mark.slow
def test_a_store_that_does_not_answer_is_found_before_the_first_cell(zygote, tmp_path):
    mlruns, said = tmp_path / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    uri = f"tracking.uri=http://127.0.0.1:{server.free_port()}"
    status, text = zygote.run(said, *sweep(10), uri, BATCHSCOPE_MLRUNS=str(mlruns))
    assert (status, len(text.splitlines())) == (2, 1), text
    assert "tracking.uri must be a store that answers" in text
    assert not (mlruns / "undelivered").exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_cell(zygote, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra joblib")
    mlruns, said = tmp_path / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    asked = [*sweep(*range(100, 140)), "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(list(mlruns.glob("hydra/sweeps/*/outcomes/[0-9]*.json"))) < 2:
        time.sleep(0.05)
    workers = [each for each in descendants(pid) if is_worker(each)]
    os.kill(workers[0], signal.SIGKILL)
    assert zygote.wait(pid) == 0, said.read_text()
    assert "the launcher ended early" in said.read_text()
    check_whole(store_of(mlruns), range(100, 140))


def is_worker(pid):
    return b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()


@pytest.mark.slow
def test_a_sweep_under_nohup_outlives_its_terminal(tmp_path):
    mlruns = tmp_path / "mlruns"
    mlruns.mkdir()
    root = Path(__file__).resolve().parents[1]
    running = subprocess.Popen(
        ["nohup", sys.executable, "-m", "pipeline", *sweep(*range(100, 130))],
        env={**os.environ, "BATCHSCOPE_MLRUNS": str(mlruns), "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(mlruns.glob("hydra/sweeps/*/outcomes/[0-9]*.json")):
        time.sleep(0.05)
    running.send_signal(signal.SIGHUP)
    assert running.wait(120) == 0
    check_whole(store_of(mlruns), range(100, 130))
