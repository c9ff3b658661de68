"""Run a recorded run again from its own configuration, and compare metrics, tables and environment.

Of a sweep, every finished cell is run again.

python -m pipeline reproduce run=ID [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import config, errors
from ..cell import environment
from ..cell.identity import cell_digest, content_of
from ..errors import BadInput
from ..experiment import Stages
from ..experiment import run as run_experiment
from ..report import terminal
from ..report.result import Result, Table
from ..report.words import counted
from ..runtime import files
from ..scoring.cache import fresh
from ..tracking.store import Store, metrics_of
from . import arguments
from .which_run import NEWEST, find

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

# Metrics with this part in their name are wall times, which differ in every run.
_TIME = "seconds"


@dataclass(eq=False)
class Reproduced:
    """The comparison of a recorded cell with its repetition.

    Attributes
    ----------
    before, now : dict of str to float
        The recorded metrics, and those of the repetition.
    tables : dict of str to bool
        For each recorded table, whether it is the same to the last bit.
    environment : dict of str to (str, str)
        The differences of the environment: (before, now) by name.
    same_digest : bool
        Whether configuration, data, weights and source are unchanged, as far as the study lets that be told.
    remarks : list of str
        What the study has to say of its repetition.
    """

    before: dict[str, float]
    now: dict[str, float]
    tables: dict[str, bool] = field(default_factory=dict)
    environment: dict[str, tuple[str, str]] = field(default_factory=dict)
    same_digest: bool = True
    remarks: list[str] = field(default_factory=list)

    @property
    def is_identical(self) -> bool:
        """Whether every figure but the times is the same to the last bit."""
        names = {name for name in self.before.keys() | self.now.keys() if not is_time(name)}
        return all(is_same(self.before.get(name), self.now.get(name)) for name in names) and all(self.tables.values())


def main(given: Sequence[str]) -> int:
    """Run a run again and print the comparison; return 0 if identical, 1 if not, 2 if the request was wrong."""
    try:
        own, tracking = arguments.read(given, ("run",))
        text = own.get("run", "").strip()
        if not text:
            how = "make reproduce RUN=ID" if files.checkout() else "batchscope reproduce run=ID"
            raise BadInput(f"run=ID must name a recorded run; found none: {how}, with the id of a run, or {NEWEST}")
        store = tracking.open()
        run = find(store, text)
        run_ids = _finished(store, run)
        are_identical = True
        for run_id in run_ids:
            found = reproduce(store, run_id)
            terminal.answer(table(found, run_id), conclusion(found), notes(found))
            are_identical &= found.is_identical
    except Exception as given_error:
        error = config.in_words(given_error)
        if errors.WANTS_TRACEBACK or not config.is_plain(error):
            raise
        terminal.error(config.one_line(error))
        return 2 if config.is_request_error(error) else 1
    if run.data.tags.get("kind") == "sweep":
        cells = counted(len(run_ids), "cell")
        terminal.say(f"{cells} of {run.info.run_name!r}: {'all' if are_identical else 'not all'} identical.")
    terminal.run_line(str(run.info.run_id))
    return 0 if are_identical else 1


def _finished(store: Store, run: Run) -> list[str]:
    """Return the ids to run again: that of a cell, or those of a sweep's finished cells."""
    if run.data.tags.get("kind") != "sweep":
        return [str(run.info.run_id)]
    finished = [str(cell.info.run_id) for cell in store.children(run.info.run_id) if cell.info.status == "FINISHED"]
    if not finished:
        raise BadInput(f"run={run.info.run_id} must have a finished cell; found a sweep without one: name another")
    return finished


