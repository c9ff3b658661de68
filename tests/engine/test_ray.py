"""`engine=ray` finds what the threads find, to the last byte, whatever becomes of its actors."""

import os
import signal
import subprocess
import sys
import time
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from pipeline import engine
from pipeline.engine import ray as room
from pipeline.errors import BadInput, Failed
from pipeline.scoring.job import Job
from tests.engine.parts import Made, files_of, run, write_weights

ROOT = Path(__file__).resolve().parents[2]
# Generous: the machine may be busy, and a wait ends as soon as what it waits for is there.
PATIENCE = 300
# What Ray leaves open or warns of is not ours to mend.
QUIET = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]


def needs_ray():
    # Not by importing it: whether there is a token is settled by then.
    if find_spec("ray") is None:
        pytest.skip("needs make setup-extras")


@pytest.fixture(scope="class")
def cluster():
    """A cluster that lives through several scorings, as one that a launcher of Hydra's has started."""
    needs_ray()
    with room._cluster(None, least=3) as ray:
        yield ray


class TestOnACluster:
    pytestmark = QUIET

    def test_any_number_of_workers_leaves_the_bytes_that_threads_leave(
        self, cluster, model, marks, tmp_path, monkeypatch
    ):
        data = Made(folder=marks)
        threads = files_of(engine.MEMBERS["threads"](), data, model, tmp_path / "threads", monkeypatch)
        for count in (1, 2, 3):
            part = engine.MEMBERS["ray"](workers=count)
            assert files_of(part, data, model, tmp_path / str(count), monkeypatch) == threads

    def test_rows_in_memory_have_the_same_bytes_as_with_local_workers(self, cluster, model, tmp_path, monkeypatch):
        data = Made(is_in_memory=True, shards=3, rows_each=50_001)
        ours, theirs = [
            files_of(engine.MEMBERS[name](workers=2), data, model, tmp_path / name, monkeypatch)
            for name in ("ray", "local")
        ]
        assert ours == theirs

    def test_a_killed_actor_s_shard_is_scored_by_another_and_a_poisonous_one_given_up(self, cluster, model, marks):
        data = Made(folder=marks, kills_once=[0], kills=[3])
        found, said = run(engine.MEMBERS["ray"](workers=2), data, model)
        assert sorted(found) == [0, 1, 2, 4, 5]
        assert isinstance(said, Failed)
        assert str(said).startswith("1 of 6 shards could not be scored in 3 tries; found WorkerDied:")
        # A dead actor also spends an attempt of the shards that waited for it, so how often each began varies.
        assert data.begun().count(0) in (2, 3)
        assert data.begun().count(3) in (1, 2, 3)

    def test_a_damaged_shard_is_named_and_a_failure_tried_again(self, cluster, model, marks):
        found, said = run(engine.MEMBERS["ray"](workers=2), Made(folder=marks, damaged=[2], fails_once=[4]), model)
        assert sorted(found) == [0, 1, 3, 4, 5]
        assert type(said) is BadInput
        assert str(said) == "shard 2 must be whole; found half of it"

    def test_rows_that_a_worker_cannot_load_are_said_once(self, cluster, model, marks):
        data = Made(folder=marks, cannot_load=str(os.getpid()))
        found, said = run(engine.MEMBERS["ray"](workers=2), data, model)
        assert (found, str(said)) == ({}, "the rows must be here; found none")


@pytest.mark.parametrize("name", ["local", pytest.param("ray", marks=pytest.mark.slow)])
def test_ctrl_c_leaves_no_process_behind_and_keeps_what_was_finished(tmp_path, name):
    if name == "ray":
        needs_ray()
    (marks := tmp_path / "marks").mkdir()
    weights = write_weights(tmp_path / "weights.npz")
    code = f"""
from pipeline import engine
from pipeline.scoring.job import Job
from pipeline.model.npz import Npz
from tests.engine.parts import Made
from tests.evaluation import cached
data, model = Made(folder={str(marks)!r}, shards=40, seconds=1.0), Npz(path={weights!r})
job = Job(data, "test", model, None)
cached(model.build(data), data.rows("test"), engine.MEMBERS[{name!r}](workers=2), job, None)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "BATCHSCOPE_MLRUNS": str(tmp_path / "mlruns")},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
        # A shell without job control starts its commands with it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    done = tmp_path / "mlruns" / "cache" / "scores"
    _wait_for(lambda: any(1 in path.read_bytes() for path in done.glob("*/done")))
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) != 0
    _wait_for(lambda: not _beneath(str(tmp_path)))
    (found,) = done.glob("*/done")
    assert 1 <= found.read_bytes().count(1) < 40


def _wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def _beneath(mark):
    """The processes that were started with a mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if f"BATCHSCOPE_MLRUNS={mark}/".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def test_a_cluster_that_is_not_there_is_refused_in_one_line(model, marks, monkeypatch):
    needs_ray()
    # Ray would find any of this machine, such as that of another test.
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("ray._private.services.find_gcs_addresses", cache(set))
    monkeypatch.setattr("ray._private.services.find_bootstrap_address", lambda folder: None)
    data = Made(folder=marks)
    with pytest.raises(BadInput, match=r"^engine\.address must be that of a Ray cluster that runs; found none at auto"):
        engine.MEMBERS["ray"](address="auto").run(Job(data, "test", model, None), [0], lambda *_: None)


def test_without_ray_the_extra_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(BadInput, match=r"^engine=ray needs Ray .*make setup-extras"):
        engine.MEMBERS["ray"]().run(Job(Made(), "test", model, None), [0], lambda *_: None)


@pytest.mark.parametrize(("key", "value"), [("workers", -1), ("cpus_per_worker", 0), ("address", " ")])
def test_what_makes_no_sense_is_refused(key, value):
    with pytest.raises(BadInput, match=rf"^engine\.{key} must "):
        engine.MEMBERS["ray"](**{key: value})
