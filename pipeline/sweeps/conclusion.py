"""End a sweep: compare its finished cells, log the comparison with the parent run, and report missing cells."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..cell import environment
from ..cell.comparison import Comparison, Finished, compare
from ..cell.delivery import finished_cells
from ..cell.identity import flatten, without
from ..cell.labels import LABELS, labels_over_time, places_of
from ..cell.made import Made
from ..cell.report import of_sweep, swept_values, texts
from ..metric.columns import described
from ..records.learning_curve import LEARNING, learning_curve_of
from ..report import terminal
from ..report.page import Page, Picture
from ..report.words import shortened
from ..runtime import command_line
from ..tracking.log import Log
from ..tracking.store import Store, datasets_of
from .outcomes import Outcome
from .request import Cell, SweepRequest

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Run

TABLE = "table.txt"
# The tag of a finished sweep whose answer asks for another exit status than 0.
STATUS = "exit_status"
_MOST_NAMED = 5
# Of a group's run: MLflow cuts longer names in a chart's legend.
_LONGEST_NAME = 20


@dataclass(frozen=True, eq=False)
class Conclusion:
    """The result of a sweep that has ended.

    Attributes
    ----------
    status : int
        The exit status: 0 all cells finished, 1 a cell failed, 2 all cells were refused; or, where all finished, what
        the worst answer asks for (`Compared.status`).
    text : str
        The tables and the summary as the terminal shows them; empty if no cell finished.
    has_figures : bool
        Whether there are plots.
    problem : str
        One line that names the missing cells; empty if none is missing.
    """

    status: int
    text: str = ""
    has_figures: bool = False
    problem: str = ""


def conclude(store: Store, parent: str, request: SweepRequest, outcomes: Collection[Outcome]) -> Conclusion:
    """Compare the finished cells, log the comparison with the parent run, end that run, and find missing cells."""
    runs = {run.data.tags.get("cell_digest"): run for run in finished_cells(store, parent)}
    asked = [cell for cell in request.cells if cell.digest in runs]
    finished = [
        Finished(runs[cell.digest], cell.params, cell.population, cell.experiment.model.called) for cell in asked
    ]
    missing = [cell for cell in request.cells if cell.digest not in runs]
    refused = {outcome.digest for outcome in outcomes if outcome.status in ("refused", "changed")}
    if len(refused) == len(request.cells) and not store.children(parent):
        store.discard(parent)
        return Conclusion(2)
    which = _name_missing(request, missing, {outcome.digest for outcome in outcomes})
    if not finished:
        store.end(parent, "FAILED")
        return Conclusion(1, problem=f"none of the {len(request.cells)} cells finished{which}")
    study, run = request.first.study, store.run(parent)
    labels = labels_over_time(run, request.labels, finished)
    with described(*(cell.experiment.metric for cell in request.cells)):
        comparison = compare(study, finished, request.varied, store, labels=labels, parent=parent)
    text = terminal.sweep_text(comparison.compared)
    is_changed = any(outcome.status == "changed" for outcome in outcomes)
    problem = _problem(request, missing, which, is_changed=is_changed)
    runs_there = [cell.run for cell in finished]
    log = _log(comparison, request, store, text, _Sweep(run, runs_there, problem, study.has_design))
    log.tags[LABELS] = json.dumps({**json.loads(run.data.tags.get(LABELS, "{}")), **places_of(labels, finished)})
    # MLflow's params cannot be changed; those of an earlier start may name a file that was moved since.
    log.params = {key: value for key, value in log.params.items() if run.data.params.get(key, value) == value}
    store.log(parent, log)
    store.log_datasets_of(parent, runs_there)
    _log_groups(store, parent, comparison)
    store.end(parent, "FAILED" if missing else "FINISHED")
    return Conclusion(1 if missing else comparison.compared.status, text, bool(comparison.compared.figures), problem)


def _problem(request: SweepRequest, missing: list[Cell], which: str, *, is_changed: bool) -> str:
    if not missing:
        return ""
    kept = len(request.cells) - len(missing)
    then = "carries out what is missing alone"
    if is_changed:
        # With other content they are other cells, and mostly another sweep.
        then = "evaluates what is there then: these were made before it changed"
    return (
        f"{len(missing)} of {len(request.cells)} cells failed{which}; the other {kept} are kept, and the next start "
        f"{then}"
    )


def _log_groups(store: Store, parent: str, comparison: Comparison) -> None:
    """Log the curves of each group as a run of its own, for MLflow's charts colour and name lines by run.

    The runs of groups that were not asked for this time are kept, and shown in no chart.
    """
    whole = str(comparison.cells["population"].iloc[0])
    started = int(store.run(parent).info.start_time) / 1000
    known = {run.data.tags.get("group"): str(run.info.run_id) for run in store.groups(parent)}
    for group, run_id in known.items():
        store.tag(run_id, "shown", str(group in comparison.curves).lower())
    for group, series in comparison.curves.items():
        name = shortened(group or whole, _LONGEST_NAME)
        run_id = known.get(group) or store.start(
            name, kind="group", started=started, parent=parent, tags={"group": group, "shown": "true"}
        )
        store.log(run_id, Log(series=series))
        store.end(run_id, "FINISHED")


def _swept(request: SweepRequest) -> list[str]:
    """Return the keys that vary, and the study's axis: it may get more values when the sweep is started again."""
    return sorted({*request.varied, request.first.study.axis})


