"""The addresses land on the newest sweep, and its charts show the curves that it has."""

import json

import pytest

from pipeline.commands import pages
from pipeline.tracking.log import Log

ADDRESS = "http://127.0.0.1:5000"
SWEEP = "sweep digits test · mlp"


@pytest.fixture
def store(tracking):
    return tracking.open()


def log_sweep(store, *series):
    run = store.start(SWEEP, kind="sweep")
    store.log(run, Log(series=list(series)))
    return run


def test_an_experiment_without_a_sweep_says_what_to_do(store, capsys):
    pages.show(store, ADDRESS)
    shown = capsys.readouterr().out
    assert "There is no sweep yet: run make sweep first" in shown
    assert f"    {ADDRESS}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning" in shown


def test_a_sweep_that_runs_still_says_when_its_charts_come(store, capsys):
    log_sweep(store)
    pages.show(store, ADDRESS)
    shown = capsys.readouterr().out
    assert f"The newest sweep is '{SWEEP}'" in shown
    assert "Its charts by batch size (none yet: it is RUNNING, and they come when all cells are done)" in shown


def test_a_sweep_over_the_batch_size_lands_on_its_saved_charts(store, capsys):
    log_sweep(store, ("loss/rmse", 0.5, 10), ("loss/rmse", 0.1, 100))
    pages.show(store, ADDRESS)
    shown = capsys.readouterr().out
    assert "&viewStateShareKey=batchscope-runs" in shown
    assert "&compareRunsMode=CHART&viewStateShareKey=batchscope-charts" in shown
    tags = store._client.get_experiment(store.experiment_id).tags
    assert {"mlflow.sharedViewState.batchscope-runs", "mlflow.sharedViewState.batchscope-charts"} <= set(tags)


def test_the_runs_of_a_sweep_are_itself_and_its_cells_and_nothing_that_came_later(store, capsys):
    parent = log_sweep(store)
    cell = store.start("cell", kind="cell", parent=parent)
    store.start("a.csv", kind="group", parent=parent)
    store.start("a later evaluation", kind="cell")
    pages.show(store, ADDRESS)
    view = json.loads(store._client.get_experiment(store.experiment_id).tags["mlflow.sharedViewState.batchscope-runs"])
    assert {run.info.run_id for run in store._search(view["searchFilter"])} == {parent, cell}


def test_groups_of_a_sweep_are_runs_of_their_own_on_the_chart_page(store, capsys):
    parent = log_sweep(store, ("loss/rmse/a.csv", 0.5, 10))
    for name in ("a.csv", "b.csv"):
        run = store.start(name, kind="group", parent=parent, tags={"group": name, "shown": "true"})
        store.log(run, Log(series=[(f"loss/{key}", 0.5, 10) for key in ("mean", "low", "high", "all", "rmse")]))
    view = pages.charts_view(store.newest_sweep(), store.groups(parent))
    assert (
        view["searchFilter"]
        == f"tags.`mlflow.parentRunId` = '{parent}' and tags.kind = 'group' and tags.shown = 'true'"
    )
    assert not view["runListHidden"]
    # What all groups may share, the value of all rows, would only add lines.
    assert [chart["selectedMetricKeys"] for chart in view["compareRunCharts"]] == [
        ["loss/mean", "loss/low", "loss/high"],
        ["loss/rmse"],
    ]
    pages.show(store, ADDRESS)
    assert "&compareRunsMode=CHART" in capsys.readouterr().out


def test_the_plain_address_lands_on_all_runs_newest_first_with_few_columns(store):
    page = pages.landing(store)
    assert page.startswith(f"#/experiments/{store.experiment_id}/runs?")
    tags = store._client.get_experiment(store.experiment_id).tags
    view = json.loads(tags["mlflow.sharedViewState.batchscope-all"])
    assert (view["searchFilter"], view["orderByAsc"]) == ("", False)
    assert len(view["selectedColumns"]) == 4


def test_a_sweep_without_curves_over_the_batch_size_is_shown_by_its_plots(store, capsys):
    run = log_sweep(store, ("loss/distinct", 201.0, 100))
    store.end(run, "FINISHED")
    pages.show(store, ADDRESS)
    shown = capsys.readouterr().out
    assert f"Its plots:\n    {ADDRESS}/#/experiments/{store.experiment_id}/runs/{run}/artifacts" in shown
    assert "batchscope-charts" not in shown
