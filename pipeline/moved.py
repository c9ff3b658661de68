"""A SQLite store that was moved or copied: its artifacts' addresses, which MLflow keeps in full, are put right."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

# Where MLflow 3 keeps addresses of artifacts.
_COLUMNS = (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"))


def mend(database: Path, experiment: str, artifacts: str) -> bool:
    """Let every address that starts where the experiment's artifacts once were start where they are now.

    Only addresses under the recorded place of this experiment's artifacts are changed, all in one transaction, so that
    experiments of other programs in the same store, which lie elsewhere, are left alone.

    Parameters
    ----------
    database : Path
        MLflow's SQLite file; one that does not exist, or is not MLflow's, is left alone.
    experiment : str
        The experiment's name.
    artifacts : str
        The ``file:`` address that its artifacts have now.

    Returns
    -------
    bool
        Whether anything was changed.
    """
    if not database.is_file():
        return False
    with closing(sqlite3.connect(database, timeout=60)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "experiments" not in tables:
            return False
        found = connection.execute("SELECT artifact_location FROM experiments WHERE name = ?", (experiment,)).fetchone()
        if found is None or found[0] is None or found[0] == artifacts or not found[0].startswith("file:"):
            return False
        before = found[0]
        with connection:
            for table, column in _COLUMNS:
                if table in tables:
                    # The names come from the list above alone; the values are bound.
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                        f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                        (artifacts, len(before) + 1, before, len(before) + 1, before + "/"),
                    )
    return True
