"""Bring the SQLite file of a store up: it is made whole, and never changed by a migration where it lies.

MLflow's migrations are not transactional, and a new store is made by all of them. So both happen elsewhere, and the
finished file is moved into place in one step. Whoever calls holds the store's lock.
"""

from __future__ import annotations

import glob
import os
import sqlite3
import time
import uuid
from contextlib import closing
from pathlib import Path

from ..errors import BadInput
from ..runtime import files, sqlite
from ..runtime.leftovers import writing
from ..runtime.notice import note
from ..runtime.redact import without_secret
from . import prepared
from .schema import Found, date_of, look_at, look_at_server, migrations, newest_revision

# What SQLite keeps beside a file.
_BESIDE = ("-journal", "-wal", "-shm")
# Another program that makes the store at this moment writes more often than that.
_SECONDS_UNTIL_LEFT = 2.0
_MOST_SECONDS = 60.0


def prepare(path: Path, artifacts: str, *, migrate: bool) -> None:
    """Make the store if there is none, and refuse one of another version of MLflow.

    What a stopped start has left half-made is kept under another name, and a new store takes its place.

    Parameters
    ----------
    path : Path
        The SQLite file.
    artifacts : str
        The address of the folder for artifacts.
    migrate : bool
        Whether an older store is brought to the installed MLflow's version, after a copy of it was made.

    Raises
    ------
    BadInput
        If the file holds the tables of another version, or of another program.
    OSError, sqlite3.Error
        If it cannot be read or written.
    """
    found = look_at(path)
    if found.kind == "half-made":
        found = _left_alone(path)
    if found.kind in ("nothing", "half-made"):
        _make(path, artifacts)
    elif found.kind == "older" and migrate:
        _migrate(path, found.revision)
    elif found.kind != "whole":
        raise BadInput(_refusal(path, found))


def check_server(uri: str) -> None:
    """Refuse a server's database of another version: MLflow would migrate it without a word.

    Raises
    ------
    BadInput
        If the database holds the tables of another version of MLflow.
    sqlalchemy.exc.SQLAlchemyError, ImportError
        If it does not answer, or its driver is missing.
    """
    found = look_at_server(uri)
    if found.kind not in ("nothing", "whole"):
        raise BadInput(_refusal(without_secret(uri), found, "after a backup, mlflow db upgrade brings it up to date"))


_BY_MIGRATING = "tracking.migrate=true copies it and brings it up to date"


def _refusal(place: Path | str, found: Found, remedy: str = _BY_MIGRATING) -> str:
    import mlflow

    ours = f"this MLflow {mlflow.__version__} has {newest_revision()}"
    another = "or let tracking.uri name another store"
    if found.kind == "foreign":
        return (
            "tracking.uri must name a store of MLflow, or one to be made; found another program's tables in "
            f"{place}: name another"
        )
    if found.kind == "later":
        return (
            f"the store must be of this MLflow's version; found the schema {found.revision} of a later one in {place} "
            f"({ours}): install the later MLflow, {another}"
        )
    if found.kind == "half-migrated":
        return (
            f"the store must be whole; found {place} left by a migration that was stopped, at the schema "
            f"{found.revision} ({ours}): put a copy from before it in its place, {another}"
        )
    dated = "a schema of no version"
    if found.revision:
        dated = f"the older schema {found.revision} of {date_of(found.revision)}"
    return (
        f"the store must be of this MLflow's version; found {dated} in "
        f"{place} ({ours}): {remedy}, after which the older MLflow cannot read it; {another}"
    )


def _left_alone(path: Path) -> Found:
    """Wait until nobody writes to a half-made store any more, such as an MLflow server that is just making it."""
    deadline = time.monotonic() + _MOST_SECONDS
    before = None
    while before != (before := path.stat().st_mtime_ns) and time.monotonic() < deadline:
        time.sleep(_SECONDS_UNTIL_LEFT)
    return look_at(path)


def _make(path: Path, artifacts: str) -> None:
    content = empty_store(artifacts)
    # Asked again: making it took seconds, in which a program that does not know the lock may have made one.
    found = look_at(path)
    if found.kind not in ("nothing", "half-made"):
        return
    if found.kind == "half-made":
        kept = _free_name(path, "half-made")
        for end in (*_BESIDE, ""):
            if path.with_name(path.name + end).exists():
                os.rename(path.with_name(path.name + end), kept.with_name(kept.name + end))
        note(
            f"the store {path} was left half-made by a start that was stopped, and holds no run: it is kept as {kept}, "
            "and a new one is made"
        )
    _remove_left_over(path)
    files.write_beside(path, lambda file: file.write(content))
    _flush_names(path.parent)


def empty_store(artifacts: str) -> bytes:
    """Return the content of a new store's SQLite file: the prepared one, or what MLflow's migrations make.

    Parameters
    ----------
    artifacts : str
        The address of the folder for the artifacts of MLflow's own first experiment.
    """
    script = prepared.SCRIPT.read_text(encoding="utf-8")
    return prepared.content_of(script, artifacts) or migrated_store(artifacts)


def migrated_store(artifacts: str) -> bytes:
    """Return the same made by MLflow's own migrations, in memory: they flush 69 times."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore("sqlite:///:memory:", artifacts)
    try:
        with closing(store.engine.raw_connection()) as connection:
            return bytes(connection.driver_connection.serialize())
    finally:
        store.engine.dispose()


def _migrate(path: Path, revision: str) -> None:
    """Copy an older store, migrate a second copy, and move that into place: the store is whole at every moment."""
    writing()
    _remove_left_over(path)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    kept = _free_name(path, f"schema-{revision or 'none'}")
    try:
        _copy(path, beside)
        if any(path.with_name(path.name + end).exists() for end in _BESIDE):
            raise BadInput(
                f"the store must not be in use while it is migrated; found {path} open elsewhere: end what uses it"
            )
        _upgrade(beside)
        # The file itself stays under the other name, until the new one has its own.
        files.place(path, kept)
        with beside.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        _remove_left_over(path)
    _flush_names(path.parent)
    note(
        f"the store {path} was migrated from the schema {revision} to {newest_revision()}; as it was, it is kept as "
        f"{kept}"
    )


def _upgrade(path: Path) -> None:
    """Bring a copy up to date. It is flushed once at the end: it counts for nothing until it is moved into place."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    config = Config()
    # As in every ini file, % stands for itself only when doubled.
    config.set_main_option("script_location", migrations().dir.replace("%", "%%"))
    engine = create_engine(sqlite.address_of(path), poolclass=NullPool)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    with engine.connect() as connection:
        # MLflow's migrations take the engine of a connection that is handed over.
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")


def _copy(path: Path, there: Path) -> None:
    """Copy a database as SQLite does, with what other processes have not yet moved into the file."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(there)) as target:
        source.backup(target)


def _free_name(path: Path, what: str) -> Path:
    names = (path.with_name(f"{path.name}.{what}{f'-{number}' if number else ''}") for number in range(10_000))
    return next(name for name in names if not name.exists())


def _remove_left_over(path: Path) -> None:
    """Remove what killed processes have left under hidden names; the lock says that none of them lives."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        left.unlink(missing_ok=True)


def _flush_names(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