def reproduce(store: Store, run_id: str) -> Reproduced:
    """Run a recorded cell again from its ``config.yaml``; nothing is logged, and no program of the user's is started.

    What the cell writes beside its run goes to a temporary folder.

    Raises
    ------
    BadInput
        If there is no such run, it is no finished cell, or files that it needs are missing.
    """
    run = store.run(run_id)
    if run.data.tags.get("kind") != "cell" or run.info.status != "FINISHED":
        what = run.data.tags.get("kind", "run of another program")
        raise BadInput(
            f"run={run_id} must be a finished cell; found a {what} that is {run.info.status}: name one of the cells"
        )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_bytes(store.read_file(run_id, "config.yaml"))
        experiment = config.load(Path(folder))
    again = _Again()
    with tempfile.TemporaryDirectory() as folder:
        study, remarks = experiment.study.repeated(Path(folder), experiment, metrics_of(run))
        result = run_experiment(replace(experiment, study=study), again)
        # Of the files in the folder, while they are there.
        digest = cell_digest(experiment, content_of(again.stages))
    assert result is not None
    names = store.files(run_id)
    before = json.loads(store.read_file(run_id, "environment.json")) if "environment.json" in names else {}
    return Reproduced(
        before=metrics_of(run),
        now=result.metrics,
        tables=_compared(store, run_id, names, result),
        environment=environment.differences(before, environment.describe()) if before else {},
        same_digest=not study.keeps_content or digest == run.data.tags.get("cell_digest"),
        remarks=remarks,
    )


class _Again:
    """A recorder for which a finished cell is due again: nothing comes from the cache, and nothing is logged."""

    stages: Stages

    @contextmanager
    def due(self, stages: Stages) -> Iterator[bool]:
        self.stages = stages
        with fresh():
            yield True

    def log(self, stages: Stages, result: Result) -> None:
        pass


def _compared(store: Store, run_id: str, names: list[str], result: Result) -> dict[str, bool]:
    tables = dict(result.tables)
    if result.draws is not None:
        tables["draws.parquet"] = result.draws
    recorded = [name for name in names if name in tables and name.endswith(".parquet")]
    return {name: _is_equal(store.read_table(run_id, name), tables[name]) for name in recorded}


def _is_equal(before: pd.DataFrame, now: pd.DataFrame) -> bool:
    return bool(before.equals(now.reset_index(drop=True)))


def is_time(name: str) -> bool:
    """Whether a metric is a wall time."""
    return _TIME in name.split("/")


def is_same(before: float | None, now: float | None) -> bool:
    """Whether two values are the same to the last bit; nan is the same as nan."""
    if before is None or now is None:
        return before is now
    return before == now or (math.isnan(before) and math.isnan(now))


def table(found: Reproduced, run_id: str) -> Table:
    """Return a table of the metrics that differ, with both values, and the number of identical ones."""
    names = sorted(found.before.keys() | found.now.keys())
    differing = [name for name in names if not is_same(found.before.get(name), found.now.get(name))]
    rows: list[tuple[str, ...]] = [
        (name, _number(found.before.get(name)), _number(found.now.get(name)), _difference(found, name))
        for name in differing
    ]
    counted = f"{len(names) - len(differing)} of {len(names)}"
    return Table(
        f"Run {run_id}, again", ("metric", "recorded", "now", "off by"), rows, [("identical", counted, "", "")]
    )


def _difference(found: Reproduced, name: str) -> str:
    before, now = found.before.get(name), found.now.get(name)
    if is_time(name):
        return "a time"
    if before is None or now is None:
        return "missing"
    return f"{now - before:.3g}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.10g}"


def conclusion(found: Reproduced) -> str:
    """Return the result of the comparison in a sentence or two."""
    same = [name for name, is_equal in found.tables.items() if is_equal]
    other = [name for name in found.tables if name not in same]
    draws = f" {', '.join(same)}: identical to the last bit." if same else ""
    draws += f" {', '.join(other)}: not identical." if other else ""
    if found.is_identical:
        return f"Identical: every figure but the times is the same to the last bit.{draws}"
    return f"Not identical: the table shows what is off, and by how much.{draws}"


def notes(found: Reproduced) -> list[str]:
    """Return what may explain a difference: changes of configuration, data, weights, source and environment."""
    lines = list(found.remarks)
    if not found.same_digest:
        lines.append("the configuration, the data, the weights or the source are not what they were")
    if not found.environment:
        return [*lines, "the environment is the one that was recorded"]
    return lines + [
        f"{name}: {before or 'none'} then, {now or 'none'} now" for name, (before, now) in found.environment.items()
    ]
