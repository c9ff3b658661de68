"""A sweep that is killed at any instant and started again ends as if nothing had happened."""

import random

import pandas as pd
import pytest

from pipeline.tracking import Tracking
from tests.zygote import Zygote, kill

SIZES = (3, 10, 30, 100, 300)
KILLS = 30
LAUNCHERS = {
    "basic": ([], "hydra"),
    "joblib": (["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"], "hydra_plugins.hydra_joblib_launcher"),
    "submitit": (["hydra/launcher=submitit_local"], "hydra_plugins.hydra_submitit_launcher"),
    "ray": (["hydra/launcher=ray"], "hydra_plugins.hydra_ray_launcher"),
}


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume") / "mlruns"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def zygote(mlruns):
    # No handler may be left behind by a killed process: atexit and signals are what SIGKILL skips.
    running = Zygote({"BATCHSCOPE_MLRUNS": str(mlruns), "COLUMNS": "100"})
    yield running
    running.close()


def store_of(mlruns, experiment):
    return Tracking(uri=f"sqlite:///{mlruns}/mlflow.db", experiment=experiment).open()


def command(experiment, *more, sizes=SIZES):
    listed = ",".join(map(str, sizes))
    return ["--multirun", "draws=2000", f"batch_size={listed}", f"tracking.experiment={experiment}", *more]


def cells_of(store):
    """The one sweep's finished cells by batch size; fails if there are two of a cell, two sweeps, or one RUNNING."""
    sweeps = store._search("tags.kind = 'sweep'")
    assert len(sweeps) == 1
    assert sweeps[0].info.status == "FINISHED"
    runs = store.children(sweeps[0].info.run_id)
    assert {run.info.status for run in runs} <= {"FINISHED", "KILLED"}
    finished = [run for run in runs if run.info.status == "FINISHED"]
    found = {int(run.data.params["batch_size"]): run for run in finished}
    assert len(found) == len(finished)
    return found


@pytest.fixture(scope="module")
def undisturbed(zygote, mlruns, tmp_path_factory):
    said = tmp_path_factory.mktemp("said") / "undisturbed"
    assert zygote.wait(zygote.start(said, *command("undisturbed"))) == 0, said.read_text()
    store = store_of(mlruns, "undisturbed")
    return {size: store.read_table(run.info.run_id, "draws.parquet") for size, run in cells_of(store).items()}


def check_as_undisturbed(store, undisturbed):
    cells = cells_of(store)
    assert set(cells) == set(undisturbed)
    for size, run in cells.items():
        table = store.read_table(run.info.run_id, "draws.parquet")
        pd.testing.assert_frame_equal(table, undisturbed[size], check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_thirty_kills_leave_one_parent_and_one_finished_child_a_cell(
    zygote, mlruns, undisturbed, tmp_path, launcher, monkeypatch
):
    more, plugin = LAUNCHERS[launcher]
    pytest.importorskip(plugin, reason=f"the launcher {launcher} is not installed")
    rng = random.Random(launcher)
    seconds, left, sweeps = 2.0, KILLS, 0
    while left:
        experiment, sweeps = f"{launcher}-{sweeps}", sweeps + 1
        said = tmp_path / experiment
        # At most five kills a sweep, so that there are many beginnings and many ends.
        for _ in range(rng.randint(1, min(5, left))):
            pid = zygote.start(said, *command(experiment, *more))
            if zygote.has_ended(pid, rng.uniform(0.05, seconds)):
                assert zygote.wait(pid) == 0, said.read_text()
                seconds *= 0.9
                break
            kill(pid, whole_tree=rng.random() < 0.5)
            assert zygote.wait(pid) == -9
            left -= 1
            seconds = min(seconds * 1.05, 30)
        assert zygote.wait(zygote.start(said, *command(experiment, *more))) == 0, said.read_text()
        check_as_undisturbed(store_of(mlruns, experiment), undisturbed)
