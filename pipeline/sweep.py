"""The Hydra callback: refuses a wrong request before anything is written, and gives a sweep its parent run.

The parent's id reaches the jobs by a file in the sweep's folder, which every launcher shares; so nothing that cannot
be pickled is kept on the callback.
"""

from __future__ import annotations

import atexit
import json
import signal
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict
from omegaconf.errors import InterpolationKeyError

from pipeline import config, report
from pipeline.cell import LEARNING, learning_curve_of, run_cell
from pipeline.comparison import Comparison, compare
from pipeline.config import or_exit
from pipeline.data.base import SPLITS
from pipeline.errors import BadInput
from pipeline.experiment import Experiment
from pipeline.tracking import Log, Store, flatten

_PARENT = "parent.json"


def is_running() -> bool:
    """Whether the current job belongs to a sweep."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def run_one(composed: DictConfig) -> None:
    """Run one cell of a sweep; a cell that fails is logged as FAILED, is named, and the others go on."""
    known = json.loads((Path(HydraConfig.get().sweep.dir) / _PARENT).read_text())
    try:
        run_cell(config.to_experiment(composed), parent=known["run_id"], varied=known["varied"])
    except Exception as error:
        if report.WANTS_TRACEBACK:
            traceback.print_exc()
        overrides = " ".join(HydraConfig.get().overrides.task)
        report.error(f"cell {overrides}: {config.one_line(error) or type(error).__name__}")


@dataclass
class _Open:
    """A sweep under way in this process: what is needed to end it."""

    store: Store
    run_id: str
    experiment: Experiment
    swept: list[str]
    n_cells: int
    progress: report.Progress


class Sweep(Callback):
    """Start the parent run before the first job, and end it with tables, plots and curves after the last."""

    _open: _Open | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Refuse a wrong request before Hydra makes a folder for the run."""
        or_exit(lambda: _prepared(config))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Check every cell, bring the store up, start the parent run."""
        self._open = or_exit(lambda: _start(config))
        atexit.register(self._abandon)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _exit_on_signal)
        self._open.progress.start()

    def on_job_end(self, **_: Any) -> None:
        """Move the progress bar on (under launchers that run jobs in this process)."""
        if self._open is not None:
            self._open.progress.advance()

    def on_multirun_end(self, **_: Any) -> None:
        """Compare the cells, log the comparison, print the table; status 1 if a cell failed."""
        under_way, self._open = self._open, None
        if under_way is None:
            return
        under_way.progress.stop()
        try:
            status = or_exit(lambda: _finish(under_way))
        except BaseException:
            under_way.store.end(under_way.run_id, "FAILED")
            raise
        if status:
            raise SystemExit(status)

    def _abandon(self) -> None:
        # Hydra calls nothing at the end of a sweep that was interrupted; without this the parent would stay RUNNING.
        under_way, self._open = self._open, None
        if under_way is None:
            return
        under_way.progress.stop()
        cells = under_way.store.children(under_way.run_id)
        for cell in cells:
            if cell.info.status == "RUNNING":
                under_way.store.end(cell.info.run_id, "KILLED")
        if cells:
            under_way.store.end(under_way.run_id, "KILLED")
        else:
            under_way.store.discard(under_way.run_id)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _prepared(composed: DictConfig) -> Experiment:
    experiment = config.to_experiment(composed)
    experiment.prepare()
    return experiment


def _start(composed: DictConfig) -> _Open:
    swept = _swept(composed)
    cells = list(config.values_of(swept))
    experiments = _checked(composed, cells)
    if not experiments:
        raise BadInput(
            "a sweep must have at least one cell; found none: give a key some values, such as batch_size=10,100"
        )
    if len({type(experiment.study) for experiment in experiments}) > 1:
        raise BadInput("a sweep must ask one question; found several in study=…: give each its own sweep")
    varied = [key for key, values in swept.items() if len(values) > 1]
    first = experiments[0]
    store = first.tracking.open()
    run_id = store.start(f"{first.study.name} {first.data.name} {first.data.split} · {first.model.name}", kind="sweep")
    folder = Path(composed.hydra.sweep.dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PARENT).write_text(json.dumps({"run_id": run_id, "varied": varied}))
    return _Open(store, run_id, first, varied, len(cells), report.Progress(len(cells), "cells"))


def _checked(composed: DictConfig, cells: list[list[str]]) -> list[Experiment]:
    progress = report.Progress(len(cells), "cells", what="Check")
    progress.start()
    try:
        experiments = []
        for overrides in cells:
            experiments.append(_prepared(_compose(composed, overrides)))
            progress.advance()
    finally:
        progress.stop()
    return experiments


def _swept(composed: DictConfig) -> dict[str, list[str]]:
    """Every override of the sweep with its values, as Hydra's own sweeper reads them."""
    try:
        parameters = dict(composed.hydra.sweeper.get("params") or {})
    except InterpolationKeyError as error:
        raise BadInput(
            f"data.split must be one of {', '.join(SPLITS)}; found {composed.data.split!r}, which has no "
            "data.sweep_sizes: choose one of them, or give the sizes, batch_size=10,100"
        ) from error
    lines = [f"{key}={value}" for key, value in parameters.items()] + list(composed.hydra.overrides.task)
    swept: dict[str, list[str]] = {}
    for override in OverridesParser.create(GlobalHydra.instance().config_loader()).parse_overrides(lines):
        if override.is_sweep_override():
            if not override.is_discrete_sweep():
                raise BadInput(f"a sweep must list its values, such as KEY=1,10; found {override.input_line}")
            values = [str(value) for value in override.sweep_string_iterator()]
        else:
            values = [str(override.get_value_element_as_str())]
        key = override.get_key_element()
        if key.split(".")[0] == "tracking" and len(values) > 1:
            raise BadInput(f"a sweep must go to one store; found several values of {key}: name one")
        swept[key] = values
    return swept


