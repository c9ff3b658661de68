"""Recognise what a SQLite file holds: MLflow's tables of this version, half of them, those of another, or none."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

_SECONDS_FOR_A_LOCK = 60
# The name under which a migration makes a table anew; where it is left, the migration was stopped.
_TEMPORARY = "_alembic_tmp_"
_EXPERIMENTS = "experiments"


@dataclass(frozen=True)
class Found:
    """What a file holds.

    Attributes
    ----------
    kind : str
        ``nothing``: no file, or no table; ``whole``: the tables of the installed MLflow; ``half-made``: some of the
        tables of an empty store, left by a start that was stopped; ``older`` and ``later``: the tables of another
        MLflow; ``half-migrated``: a store with content, left by a migration that was stopped; ``foreign``: the
        tables of another program.
    revision : str
        The version of the tables, as MLflow names it; empty if they have none.
    """

    kind: Literal["nothing", "whole", "half-made", "older", "later", "half-migrated", "foreign"]
    revision: str = ""


def look_at(path: Path) -> Found:
    """Tell what a SQLite file holds.

    Raises
    ------
    sqlite3.Error
        If it cannot be read.
    """
    if not path.is_file() or path.stat().st_size == 0:
        return Found("nothing")
    # Not read-only: the journal of a process that was killed is rolled back by whoever opens the file next.
    with closing(sqlite3.connect(path, timeout=_SECONDS_FOR_A_LOCK)) as connection:
        tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            return Found("nothing")
        if not any(_is_mlflows(connection, name) for name in tables & {_EXPERIMENTS, _TEMPORARY + _EXPERIMENTS}):
            return Found("foreign")
        has_rows = _EXPERIMENTS in tables and bool(connection.execute("SELECT 1 FROM experiments LIMIT 1").fetchone())
        revision = ""
        if "alembic_version" in tables:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            revision = str(row[0]) if row else ""
    return Found(_kind(tables, revision, has_rows), revision)


def look_at_server(uri: str) -> Found:
    """Tell what a database of a server holds, by the version of its tables alone: it may have other programs' too.

    Raises
    ------
    sqlalchemy.exc.SQLAlchemyError, ImportError
        If it does not answer, or its driver is missing.
    """
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    with create_engine(uri, poolclass=NullPool).connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
    return Found(_kind(set(), revision, has_rows=True), revision) if revision else Found("nothing")


def _is_mlflows(connection: sqlite3.Connection, table: str) -> bool:
    """Tell MLflow's table of experiments from one of the same name of another program."""
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    return {"experiment_id", "artifact_location", "lifecycle_stage"} <= columns


def _kind(
    tables: set[str], revision: str, has_rows: bool
) -> Literal["whole", "half-made", "older", "later", "half-migrated"]:
    if revision == newest_revision():
        return "whole"
    if revision and date_of(revision) is None:
        return "later"
    # MLflow writes its first experiment after the last migration, so a store without one was never finished.
    if not has_rows:
        return "half-made"
    return "half-migrated" if any(name.startswith(_TEMPORARY) for name in tables) else "older"


def newest_revision() -> str:
    """Return the version of the tables that the installed MLflow makes."""
    return str(migrations().get_current_head())


def date_of(revision: str) -> str | None:
    """Return the date on which MLflow's authors wrote a version of the tables; None if this MLflow does not know it."""
    from alembic.util import CommandError

    try:
        script = migrations().get_revision(revision)
    except CommandError:
        return None
    words = (script.module.__doc__ or "").split("Create Date:")
    return words[1].split()[0] if len(words) > 1 else ""


@lru_cache(maxsize=1)
def migrations() -> ScriptDirectory:
    """Return MLflow's own migration scripts."""
    import mlflow
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(Path(mlflow.__file__).parent / "store" / "db_migrations"))
