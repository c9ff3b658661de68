"""A sweep that is killed at any instant and started again ends as if nothing had happened."""

import os
import random

import pandas as pd
import pytest

from pipeline.tracking.mlflow import Tracking
from tests.zygote import Zygote, kill, wait_for_orphans

SIZES = (3, 10, 30, 100, 300)
# Thirty for each launcher take half an hour on two cores.
KILLS = int(os.environ.get("BATCHSCOPE_KILLS", "30"))
# For each launcher and each instant of a delivery.
DELIVERIES = max(1, int(os.environ.get("BATCHSCOPE_KILLS", "12")) // 12)
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
@pytest.mark.fault("a kill (-9) at a random instant, of one process or of all", times=KILLS)
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_kills_at_random_instants_leave_one_parent_and_one_finished_child_a_cell(
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
            status = zygote.wait(pid)
            if status == 0:  # It ended between the look and the kill.
                break
            assert status == -9
            left -= 1
            seconds = min(seconds * 1.05, 30)
        assert zygote.wait(zygote.start(said, *command(experiment, *more))) == 0, said.read_text()
        check_as_undisturbed(store_of(mlruns, experiment), undisturbed)


def runs_of(store):
    """All runs of the sweeps in the store, by sweep."""
    return {run.info.run_id: store.children(run.info.run_id) for run in store._search("tags.kind = 'sweep'")}


def launches(mlruns):
    return len(list((mlruns / "hydra" / "sweeps").glob("*")))


@pytest.mark.slow
def test_a_sweep_that_is_done_says_so_grows_by_what_is_new_and_is_repeated_if_forced(zygote, mlruns, tmp_path):
    said, store = tmp_path / "said", store_of(mlruns, "again")

    def run(*more, sizes):
        status, text = zygote.run(said, *command("again", *more, sizes=sizes))
        assert status == 0, text
        # Where the machine is busy, a wait for what an earlier test has left is said.
        return "".join(line for line in text.splitlines(True) if not line.startswith("batchscope: waiting for "))

    first = run(sizes=(10, 30))
    (before,) = runs_of(store).values()
    started = launches(mlruns)
    second = run(sizes=(10, 30))
    assert "Nothing was evaluated: all 2 cells are finished already" in second
    assert second.splitlines()[:8] == first.splitlines()[:8]
    assert launches(mlruns) == started

    third = run(sizes=(3, 10, 30))
    assert "2 of 3 cells are finished already" in third
    ((parent, cells),) = runs_of(store).items()
    assert [run.info.run_id for run in cells[:2]] == [run.info.run_id for run in before]
    assert [run.data.params["batch_size"] for run in cells] == ["10", "30", "3"]
    assert [step for step, _ in store.metric_history(parent, "loss/rmse")] == [3, 10, 30]
    assert store.read_table(parent, "cells.csv")["batch_size"].tolist() == [3, 10, 30]

    # The sweep's page showed three cells, and now shows the one that is asked for.
    assert "1 of 1 cells are finished already" in run(sizes=(30,))
    assert "Nothing was evaluated: its cell is finished already" in run(sizes=(30,))

    run("force=true", sizes=(10, 30))
    own = runs_of(store)
    assert [len(cells) for cells in own.values()] == [3, 2]
    old, new = ({run.data.params["batch_size"]: run.info.run_id for run in cells} for cells in own.values())
    for size in ("10", "30"):
        tables = [store.read_table(found[size], "draws.parquet") for found in (old, new)]
        pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.slow
def test_a_sweep_over_another_axis_keeps_the_places_that_its_values_have(zygote, mlruns, tmp_path):
    said, store = tmp_path / "said", store_of(mlruns, "steps")
    for steps in ("0.5,1", "0.25,0.5,1"):
        asked = ["--multirun", "study=compare", "study/direction=gradient", f"study.step={steps}"]
        status, text = zygote.run(said, *asked, "tracking.experiment=steps")
        assert status == 0, text
    ((parent, cells),) = runs_of(store).items()
    assert store.metric_history(parent, "study.step") == [(0, 0.5), (1, 1.0), (2, 0.25)]
    difference = {float(run.data.params["study.step"]): run.data.metrics["loss/difference"] for run in cells}
    expected = [(0, difference[0.5]), (1, difference[1.0]), (2, difference[0.25])]
    assert store.metric_history(parent, "loss/difference") == expected


# What is there while a sweep is at something, and where.
AT_WORK = {
    "a package is written": "undelivered/.*",
    "a package is delivered": "undelivered/[!.]*",
    "a cell's files are placed": "artifacts/*/artifacts/config.yaml",
    "the parent's files are gathered": "artifacts/*/tmp*",
    "the parent's report is placed": "artifacts/*/artifacts/cells.csv",
}


@pytest.mark.slow
@pytest.mark.fault("a kill (-9) while a package is delivered, or the parent is ended", times=DELIVERIES)
@pytest.mark.parametrize("sign", AT_WORK)
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_kill_while_results_are_delivered_leaves_one_parent_each_cell_once_and_nothing_unfinished(
    zygote, undisturbed, new_mlruns, tmp_path, launcher, sign
):
    more, plugin = LAUNCHERS[launcher]
    pytest.importorskip(plugin, reason=f"the launcher {launcher} is not installed")
    rng = random.Random(f"{launcher} {sign}")
    for number in range(DELIVERIES):
        own, said, experiment = new_mlruns(), tmp_path / f"said-{number}", f"at-{number}"
        asked = command(experiment, *more)
        pid = zygote.start(said, *asked, BATCHSCOPE_MLRUNS=str(own))
        while not list(own.glob(AT_WORK[sign])) and not zygote.has_ended(pid, 0.0005):
            pass
        zygote.has_ended(pid, rng.uniform(0, 0.05))
        kill(pid, whole_tree=True)
        zygote.wait(pid)
        # Of what a writer left, nothing is removed while it lives.
        wait_for_orphans(own)
        status, text = zygote.run(said, *asked, BATCHSCOPE_MLRUNS=str(own))
        assert status == 0, text
        check_as_undisturbed(store_of(own, experiment), undisturbed)
        assert not [*own.glob("undelivered/*"), *own.glob("artifacts/*/tmp*"), *own.glob("artifacts/*/artifacts/.*")]