def _name_missing(request: SweepRequest, missing: list[Cell], reported: Collection[str]) -> str:
    """Return the names of missing cells in brackets; `reported` are the digests of cells with an outcome."""
    fixed = set(request.cells[0].overrides).intersection(*(cell.overrides for cell in request.cells))
    names = []
    for cell in missing[:_MOST_NAMED]:
        name = " ".join(line for line in cell.overrides if line not in fixed) or " ".join(cell.overrides)
        names.append(name if cell.digest in reported else f"{name}: its worker ended without a report")
    more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
    return f" ({'; '.join(names)}{more})"


@dataclass(frozen=True, eq=False)
class _Sweep:
    """The run of a sweep, its finished cells, and what is said of the others."""

    run: Run
    finished: list[Run]
    problem: str
    has_design: bool


def _log(comparison: Comparison, request: SweepRequest, store: Store, text: str, sweep: _Sweep) -> Log:
    from ..plots.picture import saved_all

    series, figures = list(comparison.series), dict(comparison.compared.figures)
    # In a sweep over models or data every network has its own learning curve, which is logged with its cells only.
    if not any(key.split(".")[0] in ("model", "data") for key in request.varied):
        learning, curve = _learning(comparison, store)
        series += learning
        figures |= curve
    pictures = saved_all(figures)
    swept = _swept(request)
    note = "\n\n".join(filter(None, [comparison.compared.answer, comparison.compared.summary]))
    # Only those that stay true when the sweep gets more values.
    return Log(
        params=flatten({"swept": " ".join(swept), **without(comparison.common, swept)}),
        series=series,
        tags={
            "cells": str(len(comparison.cells)),
            "asked": request.asked,
            "mlflow.note.content": note,
            STATUS: str(comparison.compared.status),
            **comparison.compared.tags,
        },
        tables={"cells.csv": comparison.cells},
        texts={TABLE: text, **texts(_page(comparison, sweep, swept, [drawn.picture for drawn in pictures.values()]))},
        pictures={name: drawn.png for name, drawn in pictures.items()},
    )


def _learning(comparison: Comparison, store: Store) -> tuple[list[tuple[str, float, int]], dict[str, Figure]]:
    """Return the learning curve of the network that all cells share, as series and as a figure."""
    from ..plots import learning_curve, names

    a_cell = str(comparison.cells["run_id"].iloc[0])
    learning = {f"learning/{name}": store.metric_history(a_cell, f"learning/{name}") for name in LEARNING}
    series = [(key, value, step) for key, history in learning.items() for step, value in history]
    curve = learning_curve_of(learning)
    return series, {} if curve is None else {
        "learning_curve": learning_curve.draw(curve, names.subject(comparison.cells))
    }


def _page(comparison: Comparison, sweep: _Sweep, swept: list[str], pictures: list[Picture]) -> Page:
    sizes = comparison.cells["population_size"].unique()
    made = Made(
        comparison.common,
        datasets_of(sweep.finished),
        int(sizes[0]) if len(sizes) == 1 else None,
        environment.describe(),
        sweep.run.info.start_time / 1000,
        command_line.shown(),
        swept_values(comparison, swept),
        sweep.has_design,
    )
    return of_sweep(str(sweep.run.info.run_name), comparison, made, pictures, sweep.problem)
