"""MLflow: where the runs, their figures and their files go. Nobody else imports it."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import tempfile
import textwrap
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import files
from pipeline.errors import BadInput
from pipeline.moved import mend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from mlflow.entities import Run

    from pipeline.records import Dataset

# Set before MLflow is imported: no telemetry, no pickle, and a lost server is noticed in seconds, not minutes.
for _key, _value in {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
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

    def open(self) -> Store:
        """Bring the store up, once, under a lock, and return the way into it.

        Raises
        ------
        BadInput
            If the store cannot be reached, or the experiment of that name was deleted.
        """
        return Store(*_open(self.uri, self.experiment))


@dataclass
class Log:
    """What is to be logged of one run; written in one go when the run is over."""

    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    series: list[tuple[str, float, int]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    dataset: Dataset | None = None


class Store:
    """One experiment in an opened store."""

    def __init__(self, client: Any, experiment_id: str) -> None:
        self._client = client
        self.experiment_id = experiment_id

    def start(self, name: str, *, kind: str, started: float | None = None, parent: str | None = None) -> str:
        """Start a run and return its id; `kind` is ``sweep`` or ``cell``, `started` in seconds since the epoch."""
        tags = {"kind": kind, "mlflow.source.name": "batchscope", "mlflow.source.type": "LOCAL"}
        if parent:
            tags["mlflow.parentRunId"] = parent
        run = self._client.create_run(
            self.experiment_id, start_time=int((started or time.time()) * 1000), tags=tags, run_name=name
        )
        return str(run.info.run_id)

    def log(self, run_id: str, log: Log) -> None:
        """Write everything of `log`; values that are not finite go to the tag ``not_finite``, in words.

        MLflow stores infinity as 1.797e308 and shows nothing for nan; either would spoil its charts.
        """
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        odd = {k: v for k, v in log.metrics.items() if not math.isfinite(v)}
        metrics = [Metric(k, v, now, 0) for k, v in log.metrics.items() if k not in odd]
        metrics += [Metric(k, v, now, step) for k, v, step in log.series if math.isfinite(v)]
        tags = dict(log.tags)
        if odd:
            tags["not_finite"] = " ".join(f"{k}={v}" for k, v in odd.items())
        params = [Param(k, v[:_LONGEST_PARAM]) for k, v in log.params.items()]
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
        self._log_files(run_id, log)
        if log.dataset is not None:
            self._log_dataset(run_id, log.dataset)

    def _log_files(self, run_id: str, log: Log) -> None:
        if not (log.tables or log.texts or log.figures):
            return
        with tempfile.TemporaryDirectory() as folder:
            for name, table in log.tables.items():
                write = table.to_parquet if name.endswith(".parquet") else table.to_csv
                write(Path(folder) / name, index=False)
            for name, text in log.texts.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            for name, figure in log.figures.items():
                figure.savefig(Path(folder) / f"{name}.png")
            self._client.log_artifacts(run_id, folder)

    def _log_dataset(self, run_id: str, dataset: Dataset) -> None:
        from mlflow.entities import Dataset as Logged
        from mlflow.entities import DatasetInput

        # MLflow's own digest samples the rows and misses a changed pixel; this one is of all the content.
        logged = Logged(dataset.name, dataset.digest[:32], "batchscope", json.dumps({"name": dataset.name}))
        self._client.log_inputs(run_id, [DatasetInput(logged)])

    def end(self, run_id: str, status: str) -> None:
        """End a run as ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self._client.set_terminated(run_id, status)

    def discard(self, run_id: str) -> None:
        """Take back a run that came to nothing."""
        self._client.delete_run(run_id)

    def children(self, parent: str) -> list[Run]:
        """The runs under a parent, oldest first."""
        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [self.experiment_id],
                filter_string=f"tags.`mlflow.parentRunId` = '{parent}'",
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return found

    def newest_sweep(self) -> Run | None:
        """The sweep that was started last, or None."""
        page = self._client.search_runs(
            [self.experiment_id],
            filter_string="tags.kind = 'sweep'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return page[0] if page else None

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
        uri = str(self._client.get_run(run_id).info.artifact_uri)
        if not uri.startswith("file:"):
            return ""
        path = Path(urllib.request.url2pathname(urllib.parse.urlparse(uri).path))
        return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)

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
        with tempfile.TemporaryDirectory() as folder:
            return Path(self._client.download_artifacts(run_id, name, folder)).read_bytes()

    def read_table(self, run_id: str, name: str) -> pd.DataFrame:
        """Read a table of a cell, such as ``draws.parquet``, back."""
        import pandas as pd

        read = pd.read_parquet if name.endswith(".parquet") else pd.read_csv
        with tempfile.TemporaryDirectory() as folder:
            return read(self._client.download_artifacts(run_id, name, folder))

    def metric_history(self, run_id: str, key: str) -> list[tuple[int, float]]:
        """A metric's (step, value) pairs by step."""
        return sorted((m.step, m.value) for m in self._client.get_metric_history(run_id, key))


def without_secret(uri: str) -> str:
    """The address with user and password taken out."""
    return re.sub(r"://[^/@]*@", "://***@", uri)


def digest_of(*parts: object) -> str:
    """SHA-256 (hex) of plain values, by their JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def resolve(uri: str) -> str:
    """The URI with a relative SQLite path made absolute: ``mlruns/…`` is the project's own folder, from anywhere."""
    match = re.match(r"^sqlite:///(?!/)(.+)$", uri)
    if not match:
        return uri
    path = Path(match[1])
    inside = files.mlruns() / Path(*path.parts[1:]) if path.parts[0] == "mlruns" else path.resolve()
    return f"sqlite:///{inside}"


def artifacts_beside(uri: str) -> str | None:
    """Where the artifacts of a SQLite store go (beside the file); None where a server decides."""
    if not uri.startswith("sqlite:///"):
        return None
    return (Path(uri.removeprefix("sqlite:///")).parent / "artifacts").as_uri()


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
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    _check_file(uri)
    artifacts = artifacts_beside(uri)
    if artifacts is not None:
        mend(Path(uri.removeprefix("sqlite:///")), experiment, artifacts)
    try:
        client = mlflow.MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            made = client.create_experiment(experiment, artifact_location=artifacts)
            return client, str(made)
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        why = textwrap.shorten(str(error).splitlines()[0], 160, placeholder=" …")
        raise BadInput(f"tracking.uri must be a store that answers; {without_secret(uri)} did not: {why}") from error
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


def flatten(tree: dict[str, Any], *, prefix: str = "") -> dict[str, str]:
    """A nested configuration as ``data.name`` → ``digits``; lists and None as JSON would write them."""
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= flatten(value, prefix=f"{prefix}{key}.")
        else:
            flat[prefix + key] = value if isinstance(value, str) else json.dumps(value)
    return flat


def source_digest(folders: Sequence[Path] | None = None) -> str:
    """SHA-256 (hex) of the package's source files, by name and content."""
    package = Path(__file__).parent
    found = hashlib.sha256()
    for path in sorted(p for folder in folders or [package] for p in folder.rglob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()
