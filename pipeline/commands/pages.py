"""The addresses of a sweep's pages in MLflow's dashboard, and the views that those pages open with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..runtime import files
from ..tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run

# The metrics of each chart and the scale of its vertical axis; the horizontal axis, the batch size, is logarithmic.
_CHARTS = [
    (("loss/mean", "loss/low", "loss/high", "loss/all"), "linear"),
    (("accuracy/mean", "accuracy/low", "accuracy/high", "accuracy/all"), "linear"),
    (("loss/rmse", "loss/se"), "log"),
    (("accuracy/rmse", "accuracy/se"), "log"),
    (("loss/coverage", "accuracy/coverage"), "linear"),
    (("seconds/batch", "seconds/all"), "log"),
]
# No more columns than fit beside MLflow's assistant panel.
_COLUMNS = [f"metrics.`{metric}/{name}`" for metric in ("loss", "accuracy") for name in ("mean", "rmse")]
_COLUMNS_OF_ALL = [f"metrics.`{metric}/{name}`" for name in ("all", "difference") for metric in ("accuracy", "loss")]


def landing(store: Store) -> str:
    """Return the page of all runs, newest first, as the part of an address from ``#`` on."""
    page = f"#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    is_saved = store.save_view("batchscope-all", _all_view())
    return f"{page}&viewStateShareKey=batchscope-all" if is_saved else page


def show(store: Store, address: str) -> None:
    """Print the addresses of the newest sweep's runs and charts."""
    page = f"{address}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    sweep = store.newest_sweep()
    if sweep is None:
        sweep_first, then = files.command("sweep"), files.command("ui")
        print(
            f"There is no sweep yet: run {sweep_first} first, then {then} again. The runs so far:\n    {page}",
            flush=True,
        )
        return
    is_saved = store.save_view("batchscope-runs", _runs_view(sweep))
    runs = f"{page}&viewStateShareKey=batchscope-runs" if is_saved else page
    what, where = _charts(store, sweep, address, page)
    print(
        f"The newest sweep is {sweep.info.run_name!r}.\nIts runs:\n    {runs}\n{what}:\n    {where}",
        flush=True,
    )


def _charts(store: Store, sweep: Run, address: str, page: str) -> tuple[str, str]:
    """Return a description of the best page on a sweep, and its address."""
    run = f"{address}/#/experiments/{store.experiment_id}/runs/{sweep.info.run_id}"
    groups = [run for run in store.groups(sweep.info.run_id) if run.data.tags.get("shown") == "true"]
    view, what = charts_view(sweep, groups), "Its charts by batch size"
    if not sweep.data.metrics:
        what += f" (none yet: it is {sweep.info.status}, and they come when all cells are done)"
    elif "compareRunCharts" not in view:
        # No metric has the batch size as step: show the plots.
        return "Its plots", f"{run}/artifacts?workflowType=machine_learning"
    if not store.save_view("batchscope-charts", view):
        return what, f"{run}/model-metrics?workflowType=machine_learning"
    return what, f"{page}&compareRunsMode=CHART&viewStateShareKey=batchscope-charts"


def _view(search: str, **state: Any) -> dict[str, Any]:
    return {
        "searchFilter": search,
        # The page nests and hides child runs if the order is exactly attributes.start_time; quoted, it lists them.
        "orderByKey": "attributes.`start_time`",
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        **state,
    }


def _all_view() -> dict[str, Any]:
    """Return the view of the runs page without the cells of sweeps: a line for each question that was asked."""
    view = _view("", selectedColumns=_COLUMNS_OF_ALL)
    # In exactly this order the page nests cells below their sweep, and hides them.
    return {**view, "orderByKey": "attributes.start_time", "orderByAsc": False}


def _runs_view(sweep: Run) -> dict[str, Any]:
    """Return the view of the runs page: the sweep first, its cells in order below it."""
    own = f"tags.sweep = '{sweep.info.run_id}' and tags.kind != 'group'"
    # A sweep of an older version has no such tag; what was started later is listed with it.
    wanted = own if "sweep" in sweep.data.tags else f"attributes.start_time >= {sweep.info.start_time}"
    return _view(wanted, selectedColumns=_COLUMNS)


def charts_view(sweep: Run, groups: Sequence[Run] = ()) -> dict[str, Any]:
    """Return the view of the chart page: the curves over the batch size, loss beside accuracy.

    Parameters
    ----------
    sweep : Run
        The sweep.
    groups : sequence of Run
        The runs that hold the curves of one group each; MLflow gives each run a colour. Sweeps of older versions have
        none, and show their own curves.
    """
    shown = list(groups) or [sweep]
    known = {key for run in shown for key in run.data.metrics}
    charts: list[dict[str, Any]] = []
    for names, scale in _CHARTS:
        # The values of all rows are left out where there are several groups: the lines are many enough.
        keys = [name for name in names if name in known and not (len(groups) > 1 and name.endswith("/all"))]
        if keys:
            charts.append(_chart(str(len(charts)), keys, scale))
    only = f"attributes.run_id = '{sweep.info.run_id}'"
    if not charts:
        return _view(only)
    if groups:
        only = f"tags.`mlflow.parentRunId` = '{sweep.info.run_id}' and tags.kind = 'group' and tags.shown = 'true'"
    return _view(
        only,
        runListHidden=len(groups) < 2,
        # Otherwise the page puts its own sections before this one.
        isAccordionReordered=True,
        compareRunCharts=charts,
        compareRunSections=[
            {
                "uuid": "batch-size",
                "name": "By batch size (step)",
                "display": True,
                "isReordered": True,
                "deleted": False,
                "isGenerated": False,
            }
        ],
    )


def _chart(name: str, keys: list[str], scale: str) -> dict[str, Any]:
    return {
        "uuid": f"batch-size-{name}",
        "type": "LINE",
        "metricSectionId": "batch-size",
        "deleted": False,
        "isGenerated": False,
        "metricKey": keys[0],
        "selectedMetricKeys": keys,
        "scaleType": scale,
        "xAxisKey": "step",
        "xAxisScaleType": "log",
        "useGlobalXaxisKey": False,
        "yAxisKey": "metric",
        "lineSmoothness": 0,
        "displayPoints": True,
        "runsCountToCompare": 10,
        "range": {},
    }
