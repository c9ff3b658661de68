"""Read the runs of a sweep from MLflow's SQLite file without importing MLflow, which takes seconds.

The reader only answers whether a sweep is finished already. It opens the file read-only, and refuses any database that
is not exactly as expected (schema version, experiment, place of the artifacts); the caller then uses MLflow's client.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from ..runtime.sqlite import path_of
from .address import artifacts_beside, resolve

# Alembic revisions of MLflow's tables that the queries below were checked against: MLflow 3.17.
SCHEMA_VERSIONS = ("dc11669786a5",)
_SECONDS_FOR_A_LOCK = 5


@dataclass(frozen=True)
class RunRecord:
    """One run as the database holds it.

    Attributes
    ----------
    run_id, status, artifact_uri : str
    start_time : int
        Milliseconds since the epoch.
    params, tags : dict of str to str
    """

    run_id: str
    status: str
    artifact_uri: str
    start_time: int
    params: dict[str, str]
    tags: dict[str, str]


def read_sweep(uri: str, experiment: str, digest: str) -> tuple[RunRecord, list[RunRecord]] | None:
    """Return the newest sweep with that digest and its cells, oldest first.

    Parameters
    ----------
    uri : str
        The store's address.
    experiment : str
        The name of the experiment.
    digest : str
        The sweep's digest, its tag ``sweep_digest``.

    Returns
    -------
    tuple of (RunRecord, list of RunRecord) or None
        None if there is no such sweep, or the database cannot be read in this way.
    """
    path = path_of(resolve(uri))
    if path is None or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=_SECONDS_FOR_A_LOCK)) as connection:
            # One transaction: the sweep and its cells are read in the same state.
            connection.execute("BEGIN")
            experiment_id = _experiment_id(connection, experiment, artifacts_beside(resolve(uri)))
            if experiment_id is None:
                return None
            sweeps = _runs_with_tag(connection, experiment_id, "sweep_digest", digest)
            if not sweeps:
                return None
            children = _runs_with_tag(connection, experiment_id, "mlflow.parentRunId", sweeps[-1].run_id)
            return sweeps[-1], [run for run in children if run.tags.get("kind") == "cell"]
    except (sqlite3.Error, ValueError):
        # ValueError: bytes that are no text, and a path that has no address.
        return None


def _experiment_id(connection: sqlite3.Connection, experiment: str, artifacts: str | None) -> int | None:
    """Return the id of the experiment, or None if the database is not as expected."""
    versions = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    if len(versions) != 1 or versions[0][0] not in SCHEMA_VERSIONS:
        return None
    found = connection.execute(
        # Another artifact location means that the file was moved, which `relocate` corrects.
        "SELECT experiment_id FROM experiments WHERE name = ? AND artifact_location = ? "
        "AND lifecycle_stage = 'active' AND workspace = 'default'",
        (experiment, artifacts),
    ).fetchall()
    return int(found[0][0]) if len(found) == 1 else None


def _runs_with_tag(connection: sqlite3.Connection, experiment_id: int, key: str, value: str) -> list[RunRecord]:
    """Return the active runs whose tag has that value, oldest first, as `Store` returns them."""
    rows = connection.execute(
        "SELECT runs.run_uuid, runs.status, runs.artifact_uri, runs.start_time FROM runs "
        "JOIN tags ON tags.run_uuid = runs.run_uuid AND tags.key = ? AND tags.value = ? "
        "WHERE runs.experiment_id = ? AND runs.lifecycle_stage = 'active' ORDER BY runs.start_time, runs.run_uuid",
        (key, value, experiment_id),
    ).fetchall()
    return [
        RunRecord(
            str(run_id),
            str(status),
            str(artifact_uri),
            int(start_time),
            _pairs(connection.execute("SELECT key, value FROM params WHERE run_uuid = ?", (run_id,))),
            _pairs(connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (run_id,))),
        )
        for run_id, status, artifact_uri, start_time in rows
    ]


def _pairs(rows: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {key: value or "" for key, value in rows}