def _compose(master: DictConfig, overrides: list[str]) -> DictConfig:
    composed = GlobalHydra.instance().config_loader().load_sweep_config(master, overrides)
    with open_dict(composed):
        del composed["hydra"]
    return composed


def _finish(under_way: _Open) -> int:
    store, run_id = under_way.store, under_way.run_id
    children = store.children(run_id)
    finished = [run for run in children if run.info.status == "FINISHED"]
    missing = under_way.n_cells - len(finished)
    if not children:
        # Every cell was refused, and has said why; a failure would have left a run.
        store.discard(run_id)
        return 2
    if not finished:
        store.end(run_id, "FAILED")
        report.error(f"none of the {under_way.n_cells} cells finished")
        return 1
    comparison = compare(under_way.experiment.study, finished, store, under_way.swept)
    store.log(run_id, _parent_log(comparison, under_way, store, finished[0].info.run_id))
    store.end(run_id, "FAILED" if missing else "FINISHED")
    report.sweep(comparison.compared, run_id=run_id, folder=store.folder(run_id))
    if missing:
        report.error(f"{missing} of {under_way.n_cells} cells failed; the other {len(finished)} are kept")
    return 1 if missing else 0


def _parent_log(comparison: Comparison, under_way: _Open, store: Store, a_cell: str) -> Log:
    from pipeline.plots import learning_curve

    figures = dict(comparison.compared.figures)
    series = list(comparison.series)
    # A sweep over models or data has a curve a network: each stays with its cells.
    if not any(key.split(".")[0] in ("model", "data") for key in under_way.swept):
        learning = {f"learning/{name}": store.metric_history(a_cell, f"learning/{name}") for name in LEARNING}
        series += [(key, value, step) for key, history in learning.items() for step, value in history]
        curve = learning_curve_of(learning)
        if curve is not None:
            figures["learning_curve"] = learning_curve.draw(curve)
    return Log(
        params=flatten({"swept": " ".join(under_way.swept), **comparison.common}),
        series=series,
        tags={"cells": str(len(comparison.cells)), "mlflow.note.content": comparison.compared.summary},
        tables={"cells.csv": comparison.cells},
        figures=figures,
    )
