"""Real faults: a full disk, one that cannot be written to, a server that is killed, many sweeps at once."""

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.errors import Failed
from pipeline.tracking import database
from pipeline.tracking.mlflow import Tracking
from tests import server
from tests.zygote import descendants, kill

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


# From nothing to what the two new cells need, in bytes.
LEFT = [0, 4096, 8192, 12_288, 20_480, 40_000, 60_000, 80_000, 100_000, 120_000, 140_000, 150_000, 170_000, 190_000,
        210_000, 240_000, 270_000, 300_000, 350_000, 400_000]  # fmt: skip


@pytest.mark.fault("a full disk")
@pytest.mark.slow
@pytest.mark.parametrize("left", LEFT)
def test_a_full_disk_is_said_in_one_line_and_costs_nothing_that_was_finished(zygote, small_disk, tmp_path, left):
    mlruns, said = small_disk / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    status, text = zygote.run(said, *sweep(10, 20), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    fill(small_disk, left=left)
    check_short_of_room(zygote, small_disk, said)


def check_short_of_room(zygote, disk, said):
    """A sweep says that there is no room, or finds enough; what was finished stays, and the rest follows."""
    mlruns = disk / "mlruns"
    status, text = zygote.run(said, *sweep(10, 20, 30, 40), BATCHSCOPE_MLRUNS=str(mlruns))
    assert "Traceback" not in text
    # SQLite cannot make its journal without an inode.
    said_so = any(words in text for words in ("No space left", "disk is full", "unable to open database file"))
    assert (status in (1, 2) and said_so) or status == 0, text
    for filler in disk.glob("filler*"):
        filler.unlink()
    check = store_of(mlruns)
    (parent,) = check._search("tags.kind = 'sweep'")
    kept = [run for run in check.children(parent.info.run_id) if run.info.status == "FINISHED"]
    assert {"10", "20"} <= {run.data.params["batch_size"] for run in kept}
    status, text = zygote.run(said, *sweep(10, 20, 30, 40), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    check_whole(check, [10, 20, 30, 40])


@pytest.mark.fault("no inodes left")
@pytest.mark.slow
@pytest.mark.parametrize("left", [0, 1, 2, 4, 6, 9, 13, 18, 25, 35])
def test_a_disk_without_inodes_is_said_in_one_line_and_costs_nothing_that_was_finished(
    zygote, small_disk, tmp_path, left
):
    subprocess.run(["mount", "-o", "remount,nr_inodes=2000", small_disk], check=True)
    mlruns, said = small_disk / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    assert zygote.run(said, *sweep(10, 20), BATCHSCOPE_MLRUNS=str(mlruns))[0] == 0
    for number in range(os.statvfs(small_disk).f_ffree - left):
        (small_disk / f"filler-{number}").touch()
    check_short_of_room(zygote, small_disk, said)


@pytest.fixture
def failing_disk(tmp_path):
    """A file system that turns read-only at its first error, as Linux's usually do, and what makes that error."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting a file system that fails needs root and mkfs.ext4")
    folder, image = tmp_path / "disk", tmp_path / "image"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(64 * MEGABYTE)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop,errors=remount-ro", image, folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode()}")
    lines = Path("/proc/mounts").read_text().splitlines()
    device = next(line.split()[0] for line in lines if line.split()[1] == str(folder))
    yield folder, Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.fault("a disk that turns read-only in mid-sweep")
@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 5])
def test_a_disk_that_turns_read_only_in_mid_sweep_is_said_in_one_line_and_costs_nothing_that_was_finished(
    zygote, failing_disk, tmp_path, cells
):
    (disk, error), said = failing_disk, tmp_path / "said"
    mlruns, kept = disk / "mlruns", tmp_path / "kept"
    mlruns.mkdir()
    sizes = range(100, 130)
    pid = zygote.start(said, *sweep(*sizes), BATCHSCOPE_MLRUNS=str(mlruns))
    wait_for_cells(mlruns, cells, lambda: zygote.has_ended(pid, 0.02))
    error.write_text("1")
    assert zygote.wait(pid) in (1, 2)
    text = said.read_text()
    assert "Traceback" not in text
    assert "Read-only file system" in text or "readonly database" in text, text
    # The disk is mended: what it holds is on another.
    shutil.copytree(mlruns, kept)
    (tmp_path / "new").mkdir()
    shutil.move(kept, tmp_path / "new" / "mlruns")
    status, text = zygote.run(said, *sweep(*sizes), BATCHSCOPE_MLRUNS=str(tmp_path / "new" / "mlruns"))
    assert status == 0, text
    check_whole(store_of(tmp_path / "new" / "mlruns"), sizes)


def wait_for_cells(mlruns, cells, has_ended):
    """Wait until so many cells have ended; `has_ended` waits a moment, and says whether the sweep has."""
    while len(list(mlruns.glob("hydra/sweeps/*/outcomes/[0-9]*.json"))) < cells:
        assert not has_ended(), "the sweep ended before"


NO_LOCKS = """
#include <errno.h>
#include <stdlib.h>
int flock(int handle, int operation) { errno = atoi(getenv("FLOCK_ERRNO")); return -1; }
"""


@pytest.mark.fault("a file system without file locks")
@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_refused_in_one_line(command, zygote, tmp_path, number):
    if shutil.which("gcc") is None:
        pytest.skip("what stands in for such a file system needs gcc")
    mlruns, library = tmp_path / "mlruns", tmp_path / "no_locks.so"
    mlruns.mkdir()
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=NO_LOCKS, text=True, check=True)
    environment = {"LD_PRELOAD": str(library), "FLOCK_ERRNO": str(number)}
    for arguments in (sweep(10, 20), ["draws=5"]):
        done = command(*arguments, mlruns=mlruns, **environment)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
        assert "must be on a file system with file locks (flock); found: " in done.stderr
    status, text = zygote.run(tmp_path / "said", *sweep(10, 20), BATCHSCOPE_MLRUNS=str(mlruns))
    assert status == 0, text
    check_whole(store_of(mlruns), [10, 20])


@pytest.mark.fault("a full disk while the store is made")
@pytest.mark.parametrize("left", [0, 200_000, 500_000, 800_000])
def test_a_disk_that_is_full_when_the_store_is_made_leaves_none_and_the_next_start_makes_it(
    small_disk, monkeypatch, store_content, left
):
    monkeypatch.setattr(database, "empty_store", lambda artifacts: store_content)
    uri = f"sqlite:///{small_disk}/mlruns/mlflow.db"
    (small_disk / "mlruns").mkdir()
    fill(small_disk, left=left)
    with pytest.raises(Failed, match=r"mlruns must have room for the store; found: No space left on device: make room"):
        Tracking(uri=uri).open()
    assert [path.name for path in (small_disk / "mlruns").iterdir()] == ["mlflow.db.lock"]
    (small_disk / "filler").unlink()
    assert Tracking(uri=uri).open().newest() is None


@pytest.mark.fault("a kill while the store is made", times=12)
@pytest.mark.slow
def test_a_command_that_is_killed_while_it_makes_the_store_costs_the_next_start_nothing(zygote, tmp_path):
    instants = random.Random(18)
    for number in range(12):
        mlruns, said = tmp_path / f"mlruns-{number}", tmp_path / f"said-{number}"
        mlruns.mkdir()
        pid = zygote.start(said, *sweep(10), BATCHSCOPE_MLRUNS=str(mlruns))
        while not (mlruns / "mlflow.db.lock").exists():
            assert not zygote.has_ended(pid, 0.005), said.read_text()
        zygote.has_ended(pid, instants.uniform(0, 4))
        kill(pid, whole_tree=True)
        zygote.wait(pid)
        status, text = zygote.run(said, *sweep(10), BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        assert not list(mlruns.glob("*half-made*"))
        check_whole(store_of(mlruns), [10])


@pytest.mark.fault("a disk that cannot be written to")
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


@pytest.mark.fault("2 and 8 sweeps at once on a fresh store")
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


@pytest.mark.fault("a server that is killed in mid-sweep")
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
        while len(delivered(store)) < 3:
            assert not zygote.has_ended(pid, 0.1), said.read_text()
        kill(served.process.pid, whole_tree=True)
        assert zygote.wait(pid) == 1, said.read_text()
    text = said.read_text()
    assert "Traceback" not in text
    assert "the store must answer" in text
    kept = [json.loads(path.read_text()) for path in (mlruns / "undelivered").glob("[!.]*/run.json")]
    assert kept
    assert f"{len(kept)} results are kept" in text
    with server.mlflow(backend, tmp_path / "server", port=port):
        # One is both where the server took it, and was killed before it said so.
        assert sorted(delivered(store) | {int(run["params"]["batch_size"]) for run in kept}) == list(sizes)
        status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
        assert status == 0, text
        assert "30 of 30 cells are finished already" in text
        assert list((mlruns / "undelivered").glob("*")) == []
        check_whole(store, sizes)


def delivered(store):
    """The batch sizes of the finished cells that a store has."""
    runs = [run for parent in store._search("tags.kind = 'sweep'") for run in store.children(parent.info.run_id)]
    return {int(run.data.params["batch_size"]) for run in runs if run.info.status == "FINISHED"}


@pytest.mark.fault("a server that is not there")
@pytest.mark.slow
def test_a_store_that_does_not_answer_is_found_before_the_first_cell(zygote, tmp_path):
    mlruns, said = tmp_path / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    uri = f"tracking.uri=http://127.0.0.1:{server.free_port()}"
    status, text = zygote.run(said, *sweep(10), uri, BATCHSCOPE_MLRUNS=str(mlruns))
    assert (status, len(text.splitlines())) == (2, 1), text
    assert "tracking.uri must be a store that answers" in text
    assert not (mlruns / "undelivered").exists()


@pytest.mark.fault("a kill of one worker")
@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_cell(zygote, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_joblib_launcher", reason="needs the extra joblib")
    mlruns, said = tmp_path / "mlruns", tmp_path / "said"
    mlruns.mkdir()
    asked = [*sweep(*range(100, 140)), "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(mlruns))
    wait_for_cells(mlruns, 2, lambda: zygote.has_ended(pid, 0.05))
    workers = [each for each in descendants(pid) if is_worker(each)]
    os.kill(workers[0], signal.SIGKILL)
    assert zygote.wait(pid) == 0, said.read_text()
    assert "the launcher ended early" in said.read_text()
    check_whole(store_of(mlruns), range(100, 140))


def is_worker(pid):
    with suppress(OSError):
        return b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


@pytest.mark.fault("a lost terminal under nohup")
@pytest.mark.slow
def test_a_sweep_under_nohup_outlives_its_terminal(tmp_path):
    mlruns = tmp_path / "mlruns"
    mlruns.mkdir()
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(
        ["nohup", sys.executable, "-m", "pipeline", *sweep(*range(100, 130))],
        env={**os.environ, "BATCHSCOPE_MLRUNS": str(mlruns), "PYTHONPATH": str(root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        wait_for_cells(mlruns, 1, lambda: time.sleep(0.05) or running.poll() is not None)
        assert running.poll() is None
        running.send_signal(signal.SIGHUP)
        assert running.wait() == 0
    check_whole(store_of(mlruns), range(100, 130))
