"""The main job from the command line: a sweep, what it logs, what it prints, what it refuses."""

import pandas as pd
import pytest

from pipeline.runtime import descendants
from pipeline.sweeps.run import _end_stopped, _RunningSweep
from pipeline.tracking.mlflow import Tracking
from tests.runtime.test_descendants import leaderless

SIZES = (3, 30, 300)


@pytest.fixture(scope="module")
def swept(command, new_mlruns):
    """One sweep of three sizes, and the store it went to."""
    mlruns = new_mlruns()
    done = command("--multirun", "+experiment=sweep", "draws=60", "batch_size=3,30,300", mlruns=mlruns)
    assert done.returncode == 0, done.stderr
    store = Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open()
    parent = store.newest_sweep()
    return done, mlruns, store, parent, store.children(parent.info.run_id)


@pytest.fixture(scope="module")
def artifacts(swept):
    _, mlruns, _, parent, _ = swept
    return mlruns / "artifacts" / parent.info.run_id / "artifacts"


def test_a_sweep_is_one_parent_and_one_finished_child_a_cell(swept):
    _, _, _, parent, cells = swept
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["kind"] == "sweep"
    assert sorted(int(cell.data.params["batch_size"]) for cell in cells) == list(SIZES)
    assert {cell.info.status for cell in cells} == {"FINISHED"}
    assert {cell.data.tags["kind"] for cell in cells} == {"cell"}
    assert len({cell.data.tags["cell_digest"] for cell in cells}) == 3


def test_a_cells_params_are_the_flattened_configuration(swept):
    params = swept[4][0].data.params
    expected = {"seed": "0", "draws": "60", "confidence": "0.95", "data.name": "digits", "data.split": "test"}
    assert expected.items() <= params.items()
    assert {
        "model.name": "mlp",
        "sampling.name": "with_replacement",
        "study.name": "evaluate",
    }.items() <= params.items()
    assert {"interval.loss.name": "hall_score", "interval.accuracy.name": "blaker"}.items() <= params.items()


def test_cells_csv_is_a_row_a_cell_with_the_cells_own_metrics(swept, artifacts):
    frame = pd.read_csv(artifacts / "cells.csv")
    assert frame["batch_size"].tolist() == list(SIZES)
    by_id = {cell.info.run_id: cell for cell in swept[4]}
    for row in frame.to_dict("records"):
        cell = by_id[row["run_id"]]
        for metric, value in cell.data.metrics.items():
            if metric in row:
                assert row[metric] == pytest.approx(value, rel=1e-12)


def test_the_parent_holds_the_metrics_once_more_with_step_equal_to_the_batch_size(swept):
    _, _, store, parent, cells = swept
    for metric in ("loss/rmse", "accuracy/coverage", "seconds/batch", "loss/se"):
        expected = sorted((int(cell.data.params["batch_size"]), cell.data.metrics[metric]) for cell in cells)
        assert store.metric_history(parent.info.run_id, metric) == expected


