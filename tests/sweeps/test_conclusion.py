"""The end of a sweep: its status, what is logged with it, and which cells are named as missing."""

import os
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.records.learning_curve import LEARNING
from pipeline.sweeps.conclusion import conclude
from pipeline.sweeps.outcomes import Outcome
from tests.sweeps.conftest import Sweep, run_cells


@pytest.fixture
def new(empty_mlruns, digits_parts, tmp_path):
    """A sweep of which no cell has run."""
    shutil.copytree(empty_mlruns, tmp_path / "mlruns")
    sweep = Sweep(tmp_path / "mlruns")
    sweep.store.start("sweep", kind="sweep")
    return sweep


def test_a_sweep_of_which_every_cell_finished_ends_as_finished_with_its_comparison(finished):
    store, parent = finished.store, finished.store.run(finished.parent)
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["cells"] == "2"
    assert "batch_size" not in parent.data.params
    assert parent.data.params["swept"] == "batch_size"
    assert parent.data.params["draws"] == "20"
    files = {"cells.csv", "table.txt", "funnel.png", "learning_curve.png", "report.html", "report.md"}
    assert files <= set(store.files(finished.parent))
    assert [step for step, _ in store.metric_history(finished.parent, "loss/rmse")] == [10, 30]


def test_the_learning_curve_of_the_only_network_is_the_cells_own(finished):
    store = finished.store
    cell = store.children(finished.parent)[0].info.run_id
    for name in LEARNING:
        history = store.metric_history(finished.parent, f"learning/{name}")
        assert history == store.metric_history(cell, f"learning/{name}")
        assert history


@pytest.mark.slow
def test_concluding_again_changes_no_metric_and_no_param(finished):
    before = finished.store.run(finished.parent).data
    request = finished.request()
    conclusion = conclude(finished.store, finished.parent, request, [])
    after = finished.store.run(finished.parent).data
    assert (conclusion.status, conclusion.problem) == (0, "")
    assert (after.metrics, after.params) == (before.metrics, before.params)


def test_only_the_cells_that_are_asked_for_are_shown(finished):
    conclusion = conclude(finished.store, finished.parent, finished.request(sizes=(30,)), [])
    assert finished.store.read_table(finished.parent, "cells.csv")["batch_size"].tolist() == [30]
    assert "\n     10 " not in conclusion.text


@pytest.fixture
def predictions(tmp_path):
    """Two files of predictions in a folder above the one that a sweep is started in."""
    (tmp_path / "here").mkdir()
    rng = np.random.default_rng(5)
    for name in ("a.csv", "b.csv"):
        frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=[f"logit_{i}" for i in range(3)])
        frame.insert(0, "label", rng.integers(3, size=200))
        frame.to_csv(tmp_path / name, index=False)
    return tmp_path


def concluded(sweep, *overrides):
    """Run a sweep over files, and return its run and its table of cells."""
    request, store = sweep.request("data=predictions", *overrides), sweep.store
    parent = store.sweep(request.digest)
    parent = parent.info.run_id if parent else store.start("s", kind="sweep", tags={"sweep_digest": request.digest})
    conclude(store, parent, request, run_cells(request, store, parent, request.cells))
    return store.run(parent), store.read_table(parent, "cells.csv")


@pytest.mark.slow
def test_files_in_a_folder_above_are_curves_by_their_names_alone(new, predictions, monkeypatch):
    monkeypatch.chdir(predictions / "here")
    run, cells = concluded(new, "data.path=../a.csv,../b.csv")
    assert cells["group"].tolist() == ["a.csv", "a.csv", "b.csv", "b.csv"]
    assert [os.path.realpath(path) for path in cells["data.path"]] == [f"{predictions}/{name}.csv" for name in "aabb"]
    assert {"loss/rmse/a.csv", "loss/rmse/b.csv"} <= set(run.data.metrics)
    groups = new.store.groups(run.info.run_id)
    assert sorted(group.info.run_name for group in groups) == ["a.csv", "b.csv"]
    for group in groups:
        own = cells[cells["group"] == group.data.tags["group"]]
        found = new.store.metric_history(group.info.run_id, "loss/rmse")
        assert found == list(zip(own["batch_size"], own["loss/rmse"], strict=True))


@pytest.mark.slow
def test_groups_of_a_sweep_that_is_given_more_sizes_stay_the_same_runs(new, predictions):
    paths = f"data.path={predictions}/a.csv,{predictions}/b.csv"
    run, _ = concluded(new, paths)
    before = {group.info.run_id for group in new.store.groups(run.info.run_id)}
    concluded(new, paths, "batch_size=10,30,50")
    after = new.store.groups(run.info.run_id)
    assert {group.info.run_id for group in after} == before
    assert [step for step, _ in new.store.metric_history(min(before), "loss/se")] == [10, 30, 50]
    assert {group.info.status for group in after} == {"FINISHED"}


