"""Bring a run's values, tags and artifacts into the store."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..runtime import files
from ..runtime.leftovers import writing
from .artifacts import local_folder
from .log import LONGEST_TAG

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, RunInfo

# MLflow's limits for one call of log_batch are 1,000 entities in all, of them 100 params and 100 tags.
_ENTITIES_A_CALL = 1000
_PARAMS_A_CALL = 100
_METRICS_A_CALL = _ENTITIES_A_CALL - 2 * _PARAMS_A_CALL
# MLflow cuts longer values without an error.
_LONGEST_PARAM = 6000
# What SQLite, PostgreSQL and MySQL say of a row that is there already.
_DUPLICATE = re.compile("unique constraint|duplicate", re.IGNORECASE)


def upload(client: Any, info: RunInfo, content: dict[str, Any], artifacts: Path, time_ms: int) -> None:
    """Write the content of a run to the store.

    Values that are not finite go to the tag ``not_finite`` as text, because MLflow stores infinity as 1.797e308 and
    shows nothing for nan; either would spoil its charts.

    Parameters
    ----------
    client : MlflowClient
    info : RunInfo
        The run that receives the content.
    content : dict
        See `content_of`.
    artifacts : Path
        The folder with the run's artifacts; it need not exist.
    time_ms : int
        The time of every metric, in milliseconds since the epoch.
    """
    from mlflow.entities import Metric, Param, RunTag

    run_id = str(info.run_id)
    values: dict[str, float] = content["metrics"]
    not_finite = {k: v for k, v in values.items() if not math.isfinite(v)}
    metrics = [Metric(k, v, time_ms, 0) for k, v in values.items() if k not in not_finite]
    metrics += [Metric(k, v, time_ms, step) for k, v, step in content["series"] if math.isfinite(v)]
    tags = dict(content["tags"])
    if not_finite:
        tags["not_finite"] = " ".join(f"{k}={v}" for k, v in not_finite.items())
    params = [Param(k, v[:_LONGEST_PARAM]) for k, v in content["params"].items()]
    first = True
    while first or metrics or params:
        client.log_batch(
            run_id,
            metrics=metrics[:_METRICS_A_CALL],
            params=params[:_PARAMS_A_CALL],
            tags=[RunTag(k, v[:LONGEST_TAG]) for k, v in tags.items()] if first else [],
        )
        metrics, params, first = metrics[_METRICS_A_CALL:], params[_PARAMS_A_CALL:], False
    if artifacts.is_dir():
        _upload_artifacts(client, info, artifacts)
    if content["dataset"] is not None:
        _upload_dataset(client, run_id, **content["dataset"])


def _upload_artifacts(client: Any, info: RunInfo, artifacts: Path) -> None:
    folder = local_folder(info.artifact_uri)
    if folder is None:
        client.log_artifacts(info.run_id, str(artifacts))
        return
    writing()
    folder.mkdir(parents=True, exist_ok=True)
    for path in artifacts.iterdir():
        files.place(path, folder / path.name)
    files.flush(folder)


def short_digest(digest: str) -> str:
    """Return the part of a digest of data that MLflow has room for."""
    return digest[:32]


def _upload_dataset(client: Any, run_id: str, name: str, digest: str) -> None:
    from mlflow.entities import Dataset, DatasetInput

    # MLflow's own digest samples the rows and misses a changed pixel; this one covers all the content.
    dataset = Dataset(name, short_digest(digest), "batchscope", json.dumps({"name": name}))
    log_inputs(client, run_id, [DatasetInput(dataset)])


def log_inputs(client: Any, run_id: str, inputs: list[DatasetInput]) -> None:
    """Log data sets; once more where another process has logged the same one meanwhile.

    MLflow looks whether it is there and then inserts it, which the database refuses as a duplicate.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.log_inputs(run_id, inputs)
    except MlflowException as error:
        if not _DUPLICATE.search(str(error)):
            raise
        client.log_inputs(run_id, inputs)