def test_the_plots_are_on_the_parent(artifacts):
    for name in ("funnel", "error", "cost", "coverage"):
        assert (artifacts / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_first_draws_and_the_learning_curve_are_logged_by_step(swept):
    _, _, store, parent, cells = swept
    cell = cells[0].info.run_id
    draws = store.read_table(cell, "draws.parquet")
    assert len(draws) == 60
    history = store.metric_history(cell, "loss/draw")
    assert history == [(i, pytest.approx(value)) for i, value in enumerate(draws["loss"])]
    curve = store.metric_history(parent.info.run_id, "learning/accuracy")
    assert curve[-1][1] > curve[0][1]


def test_the_table_and_the_last_lines_say_what_was_found_and_where_it_is(swept):
    done, _, _, parent, _ = swept
    lines = done.stdout.splitlines()
    for size in SIZES:
        assert any(line.split()[:1] == [str(size)] for line in lines)
    assert max(map(len, lines)) <= 100
    assert parent.info.run_id in done.stdout
    assert "make ui" in done.stdout
    assert done.stderr == ""


@pytest.mark.slow
def test_a_run_leaves_nothing_outside_mlruns_from_whatever_folder_it_is_started(command, tmp_path):
    mlruns, elsewhere = tmp_path / "mlruns", tmp_path / "elsewhere"
    elsewhere.mkdir()
    mlruns.mkdir()
    assert command("draws=5", mlruns=mlruns, cwd=elsewhere).returncode == 0
    assert list(elsewhere.iterdir()) == []
    assert {path.name for path in mlruns.iterdir()} >= {"mlflow.db", "artifacts", "hydra", "cache"}


def test_a_cells_config_yaml_is_enough_to_run_it_again(request_of, swept, tmp_path):
    _, mlruns, store, _, cells = swept
    cell = next(cell for cell in cells if cell.data.params["batch_size"] == "30")
    folder = mlruns / "artifacts" / cell.info.run_id / "artifacts"
    done = request_of("--config-path", str(folder), "--config-name", "config", mlruns=mlruns)
    assert done.returncode == 0, done.stderr
    again = next(path for path in mlruns.glob("artifacts/*/artifacts") if path.parent.name in done.stdout)
    assert (again / "config.yaml").read_text() == (folder / "config.yaml").read_text()
    pd.testing.assert_frame_equal(
        store.read_table(again.parent.name, "draws.parquet"),
        store.read_table(cell.info.run_id, "draws.parquet"),
        check_exact=True,
    )


@pytest.mark.slow
def test_draws_do_not_depend_on_the_order_of_the_cells(request_of, swept):
    _, mlruns, store, parent, cells = swept
    asked = ["+experiment=sweep", "draws=60", "batch_size=300,3", "force=true"]
    done = request_of("--multirun", *asked, mlruns=mlruns)
    assert done.returncode == 0, done.stderr
    before = {cell.data.params["batch_size"]: store.read_table(cell.info.run_id, "draws.parquet") for cell in cells}
    again = store.newest_sweep().info.run_id
    assert again != parent.info.run_id
    for cell in store.children(again):
        expected = before[cell.data.params["batch_size"]]
        pd.testing.assert_frame_equal(store.read_table(cell.info.run_id, "draws.parquet"), expected, check_exact=True)


@pytest.mark.slow
def test_a_sweep_over_two_parameters_tells_the_groups_apart(request_of, swept):
    _, mlruns, store, _, _ = swept
    done = request_of(
        "--multirun",
        "+experiment=sweep",
        "draws=20",
        "batch_size=10,1000",
        "sampling=with_replacement,without_replacement",
        mlruns=mlruns,
    )
    assert done.returncode == 0, done.stderr
    parent = store.newest_sweep()
    frame = pd.read_csv(mlruns / "artifacts" / parent.info.run_id / "artifacts" / "cells.csv")
    assert frame["group"].tolist() == 2 * ["sampling=with_replacement"] + 2 * ["sampling=without_replacement"]
    history = store.metric_history(parent.info.run_id, "loss/rmse/sampling without_replacement")
    assert [step for step, _ in history] == [10, 1000]
    assert history[1][1] == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
def test_a_variable_of_the_environment_is_logged_by_its_name_and_the_cell_runs_again(zygote, new_mlruns, tmp_path):
    mlruns, secret = new_mlruns(), "hunter2secret"
    (tmp_path / secret).mkdir()
    (tmp_path / secret / "rows.csv").write_text("label,logit_0,logit_1\n" + "0,1,0\n1,0,1\n0,0.5,1\n" * 20)
    told = {"BATCHSCOPE_MLRUNS": str(mlruns), "PRIVATE": str(tmp_path / secret), "DRAWS": "20"}
    asked = ["data=predictions", "data.path=${oc.env:PRIVATE}/rows.csv", "draws=${oc.env:DRAWS}", "batch_size=10"]
    done = zygote.completed(tmp_path / "said", *asked, **told)
    assert done.returncode == 0, done.stderr
    store = Tracking(uri=f"sqlite:///{mlruns}/mlflow.db").open()
    first = store.newest()
    assert first.data.params["data.path"] == "${oc.env:PRIVATE}/rows.csv"
    assert first.data.params["draws"] == "20"
    logged = [path for path in [*mlruns.rglob("artifacts/*/artifacts/*"), *mlruns.glob("mlflow.db*")] if path.is_file()]
    assert len(logged) > 5
    assert [path for path in logged if secret.encode() in path.read_bytes()] == []
    assert secret not in done.stdout + done.stderr
    folder = mlruns / "artifacts" / first.info.run_id / "artifacts"
    done = zygote.completed(tmp_path / "said", "--config-path", str(folder), "--config-name", "config", **told)
    assert done.returncode == 0, done.stderr
    again = store.newest()
    assert again.info.run_id != first.info.run_id
    assert again.data.tags["cell_digest"] == first.data.tags["cell_digest"]
    assert again.data.params == first.data.params
    done = zygote.completed(tmp_path / "said", "reproduce", f"run={first.info.run_id}", **told)
    assert (done.returncode, "Identical" in done.stdout) == (0, True), done.stderr


@pytest.mark.process
def test_a_stop_ends_a_cell_whose_worker_lives_on_in_a_few_threads_after_its_first_has_ended(copied, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(copied.mlruns))
    before, store, parent = descendants.living(), copied.store, copied.parent
    cell = store.start("a cell", kind="cell", parent=parent, tags={"cell_digest": "abc"})
    with leaderless(copied.mlruns / "locks" / f"{parent}-abc.lock"):
        descendants.kill(besides=before)
        _end_stopped(_RunningSweep(copied.request(), store, parent, [], is_finished=False), "KILLED")
    assert (store.run(cell).info.status, store.run(parent).info.status) == ("KILLED", "KILLED")
