"""What is written to the store is found again, run by run."""

import math

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from pipeline.errors import BadInput
from pipeline.records.rows import Dataset
from pipeline.tracking import outbox
from pipeline.tracking.log import Log
from pipeline.tracking.store import metrics_of


@pytest.fixture
def store(tracking):
    return tracking.open()


def test_the_newest_sweep_its_children_and_a_finished_cell_are_found(store):
    assert store.newest_sweep() is None
    store.start("old", kind="sweep", started=1.0, tags={"sweep_digest": "d"})
    parent = store.start("new", kind="sweep", started=2.0, tags={"sweep_digest": "d"})
    cells = [
        store.start(name, kind="cell", parent=parent, started=at, tags={"cell_digest": name})
        for name, at in (("late", 5.0), ("early", 4.0))
    ]
    assert store.newest_sweep().info.run_id == store.sweep("d").info.run_id == parent
    assert [run.info.run_id for run in store.children(parent)] == cells[::-1]
    assert store.finished_cell(parent, "late") is None
    store.end(cells[0], "FINISHED")
    assert store.finished_cell(parent, "late").info.run_id == cells[0]
    assert store.sweep("unknown") is None


def test_the_data_sets_of_cells_are_logged_with_the_sweep_once_however_often_it_is_concluded(store):
    parent = store.start("sweep", kind="sweep")
    for i, name in enumerate(("a", "b", "a")):
        cell = store.start(str(i), kind="cell", parent=parent)
        rows = Dataset(np.zeros((2, 1)), np.zeros(2, int), 2, 1.0, name, digest=f"digest of {name}")
        store.log(cell, Log(dataset=rows))
    for _ in range(2):
        store.log_datasets_of(parent, store.children(parent))
        found = store.run(parent).inputs.dataset_inputs
        assert sorted(given.dataset.name for given in found) == ["a", "b"]


def test_a_discarded_run_is_not_found_and_a_reopened_one_is_running(store):
    parent = store.start("one", kind="sweep")
    store.end(parent, "FAILED")
    store.reopen(parent)
    assert store.run(parent).info.status == "RUNNING"
    store.discard(parent)
    assert store.newest_sweep() is None


def test_metrics_that_are_not_finite_are_read_back_and_those_by_step_are_left_out(store):
    run = store.start("one", kind="cell")
    metrics = {"loss/mean": 0.5, "loss/high": math.inf, "loss/low": -math.inf, "loss/se": math.nan}
    store.log(run, Log(metrics=metrics, series=[("loss/draw", 1.0, 0)], tags={"by_step": "loss/draw"}))
    found = metrics_of(store.run(run))
    assert math.isnan(found.pop("loss/se"))
    assert found == {"loss/mean": 0.5, "loss/high": math.inf, "loss/low": -math.inf}


def test_a_metrics_history_is_sorted_by_step(store):
    run = store.start("one", kind="cell")
    store.log(run, Log(series=[("a", 3.0, 30), ("a", 1.0, 1), ("a", 2.0, 10)]))
    assert store.metric_history(run, "a") == [(1, 1.0), (10, 2.0), (30, 3.0)]


def test_artifacts_are_read_back_and_complete_until_one_is_missing(store, tmp_path):
    table = pd.DataFrame({"draw": [0, 1], "loss": [0.1, 0.2]})
    run = store.start("one", kind="cell")
    store.log(run, Log(texts={"config.yaml": "ü"}, tables={"draws.parquet": table, "cells.csv": table}))
    assert store.files(run) == ["cells.csv", "config.yaml", "draws.parquet"]
    assert store.read_text(run, "config.yaml") == "ü"
    for name in ("draws.parquet", "cells.csv"):
        pd.testing.assert_frame_equal(store.read_table(run, name), table, check_exact=True)
    assert store.folder(run) == str(tmp_path / "mlruns" / "artifacts" / run / "artifacts")
    assert store.has_complete_artifacts(store.run(run))
    (tmp_path / "mlruns" / "artifacts" / run / "artifacts" / "cells.csv").unlink()
    assert not store.has_complete_artifacts(store.run(run))


@pytest.mark.parametrize("name", ["missing.txt", "../../../mlflow.db", "link.txt"])
def test_nothing_but_a_file_among_the_artifacts_is_read(store, tmp_path, name):
    run = store.start("one", kind="cell")
    store.log(run, Log(texts={"a.txt": "a"}))
    (tmp_path / "mlruns" / "artifacts" / run / "artifacts" / "link.txt").symlink_to(tmp_path / "mlruns" / "mlflow.db")
    with pytest.raises(BadInput, match="must be a file among its artifacts"):
        store.read_file(run, name)


def test_an_unknown_run_is_refused(store):
    with pytest.raises(BadInput, match="found none of the id 'abc'"):
        store.run("abc")


def package_of(store, ended=3.5):
    run = {"place": store.place, "key": "p-c", "name": "cell", "kind": "cell", "status": "FINISHED", "started": 1.5}
    run |= {"ended": ended, "parent": None, "cell_digest": "c"}
    return outbox.write("p-c", run, Log(params={"seed": "0"}, metrics={"loss/mean": 0.5}, texts={"a.txt": "text"}))


def test_a_delivered_package_is_a_run_with_its_times_and_files_and_is_gone(store, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "outbox"))
    package = package_of(store)
    run = store.run(store.deliver(package))
    assert (run.info.start_time, run.info.end_time, run.info.status) == (1500, 3500, "FINISHED")
    assert run.data.params == {"seed": "0"}
    assert run.data.metrics == {"loss/mean": 0.5}
    assert store.read_text(run.info.run_id, "a.txt") == "text"
    assert not package.folder.exists()
    assert store.has_taken(package)


def test_a_delivery_that_fails_ends_its_run_as_killed_and_keeps_the_package(store, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "outbox"))
    package = package_of(store)
    package.run["metrics"]["a/../b"] = 1.0
    with pytest.raises(MlflowException):
        store.deliver(package)
    (run,) = store._search("tags.cell_digest = 'c'")
    assert run.info.status == "KILLED"
    assert package.folder.exists()
    assert not store.has_taken(package)


def test_a_delivery_that_is_stopped_before_it_knows_its_run_leaves_it_as_killed(store, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "outbox"))
    package, creating = package_of(store), store._client.create_run

    def interrupted(*given, **named):
        creating(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store._client, "create_run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.deliver(package)
    (run,) = store._search("tags.cell_digest = 'c'")
    assert run.info.status == "KILLED"
    assert package.folder.exists()


def test_a_run_that_an_interrupted_delivery_left_is_ended(store, tmp_path, monkeypatch):
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(tmp_path / "outbox"))
    package = package_of(store)
    left = store.start("cell", kind="cell", tags={"package": package.folder.name})
    other = store.start("cell", kind="cell", tags={"package": "another"})
    store.end_left_over(package)
    assert store.run(left).info.status == "KILLED"
    assert store.run(other).info.status == "RUNNING"