def test_a_copy_under_another_name_is_shown_by_its_own_name(new, predictions):
    concluded(new, f"data.path={predictions}/a.csv")
    (predictions / "a.csv").rename(predictions / "production_2026.csv")
    run, cells = concluded(new, f"data.path={predictions}/production_2026.csv")
    assert cells["population"].tolist() == ["production_2026.csv"] * 2
    assert run.data.params["data.path"] == f"{predictions}/a.csv"
    assert len(new.store.children(run.info.run_id)) == 2


@pytest.mark.slow
def test_another_file_of_the_same_name_makes_a_curve_of_its_own_in_the_same_sweep(new, predictions):
    (predictions / "x").mkdir()
    (predictions / "a.csv").rename(predictions / "x" / "a.csv")
    run, _ = concluded(new, f"data.path={predictions}/x/a.csv,{predictions}/b.csv", "batch_size=10")
    (predictions / "y").mkdir()
    frame = pd.read_csv(predictions / "x" / "a.csv")
    frame.assign(label=0).to_csv(predictions / "y" / "a.csv", index=False)
    again, _ = concluded(new, f"data.path={predictions}/y/a.csv,{predictions}/b.csv", "batch_size=10")
    assert again.info.run_id == run.info.run_id
    first, second = (group for group in new.store.groups(run.info.run_id) if group.info.run_name.startswith("a.csv"))
    assert first.info.run_name != second.info.run_name
    shown = {group.info.run_name: group.data.tags["shown"] for group in new.store.groups(run.info.run_id)}
    assert sorted(shown.values()) == ["false", "true", "true"]
    assert shown["b.csv"] == "true"
    for group in (first, second):
        assert len(new.store.metric_history(group.info.run_id, "loss/mean")) == 1
    assert len(new.store.metric_history(run.info.run_id, "loss/mean/a.csv")) == 1


def test_a_missing_cell_fails_the_sweep_and_is_named_without_what_all_cells_share(finished):
    request = finished.request(sizes=(10, 30, 50))
    failed = Outcome("batch_size=50", request.cells[2].digest, "failed", "why")
    conclusion = conclude(finished.store, finished.parent, request, [failed])
    assert conclusion.status == 1
    assert conclusion.problem.startswith("1 of 3 cells failed (batch_size=50); the other 2 are kept")
    assert "30" in conclusion.text
    assert finished.store.run(finished.parent).info.status == "FAILED"
    assert f"Not all of it is here: {conclusion.problem}." in finished.store.read_text(finished.parent, "report.md")


def test_cells_whose_worker_reported_nothing_are_named_so_and_at_most_five(new):
    request = new.request(sizes=(1, 2, 3, 4, 5, 6, 7))
    conclusion = conclude(new.store, new.parent, request, [Outcome("", request.cells[0].digest, "failed", "why")])
    assert conclusion.status == 1
    assert conclusion.problem.startswith(
        "none of the 7 cells finished (batch_size=1; batch_size=2: its worker ended without a report; "
    )
    assert conclusion.problem.endswith("and 2 more)")
    assert new.store.run(new.parent).info.status == "FAILED"


def test_a_sweep_whose_cells_were_all_refused_leaves_no_run(new):
    request = new.request()
    refused = [Outcome("", cell.digest, "refused", "why") for cell in request.cells]
    assert conclude(new.store, new.parent, request, refused).status == 2
    assert new.store.newest_sweep() is None


def test_a_part_of_the_cells_is_compared_although_the_others_were_refused(new):
    request, parent = new.request(), new.parent
    outcomes = run_cells(request, new.store, parent, request.cells[:1])
    refused = Outcome("", request.cells[1].digest, "refused", "why")
    conclusion = conclude(new.store, parent, request, [*outcomes, refused])
    assert conclusion.status == 1
    assert conclusion.problem.startswith("1 of 2 cells failed (batch_size=30); the other 1 are kept")
    assert new.store.read_table(parent, "cells.csv")["batch_size"].tolist() == [10]


def test_where_the_data_changed_the_closing_line_does_not_promise_the_rest_of_the_same_sweep(finished):
    request = finished.request(sizes=(10, 30, 50))
    digest = request.cells[2].digest
    conclusion = conclude(finished.store, finished.parent, request, [Outcome("batch_size=50", digest, "changed", "x")])
    assert conclusion.status == 1
    assert "1 of 3 cells failed (batch_size=50)" in conclusion.problem
    assert conclusion.problem.endswith("the next start evaluates what is there then: these were made before it changed")
