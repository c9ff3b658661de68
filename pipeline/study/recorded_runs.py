"""Runs of a series: evaluations of earlier days, which have left the values of their rows in MLflow."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from ..errors import BadInput
from ..experiment import Stages
from ..records.recorded import RecordedRows
from ..records.scores import Scores
from ..runtime import files
from ..runtime.memo import once
from ..sampling.units import Units
from .dated_files import DatedFile
from .series import ScoredFile, summed

# The names of values in a run's table, where they are others than the metric's.
_COLUMNS = {"accuracy": "correct"}


def by_day(stages: Stages, experiment: str) -> list[tuple[date, RecordedRows]]:
    """Return the last run of each day (UTC) of the model that is asked for, oldest first.

    Raises
    ------
    BadInput
        If the experiment is none, or has no such run, or one with groups or weights.
    """
    store = stages.experiment.tracking.open()
    found, model = store.recorded_rows(experiment), stages.experiment.model.called
    own = [run for run in found if run.model == model]
    if not own:
        others = ", ".join(sorted({run.model or "predictions" for run in found})[:5])
        raise BadInput(
            f"study.runs must name an experiment with evaluations of {model or 'predictions'} that have rows.parquet; "
            f"found {f'those of {others} alone' if found else 'none'} in {experiment!r}: make them with "
            f"{files.command('evaluate', 'study.rows_out=true tracking.experiment=' + experiment)}"
        )
    for run in own:
        if not run.counts_alike:
            raise BadInput(
                f"study.runs takes rows one by one and alike; found data.group or data.weight in the run {run.run_id}: "
                "leave it out by another experiment"
            )
    return list({datetime.fromtimestamp(run.started, UTC).date(): run for run in own}.items())


def scored_runs(stages: Stages, runs: list[tuple[date, RecordedRows]], *, loss_cap: float | None) -> list[ScoredFile]:
    """Return what is kept of each run; once in a process.

    Raises
    ------
    BadInput
        If a run has fewer metrics than the data.
    """
    experiment = stages.experiment
    asked = (stages.metrics, experiment.interval, experiment.confidence, experiment.seed, loss_cap)

    def make() -> list[ScoredFile]:
        return [_scored(stages, day, run, loss_cap) for day, run in runs]

    # What is kept in memory is never handed out to be added to.
    return list(once(f"runs {[run.run_id for _, run in runs]} {asked!r}", make))


def _scored(stages: Stages, day: date, run: RecordedRows, loss_cap: float | None) -> ScoredFile:
    table = stages.experiment.tracking.open().values_of(run)
    columns: dict[str, Any] = {}
    for name, metric in stages.metrics.items():
        own = _COLUMNS.get(name, name)
        if own not in table:
            raise BadInput(
                f"all runs must have the {metric.words}, as {stages.rows.name} has; found none in the run of {day}, "
                f"{run.run_id}: leave it out with metric=[…]"
            )
        columns[name] = table[own].to_numpy(dtype=np.float64)
    capped = 0
    if loss_cap is not None and "loss" in columns:
        capped = int(np.count_nonzero(columns["loss"] > loss_cap))
        columns["loss"] = np.minimum(columns["loss"], loss_cap)
    scores = Scores.of(columns, capped=capped)
    file = DatedFile(run.population, str(day), day)
    return summed(stages, file, scores, Units(len(table)), digest=run.digest, loss_cap=loss_cap)
