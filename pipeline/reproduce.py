"""A recorded cell once more, from its own configuration: what is identical, what is not, and what differs around it.

python -m pipeline.reproduce run=ID [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import arguments, config, environment, report
from pipeline.comparison import metrics_of
from pipeline.errors import BadInput
from pipeline.identity import cell_digest, content_of
from pipeline.records import Table
from pipeline.scored import fresh
from pipeline.study.base import Result
from pipeline.tracking import Store

if TYPE_CHECKING:
    import pandas as pd

# What a clock says is never twice the same.
_TIMES = ("seconds",)


@dataclass(eq=False)
class Reproduced:
    """A cell that was run again.

    Attributes
    ----------
    before, now : dict of str to float
        The metrics as recorded and as found now.
    tables : dict of str to bool
        For each recorded table, whether it is the same to the last bit.
    around : dict of str to (str, str)
        What differs in the environment: (before, now) by name.
    same_digest : bool
        Whether configuration, data, weights and source are what they were.
    """

    before: dict[str, float]
    now: dict[str, float]
    tables: dict[str, bool] = field(default_factory=dict)
    around: dict[str, tuple[str, str]] = field(default_factory=dict)
    same_digest: bool = True

    @property
    def is_identical(self) -> bool:
        """Whether every figure but the times is the same to the last bit."""
        names = {name for name in self.before.keys() | self.now.keys() if not is_time(name)}
        return all(is_same(self.before.get(name), self.now.get(name)) for name in names) and all(self.tables.values())


def main(given: Sequence[str]) -> int:
    """Run a cell again and say what came of it; 0 if it is identical, 1 if it is not, 2 if the request was wrong."""
    try:
        own, tracking = arguments.read(given, ("run",))
        run_id = own.get("run", "").strip()
        if not run_id:
            raise BadInput("run=ID must name a recorded cell; found none: make reproduce RUN=ID, with the id of a run")
        found = reproduce(tracking.open(), run_id)
    except Exception as error:
        if report.WANTS_TRACEBACK or not config.is_request_error(error):
            raise
        report.error(config.one_line(error))
        return 2
    report.answer(table(found, run_id), conclusion(found), notes(found))
    return 0 if found.is_identical else 1


def reproduce(store: Store, run_id: str) -> Reproduced:
    """Run a recorded cell again from its ``config.yaml``; nothing is logged.

    Raises
    ------
    BadInput
        If there is no such run, it is no finished cell, or what it needs is gone.
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
    setting = experiment.prepare()
    with fresh():
        result = experiment.study.answer(setting)
    names = store.files(run_id)
    before = json.loads(store.read_file(run_id, "environment.json")) if "environment.json" in names else {}
    return Reproduced(
        before=metrics_of(run),
        now=result.metrics,
        tables=_compared(store, run_id, names, result),
        around=environment.differences(before, environment.describe()) if before else {},
        same_digest=cell_digest(experiment, content_of(experiment, setting)) == run.data.tags.get("cell_digest"),
    )


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
    return any(part in _TIMES for part in name.split("/"))


def is_same(before: float | None, now: float | None) -> bool:
    """Whether two values are the same to the last bit; nan is the same as nan."""
    if before is None or now is None:
        return before is now
    return before == now or (math.isnan(before) and math.isnan(now))


def table(found: Reproduced, run_id: str) -> Table:
    """Return the metrics that differ and the times, with both values; those that are identical are counted below."""
    names = sorted(found.before.keys() | found.now.keys())
    differing = [name for name in names if not is_same(found.before.get(name), found.now.get(name))]
    rows: list[tuple[str, ...]] = [
        (name, _number(found.before.get(name)), _number(found.now.get(name)), _off(found, name)) for name in differing
    ]
    counted = f"{len(names) - len(differing)} of {len(names)}"
    return Table(
        f"Run {run_id}, again", ("metric", "recorded", "now", "off by"), rows, [("identical", counted, "", "")]
    )


def _off(found: Reproduced, name: str) -> str:
    before, now = found.before.get(name), found.now.get(name)
    if is_time(name):
        return "a time"
    if before is None or now is None:
        return "missing"
    return f"{now - before:.3g}"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.10g}"


def conclusion(found: Reproduced) -> str:
    """Say in a sentence or two what came of it."""
    same = [name for name, is_equal in found.tables.items() if is_equal]
    other = [name for name in found.tables if name not in same]
    draws = f" {', '.join(same)}: identical to the last bit." if same else ""
    draws += f" {', '.join(other)}: not identical." if other else ""
    if found.is_identical:
        return f"Identical: every figure but the times is the same to the last bit.{draws}"
    return f"Not identical: the table shows what is off, and by how much.{draws}"


def notes(found: Reproduced) -> list[str]:
    """Say what differs around the result."""
    lines = (
        [] if found.same_digest else ["the configuration, the data, the weights or the source are not what they were"]
    )
    if not found.around:
        return [*lines, "the environment is the one that was recorded"]
    return lines + [
        f"{name}: {before or 'none'} then, {now or 'none'} now" for name, (before, now) in found.around.items()
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
