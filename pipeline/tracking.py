"""MLflow: where the runs, their figures and their files go. Nobody else imports it."""

from __future__ import annotations

import json
import math
import os
import re
import sqlite3
import tempfile
import textwrap
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import files, parquet
from pipeline.address import artifacts_beside, resolve, without_secret
from pipeline.errors import BadInput
from pipeline.moved import mend
from pipeline.package import content_of, write_artifacts

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run, RunInfo

    from pipeline.package import Log, Package

# Set before MLflow is imported. No pickle, whatever the user's environment says.
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
# No telemetry, a lost server is noticed in seconds, not minutes, and no address, secrets and all, on standard output.
for _key, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}.items():
    os.environ.setdefault(_key, _value)

_METRICS_A_CALL = 1000
_PARAMS_A_CALL = 100
_LONGEST_PARAM = 6000
_LONGEST_TAG = 5000


@dataclass
class Tracking:
    """The MLflow store and the experiment in it.

    Attributes
    ----------
    uri : str
        ``sqlite:///FILE`` (a relative ``mlruns/…`` is the project's own folder) or the address of a server.
    experiment : str
        The MLflow experiment that holds the runs.
    """

    name: str = "mlflow"
    uri: str = "sqlite:///mlruns/mlflow.db"
    experiment: str = "batchscope"

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

    @property
    def place(self) -> str:
        """Digest (hex) of where the store is and of the experiment's name, without secrets."""
        uri, own = resolve(self.uri), f"sqlite:///{files.mlruns()}/"
        if uri.startswith(own):
            # So that it is the same place when the whole folder was moved.
            uri = f"sqlite:///mlruns/{uri.removeprefix(own)}"
        return files.digest_of(without_secret(uri), self.experiment)

    def open(self) -> Store:
        """Bring the store up, once, under a lock, and return the way into it.

        Raises
        ------
        BadInput
            If the store cannot be reached, or the experiment of that name was deleted.
        """
        return Store(*_open(self.uri, self.experiment), self.place)


