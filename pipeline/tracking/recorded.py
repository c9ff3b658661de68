"""Runs of an experiment that have left the values of their rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..records.recorded import RecordedRows

if TYPE_CHECKING:
    from mlflow.entities import Run

# The artifact, and the study that writes it with one model's values.
TABLE, STUDY = "rows.parquet", "all_rows"
_NONE = ("null", "None", "")


def experiment_of(client: Any, name: str) -> str:
    """Return the id of the experiment of that name.

    Raises
    ------
    BadInput
        If there is none.
    """
    found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        names = sorted(own.name for own in client.search_experiments())
        raise BadInput(
            f"study.runs must name an experiment of this store; found {name!r}, and there are "
            f"{', '.join(names[:5])}{' …' * (len(names) > 5)}: check the name"
        )
    return str(found.experiment_id)


def wanted() -> str:
    """Return MLflow's filter of finished evaluations of all rows."""
    return f"attributes.status = 'FINISHED' and params.`study.name` = '{STUDY}' and params.`study.rows_out` = 'true'"


def of_runs(runs: list[Run]) -> list[RecordedRows]:
    """Return what is told of the runs that have the table, in their order."""
    return [_told(run) for run in runs if TABLE in json.loads(run.data.tags.get("artifacts", "{}"))]


def _told(run: Run) -> RecordedRows:
    tags, params, inputs = run.data.tags, run.data.params, run.inputs.dataset_inputs
    grouped = [params.get(key, "null") for key in ("data.group", "data.weight")]
    return RecordedRows(
        run_id=run.info.run_id,
        started=run.info.start_time / 1000,
        population=tags.get("population", ""),
        model=tags.get("model", ""),
        digest=inputs[0].dataset.digest if inputs else "",
        counts_alike=all(value in _NONE for value in grouped),
    )
