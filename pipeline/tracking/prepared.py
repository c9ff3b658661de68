"""The tables of an empty store, as the installed MLflow's own migrations leave them, kept as a script.

Its migrations take as long as a small sweep. A test holds the script against what MLflow makes, and
``python -m tests.tracking.stores`` writes it anew.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from .schema import newest_revision

SCRIPT = Path(__file__).with_name("empty_store.sql")


def content_of(script: str, artifacts: str) -> bytes | None:
    """Return the content of a new store's SQLite file, made by a script; None if it is of another version of MLflow.

    Parameters
    ----------
    script : str
        SQL statements that make the tables and the rows of an empty store.
    artifacts : str
        The address of the folder for the artifacts of MLflow's own first experiment.
    """
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if revision != newest_revision():
            return None
        now = int(time.time() * 1000)
        connection.execute(
            "UPDATE experiments SET artifact_location = ?, creation_time = ?, last_update_time = ?",
            (f"{artifacts}/0", now, now),
        )
        connection.commit()
        return bytes(connection.serialize())