class Store:
    """One experiment in an opened store.

    Attributes
    ----------
    experiment_id : str
    place : str
        Digest (hex) of where the store is and of the experiment's name, without secrets.
    """

    def __init__(self, client: Any, experiment_id: str, place: str) -> None:
        self._client = client
        self.experiment_id = experiment_id
        self.place = place

    def start(
        self,
        name: str,
        *,
        kind: str,
        started: float | None = None,
        parent: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> str:
        """Start a run and return its id; `kind` is ``sweep`` or ``cell``, `started` in seconds since the epoch."""
        return str(self._create(name, kind, started or time.time(), parent, tags or {}).run_id)

    def _create(self, name: str, kind: str, started: float, parent: str | None, tags: dict[str, str]) -> RunInfo:
        own = {"kind": kind, "mlflow.source.name": "batchscope", "mlflow.source.type": "LOCAL", **tags}
        if parent:
            own["mlflow.parentRunId"] = parent
        started_ms = int(started * 1000)
        return self._client.create_run(self.experiment_id, start_time=started_ms, tags=own, run_name=name).info

    def log(self, run_id: str, log: Log) -> None:
        """Write all of `log` to a run; what it holds already is not written twice.

        Every value gets the time at which the run was started, so that the store takes the same value for the same.
        """
        info = self._client.get_run(run_id).info
        near = _folder(info)
        if near is not None:
            near.mkdir(parents=True, exist_ok=True)
        # Where the artifacts lie near, on the same disk: they need not be copied then.
        with tempfile.TemporaryDirectory(dir=near.parent if near else None) as folder:
            artifacts = Path(folder) / "artifacts"
            write_artifacts(artifacts, log)
            files.flush(Path(folder))
            self._fill(info, content_of(log, artifacts), artifacts, int(info.start_time))

    def deliver(self, package: Package) -> str:
        """Bring a package to the store, end its run, take the package away, and return the run's id.

        A run that cannot be completed ends as KILLED, and the package stays.
        """
        run = package.run
        tags = {"package": package.folder.name, "cell_digest": run["cell_digest"]}
        info = self._create(run["name"], run["kind"], run["started"], run["parent"], tags)
        run_id = str(info.run_id)
        try:
            self._fill(info, run, package.artifacts, int(run["ended"] * 1000))
            self._client.set_terminated(run_id, run["status"], int(run["ended"] * 1000))
        except BaseException:
            with suppress(Exception):
                self.end(run_id, "KILLED")
            raise
        package.remove()
        return run_id

    def answers(self) -> bool:
        """Whether the store answers at all."""
        try:
            self._client.get_experiment(self.experiment_id)
        except Exception:
            return False
        return True

    def end_left_over(self, package: Package) -> None:
        """End as KILLED what an interrupted delivery of the package has left RUNNING."""
        for run in self._search(f"tags.package = '{package.folder.name}' and attributes.status = 'RUNNING'"):
            self.end(run.info.run_id, "KILLED")

    def has_taken(self, package: Package) -> bool:
        """Whether a package is in the store already: its process was stopped between the last two steps."""
        ended = self._search(
            f"tags.package = '{package.folder.name}' and attributes.status = '{package.run['status']}'"
        )
        return bool(ended)

    def _fill(self, info: RunInfo, content: dict[str, Any], artifacts: Path, time_ms: int) -> None:
        """Values that are not finite go to the tag ``not_finite``, in words.

        MLflow stores infinity as 1.797e308 and shows nothing for nan; either would spoil its charts.
        """
        from mlflow.entities import Metric, Param, RunTag

        run_id = str(info.run_id)
        values: dict[str, float] = content["metrics"]
        odd = {k: v for k, v in values.items() if not math.isfinite(v)}
        metrics = [Metric(k, v, time_ms, 0) for k, v in values.items() if k not in odd]
        metrics += [Metric(k, v, time_ms, step) for k, v, step in content["series"] if math.isfinite(v)]
        tags = dict(content["tags"])
        if odd:
            tags["not_finite"] = " ".join(f"{k}={v}" for k, v in odd.items())
        params = [Param(k, v[:_LONGEST_PARAM]) for k, v in content["params"].items()]
        first = True
        while first or metrics or params:
            room = _METRICS_A_CALL - (_PARAMS_A_CALL * 2)
            self._client.log_batch(
                run_id,
                metrics=metrics[:room],
                params=params[:_PARAMS_A_CALL],
                tags=[RunTag(k, v[:_LONGEST_TAG]) for k, v in tags.items()] if first else [],
            )
            metrics, params, first = metrics[room:], params[_PARAMS_A_CALL:], False
        if artifacts.is_dir():
            self._put(info, artifacts)
        if content["dataset"] is not None:
            self._log_dataset(run_id, **content["dataset"])

    def _put(self, info: RunInfo, artifacts: Path) -> None:
        folder = _folder(info)
        if folder is None:
            self._client.log_artifacts(info.run_id, str(artifacts))
            return
        folder.mkdir(parents=True, exist_ok=True)
        for path in artifacts.iterdir():
            files.place(path, folder / path.name)
        files.flush(folder)

    def _log_dataset(self, run_id: str, name: str, digest: str) -> None:
        from mlflow.entities import Dataset as Logged
        from mlflow.entities import DatasetInput

        # MLflow's own digest samples the rows and misses a changed pixel; this one is of all the content.
        logged = Logged(name, digest[:32], "batchscope", json.dumps({"name": name}))
        self._client.log_inputs(run_id, [DatasetInput(logged)])

    def end(self, run_id: str, status: str) -> None:
        """End a run as ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self._client.set_terminated(run_id, status)

    def discard(self, run_id: str) -> None:
        """Take back a run that came to nothing."""
        self._client.delete_run(run_id)

    def reopen(self, run_id: str) -> None:
        """Let an ended run be RUNNING again."""
        self._client.update_run(run_id, status="RUNNING")

    def children(self, parent: str) -> list[Run]:
        """The runs under a parent, oldest first."""
        return self._search(f"tags.`mlflow.parentRunId` = '{parent}'")

    def finished_cell(self, parent: str, digest: str) -> Run | None:
        """The finished run of a sweep's cell, or None."""
        found = self._search(
            f"tags.`mlflow.parentRunId` = '{parent}' and tags.cell_digest = '{digest}' "
            "and attributes.status = 'FINISHED'"
        )
        return found[-1] if found else None

    def sweep(self, digest: str) -> Run | None:
        """The newest sweep of that digest, or None."""
        found = self._search(f"tags.sweep_digest = '{digest}'")
        return found[-1] if found else None

    def newest_sweep(self) -> Run | None:
        """The sweep that was started last, or None."""
        page = self._client.search_runs(
            [self.experiment_id],
            filter_string="tags.kind = 'sweep'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return page[0] if page else None

    def _search(self, wanted: str) -> list[Run]:
        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self.experiment_id],
                filter_string=wanted,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return found

    def save_view(self, name: str, view: dict[str, Any]) -> bool:
        """Save a view of MLflow's runs page; the page takes it up by ``viewStateShareKey=NAME`` in its address.

        Returns
        -------
        bool
            False where the server does not let this user change the experiment.
        """
        from mlflow.exceptions import MlflowException

        try:
            self._client.set_experiment_tag(self.experiment_id, f"mlflow.sharedViewState.{name}", json.dumps(view))
        except MlflowException:
            return False
        return True

    def folder(self, run_id: str) -> str:
        """Return where a run's artifacts lie, from here if that is near; empty where a server keeps them."""
        path = self._local_folder(run_id)
        if path is None:
            return ""
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

    def has_whole(self, run: Run) -> bool:
        """Whether the artifacts that the run's tag ``artifacts`` lists are there in full, where they lie near.

        Raises
        ------
        BadInput
            If the folder of all runs' artifacts is out of reach.
        """
        folder = self._local_folder(run)
        if folder is None:
            return True
        if not folder.parent.parent.is_dir():
            raise BadInput(
                f"the runs' artifacts must be within reach; found no folder {folder.parent.parent}: mount it, or let "
                "tracking.uri name a server, which keeps them for all hosts"
            )
        listed = json.loads(run.data.tags.get("artifacts", "{}"))
        return all(
            (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in listed.items()
        )

    def _local_folder(self, run: str | Run) -> Path | None:
        return _folder((self._client.get_run(run) if isinstance(run, str) else run).info)

    def run(self, run_id: str) -> Run:
        """Return a run.

        Raises
        ------
        BadInput
            If there is none of that id.
        """
        from mlflow.exceptions import MlflowException

        try:
            return self._client.get_run(run_id)
        except MlflowException as error:
            raise BadInput(
                f"a run must be in this store; found none of the id {run_id!r}: the dashboard's address of a run ends "
                "with its id (make ui)"
            ) from error

    def files(self, run_id: str) -> list[str]:
        """Return the names of a run's artifacts, those in folders left out."""
        return sorted(str(file.path) for file in self._client.list_artifacts(run_id) if not file.is_dir)

    def read_file(self, run_id: str, name: str) -> bytes:
        """Return the content of an artifact."""
        near = self._near(run_id, name)
        if near is not None:
            return near.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            return Path(self._client.download_artifacts(run_id, name, folder)).read_bytes()

    def read_text(self, run_id: str, name: str) -> str:
        """Return a text among the artifacts."""
        return self.read_file(run_id, name).decode()

    def read_table(self, run_id: str, name: str) -> pd.DataFrame:
        """Read a table of a cell, such as ``draws.parquet``, back."""
        import pandas as pd

        def read(path: str | Path) -> pd.DataFrame:
            return parquet.read(Path(path)) if name.endswith(".parquet") else pd.read_csv(path)

        near = self._near(run_id, name)
        if near is not None:
            return read(near)
        with tempfile.TemporaryDirectory() as folder:
            return read(self._client.download_artifacts(run_id, name, folder))

    def _near(self, run_id: str, name: str) -> Path | None:
        """The artifact's own file, for a copy costs more than the reading; None where a server keeps it."""
        folder = self._local_folder(run_id)
        if folder is None:
            return None
        path = folder / name
        if not (path.is_file() and path.resolve().is_relative_to(folder.resolve())):
            raise BadInput(f"a run's artifact must be a file among its artifacts; found {name!r} in the run {run_id}")
        return path

    def metric_history(self, run_id: str, key: str) -> list[tuple[int, float]]:
        """A metric's (step, value) pairs by step."""
        return sorted((m.step, m.value) for m in self._client.get_metric_history(run_id, key))


def _folder(info: RunInfo) -> Path | None:
    """Where a run's artifacts lie, if that is a folder."""
    uri = str(info.artifact_uri)
    return Path(urllib.request.url2pathname(urllib.parse.urlparse(uri).path)) if uri.startswith("file:") else None


def is_lost(error: Exception) -> bool:
    """Whether the error comes from a store that does not answer, or cannot write."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    return isinstance(error, MlflowException | RequestException | SQLAlchemyError)


def reason(error: Exception) -> str:
    """Why a store did not do as it was told, in one short line without secrets."""
    while error.__cause__ is not None and isinstance(error.__cause__, Exception):
        # The innermost says what happened, such as "database or disk is full".
        error = error.__cause__
    first = next(iter(str(error).splitlines()), type(error).__name__)
    return textwrap.shorten(without_secret(first), 160, placeholder=" …")


def _open(uri: str, experiment: str) -> tuple[Any, str]:
    uri = resolve(uri)
    key = (uri, experiment)
    if key not in _OPENED:
        with _alone(uri):
            _OPENED[key] = _connect(uri, experiment)
    return _OPENED[key]


_OPENED: dict[tuple[str, str], tuple[Any, str]] = {}


@contextmanager
def _alone(uri: str) -> Iterator[None]:
    """Hold the store's lock: processes that start together on a fresh SQLite store break it."""
    from filelock import FileLock

    if not uri.startswith("sqlite:///"):
        yield
        return
    path = Path(uri.removeprefix("sqlite:///"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            yield
    except OSError as error:
        raise BadInput(
            f"tracking.uri must be writable; {path.parent} is not ({error.strerror}); name another"
        ) from error


def _connect(uri: str, experiment: str) -> tuple[Any, str]:
    import logging

    import mlflow
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It prints a traceback of its own beside the exception that it raises.
    logging.getLogger("mlflow").setLevel(logging.CRITICAL)
    _check_file(uri)
    artifacts = artifacts_beside(uri)
    try:
        if uri.startswith("sqlite:///") and artifacts is not None:
            mend(Path(uri.removeprefix("sqlite:///")), experiment, artifacts)
        client = mlflow.MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            # Another process may make it at this very moment, and a server has no lock that we could hold.
            try:
                return client, str(client.create_experiment(experiment, artifact_location=artifacts))
            except MlflowException:
                found = client.get_experiment_by_name(experiment)
                if found is None:
                    raise
    except (MlflowException, SQLAlchemyError, sqlite3.Error, ImportError) as error:
        raise BadInput(
            f"tracking.uri must be a store that answers; {without_secret(uri)} did not: {reason(error)}"
        ) from error
    if found.lifecycle_stage != "active":
        raise BadInput(
            f"tracking.experiment must be an active one; {experiment!r} was deleted in MLflow: "
            "restore it there or name another"
        )
    return client, str(found.experiment_id)


def _check_file(uri: str) -> None:
    """Refuse what is no SQLite file at once: MLflow would try it again and again for minutes."""
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or not path.exists():
        return
    found = "a folder" if path.is_dir() else "" if _is_sqlite(path) else "another kind of file"
    if found:
        raise BadInput(
            f"tracking.uri must name a SQLite file, or one to be made; found {found} at {path}: name another"
        )


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    # An empty file is what SQLite itself makes before it first writes.
    return head in (b"", b"SQLite format 3\0")
