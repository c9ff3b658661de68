"""The configuration of tracking, and the connection to MLflow.

Only this folder imports MLflow; the model source `model=mlflow` is the exception.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInput, Failed
from ..runtime import files, locks
from ..runtime.redact import without_secret
from ..runtime.sqlite import path_of
from . import database
from .address import artifacts_beside, for_mlflow, resolve
from .failures import reason
from .relocate import MADE_BY, relocate
from .store import Store

# MLflow reads these when it is imported. Pickles run code when loaded, so they are refused whatever the user allows.
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
# Defaults: no telemetry, a lost server is noticed in seconds instead of minutes, no address with secrets is printed.
for _key, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}.items():
    os.environ.setdefault(_key, _value)


@dataclass
class Tracking:
    """The MLflow store and the experiment in it.

    Attributes
    ----------
    uri : str
        ``sqlite:///FILE`` (a relative ``mlruns/…`` is the project's own folder) or the address of a server.
    experiment : str
        The MLflow experiment that holds the runs.
    migrate : bool
        Whether a SQLite store of an older MLflow is brought up to date; a copy of it is kept beside it.
    """

    name: str = "mlflow"
    uri: str = "sqlite:///mlruns/mlflow.db"
    experiment: str = "batchscope"
    migrate: bool = False

    def __post_init__(self) -> None:
        if not self.experiment.strip():
            raise BadInput("tracking.experiment must be a name; found an empty one")
        if not re.match(
            r"^sqlite:///(?!:memory:)[^/]|^sqlite:////|^(postgresql|mysql|mssql)[+\w]*://|^https?://", self.uri
        ):
            raise BadInput(
                f"tracking.uri must be sqlite:///FILE, a database URI or a server's http(s):// address; "
                f"found {without_secret(self.uri)!r}"
            )

        option = re.search(r"^sqlite:.*(\?[\w.]+=.*)", self.uri)
        if option:
            raise BadInput(
                f"tracking.uri must name a SQLite file and nothing else; found {without_secret(option[1])!r} after it: "
                "leave it out, or name the folder with BATCHSCOPE_MLRUNS if it is part of its name"
            )

    @property
    def place(self) -> str:
        """Digest (hex) of where the store is and of the experiment's name, without secrets."""
        uri, own = resolve(self.uri), f"sqlite:///{files.mlruns()}/"
        if uri.startswith(own):
            # The place stays the same when the whole folder is moved.
            uri = f"sqlite:///mlruns/{uri.removeprefix(own)}"
        return files.digest_of(without_secret(uri), self.experiment)

    def open(self) -> Store:
        """Connect to the store, creating it if needed, and return it; one process at a time creates a SQLite store.

        Raises
        ------
        BadInput
            If the store cannot be reached, or the experiment of that name was deleted.
        """
        return Store(*_open(self), self.place)


def _open(tracking: Tracking) -> tuple[Any, str]:
    uri = resolve(tracking.uri)
    key = (uri, tracking.experiment)
    if key not in _OPENED:
        # Before the lock: processes that start together would otherwise import one after the other.
        _import(uri)
        with _alone(uri):
            _OPENED[key] = _connect(uri, tracking)
    return _OPENED[key]


_OPENED: dict[tuple[str, str], tuple[Any, str]] = {}


def _import(uri: str) -> None:
    """Import what opening a store takes; these are seconds."""
    import mlflow

    if not uri.startswith("http"):
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401


@contextmanager
def _alone(uri: str) -> Iterator[None]:
    """Hold the store's lock: a new SQLite store breaks if several processes create it at once."""
    path = path_of(uri)
    if path is None:
        yield
        return
    try:
        with locks.held_at(path.with_name(path.name + ".lock"), f"the store {path}"):
            yield
    except OSError as error:
        if error.errno in files.FULL:
            raise Failed(
                f"{path.parent} must have room for the store; found: {error.strerror}: make room and start again"
            ) from error
        raise BadInput(
            f"tracking.uri must be writable; {path.parent} is not ({error.strerror}); name another"
        ) from error


def _connect(uri: str, tracking: Tracking) -> tuple[Any, str]:
    import logging

    import mlflow
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # MLflow logs a traceback for every exception that it raises.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    experiment, path, artifacts = tracking.experiment, path_of(uri), artifacts_beside(uri)
    try:
        if path is not None and artifacts is not None:
            _check_file(path)
            database.prepare(path, artifacts, migrate=tracking.migrate)
            relocate(path, experiment, artifacts)
        elif artifacts is not None:
            database.check_server(uri)
        client = mlflow.MlflowClient(tracking_uri=for_mlflow(uri))
        found = client.get_experiment_by_name(experiment)
        if found is None:
            # A server has no lock for us, so another process may create the experiment at the same moment.
            try:
                return client, str(client.create_experiment(experiment, artifact_location=artifacts, tags=MADE_BY))
            except MlflowException:
                found = client.get_experiment_by_name(experiment)
                if found is None:
                    raise
    # A damaged file may hold names that are no text.
    except (MlflowException, SQLAlchemyError, CommandError, sqlite3.Error, ImportError, UnicodeDecodeError) as error:
        raise BadInput(
            f"tracking.uri must be a store that answers; {without_secret(uri)} did not: {reason(error)}"
        ) from error
    if found.lifecycle_stage != "active":
        raise BadInput(
            f"tracking.experiment must be an active one; {experiment!r} was deleted in MLflow: "
            "restore it there or name another"
        )
    return client, str(found.experiment_id)


def _check_file(path: Path) -> None:
    """Refuse a file that is no SQLite database: MLflow would try to open it for minutes."""
    if not path.exists():
        return
    found = "a folder" if path.is_dir() else "" if _is_sqlite(path) else "another kind of file"
    if found:
        raise BadInput(
            f"tracking.uri must name a SQLite file, or one to be made; found {found} at {path}: name another"
        )


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    # SQLite creates an empty file before it first writes.
    return head in (b"", b"SQLite format 3\0")
