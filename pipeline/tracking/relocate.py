"""Correct the artifacts' addresses in a SQLite store that was moved or copied, because MLflow stores absolute ones."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from .artifacts import local_folder

# Every run of this program has these two tags; MLflow's own clients let other programs' runs have other values.
_OURS = (
    "EXISTS (SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND key = 'kind' "
    "AND value IN ('sweep', 'cell', 'group')) "
    "AND EXISTS (SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND key = 'mlflow.source.name' "
    "AND value = 'batchscope')"
)
_HAS_FILES = "EXISTS (SELECT 1 FROM tags WHERE tags.run_uuid = runs.run_uuid AND key = 'artifacts' AND value != '{}')"
# What `create_experiment` is given, so that an experiment without runs is recognised as well.
MADE_BY = {"made_by": "batchscope"}


def relocate(database: Path, experiment: str, artifacts: str) -> bool:
    """Replace the old folder of this program's artifacts by the new one.

    An address is changed only if this program wrote it, the old place is gone or is another store's (the store was
    copied), and the new place has the files. Experiments and runs of other programs in the same store keep theirs. All
    is changed in one transaction.

    Parameters
    ----------
    database : Path
        MLflow's SQLite file; nothing happens if it does not exist or is not MLflow's.
    experiment : str
        The experiment's name.
    artifacts : str
        The new address of its artifacts, a ``file:`` URI.

    Returns
    -------
    bool
        Whether anything was changed.
    """
    if not database.is_file():
        return False
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"experiments", "runs", "tags", "experiment_tags"} <= tables:
            return False
        row = connection.execute(
            "SELECT experiment_id, artifact_location FROM experiments WHERE name = ?", (experiment,)
        ).fetchone()
        if row is None:
            return False
        experiment_id, location = int(row[0]), str(row[1])
        runs = _moved_runs(connection, experiment_id, artifacts, database)
        is_moved = (
            location != artifacts
            and _was_left(location, database)
            and _is_ours(connection, experiment_id)
            and _has_files_or_needs_none(connection, experiment_id, artifacts)
        )
        if not runs and not is_moved:
            return False
        with connection:
            connection.executemany(
                "UPDATE runs SET artifact_uri = ? WHERE run_uuid = ?",
                [(_address(artifacts, run_id), run_id) for run_id in runs],
            )
            if is_moved:
                connection.execute(
                    "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (artifacts, experiment_id)
                )
    return True


def _address(artifacts: str, run_id: str) -> str:
    return f"{artifacts}/{run_id}/artifacts"


def _moved_runs(connection: sqlite3.Connection, experiment_id: int, artifacts: str, database: Path) -> list[str]:
    """Return the ids of our runs whose artifacts were left elsewhere and are found in the new place."""
    rows = connection.execute(
        f"SELECT run_uuid, artifact_uri, {_HAS_FILES} FROM runs "
        f"WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) != ? AND {_OURS}",
        (experiment_id, len(artifacts) + 1, f"{artifacts}/"),
    ).fetchall()
    left: dict[str, bool] = {}
    found = []
    for run_id, uri, has_files in rows:
        root = str(uri).removesuffix(f"/{run_id}/artifacts")
        if root not in left:
            left[root] = root != uri and _was_left(root, database)
        new = local_folder(_address(artifacts, str(run_id)))
        # A run that has no file yet, such as a sweep that was stopped, has no folder either.
        if left[root] and new is not None and (new.is_dir() or not has_files):
            found.append(str(run_id))
    return found


def _was_left(location: str, database: Path) -> bool:
    """Whether a folder of artifacts is no longer this store's: it is gone, or another store lies beside it."""
    folder = local_folder(location)
    if folder is None:
        return False
    other = folder.parent / database.name
    return not folder.exists() or (other.is_file() and not other.samefile(database))


def _has_files_or_needs_none(connection: sqlite3.Connection, experiment_id: int, artifacts: str) -> bool:
    folder = local_folder(artifacts)
    if folder is not None and folder.is_dir():
        return True
    query = f"SELECT 1 FROM runs WHERE experiment_id = ? AND {_HAS_FILES} LIMIT 1"
    return not connection.execute(query, (experiment_id,)).fetchone()


def _is_ours(connection: sqlite3.Connection, experiment_id: int) -> bool:
    """Whether this program made the experiment; it began to say so in a tag later than it began to make them."""
    key, value = next(iter(MADE_BY.items()))
    query = "SELECT 1 FROM experiment_tags WHERE experiment_id = ? AND key = ? AND value = ?"
    if connection.execute(query, (experiment_id, key, value)).fetchone():
        return True
    ours, all_runs = connection.execute(
        f"SELECT COALESCE(SUM({_OURS}), 0), COUNT(*) FROM runs WHERE experiment_id = ?", (experiment_id,)
    ).fetchone()
    return 0 < ours == all_runs
