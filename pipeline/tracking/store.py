"""One MLflow experiment in an opened store."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..records.recorded import RecordedRows
from ..runtime import files
from ..runtime.leftovers import writing
from . import parquet, recorded
from .artifacts import is_complete, local_folder, shown_folder
from .log import content_of, write_artifacts
from .upload import log_inputs, upload

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import DatasetInput, Run, RunInfo

    from .log import Log
    from .outbox import Package


def metrics_of(run: Run) -> dict[str, float]:
    """Return a run's metrics, those that are not finite included, without those that are logged by step."""
    not_finite = dict(pair.split("=", 1) for pair in run.data.tags.get("not_finite", "").split())
    found = {**run.data.metrics, **{key: float(value) for key, value in not_finite.items()}}
    by_step = set(run.data.tags.get("by_step", "").split())
    return {key: value for key, value in found.items() if key not in by_step}


def datasets_of(runs: Iterable[Run]) -> list[tuple[str, str]]:
    """Return the data sets of runs, each once, as (name, digest)."""
    return list(dict.fromkeys(_identity(given) for run in runs for given in run.inputs.dataset_inputs))


class Store:
    """One experiment in an opened store.

    Attributes
    ----------
    experiment_id : str
    place : str
        Digest (hex) of the store's address without secrets and of the experiment's name.
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
        """Start a run and return its id.

        Parameters
        ----------
        name : str
            The run's name.
        kind : str
            ``sweep``, ``cell``, or ``group``: the curves of one group of a sweep.
        started : float or None
            Seconds since the epoch; None is now.
        parent : str or None
            The id of the sweep's run.
        tags : dict of str to str, or None
            Further tags.
        """
        run_id = str(self._create(name, kind, started or time.time(), parent, tags or {}).run_id)
        if kind == "sweep":
            # MLflow's filters know no "or": the tag finds a sweep together with its cells.
            self._client.set_tag(run_id, "sweep", run_id)
        return run_id

    def _create(self, name: str, kind: str, started: float, parent: str | None, tags: dict[str, str]) -> RunInfo:
        own = {"kind": kind, "mlflow.source.name": "batchscope", "mlflow.source.type": "LOCAL", **tags}
        if parent:
            own |= {"mlflow.parentRunId": parent, "sweep": parent}
        started_ms = int(started * 1000)
        return self._client.create_run(self.experiment_id, start_time=started_ms, tags=own, run_name=name).info

    def log(self, run_id: str, log: Log) -> None:
        """Write all of `log` to a run; values that it holds already are not written twice.

        Every value gets the start time of the run, because the store recognises a repeated value by its time.
        """
        info = self._client.get_run(run_id).info
        own_folder = local_folder(info.artifact_uri)
        if own_folder is not None:
            own_folder.mkdir(parents=True, exist_ok=True)
        writing()
        # On the same disk as the run's folder, if that is local: the files are then moved without a copy.
        with tempfile.TemporaryDirectory(dir=own_folder.parent if own_folder else None) as folder:
            artifacts = Path(folder) / "artifacts"
            write_artifacts(artifacts, log)
            files.flush(Path(folder))
            upload(self._client, info, content_of(log, artifacts), artifacts, int(info.start_time))

    def deliver(self, package: Package) -> str:
        """Create the run of a package in the store, remove the package, and return the run's id.

        If that fails, the run ends as KILLED and the package is kept.
        """
        run = package.run
        tags = {"package": package.folder.name, "cell_digest": run["cell_digest"]}
        try:
            info = self._create(run["name"], run["kind"], run["started"], run["parent"], tags)
            run_id = str(info.run_id)
            upload(self._client, info, run, package.artifacts, int(run["ended"] * 1000))
            self._client.set_terminated(run_id, run["status"], int(run["ended"] * 1000))
        except BaseException as error:
            # By the package, for a stop may come before the new run's id. Twice, because one may have left the store's
            # connection so that the first call after it fails.
            for _ in range(1 if isinstance(error, Exception) else 2):
                with suppress(Exception):
                    self.end_left_over(package)
                    break
            raise
        package.remove()
        return run_id

    def answers(self) -> bool:
        """Return whether the store answers."""
        try:
            self._client.get_experiment(self.experiment_id)
        except Exception:
            return False
        return True

    def end_left_over(self, package: Package) -> None:
        """End runs as KILLED that an interrupted delivery of the package has left RUNNING."""
        for run in self._search(f"tags.package = '{package.folder.name}' and attributes.status = 'RUNNING'"):
            self.end(run.info.run_id, "KILLED")

    def has_taken(self, package: Package) -> bool:
        """Return whether the store holds the package's run; its process was stopped before it removed the package."""
        ended = self._search(
            f"tags.package = '{package.folder.name}' and attributes.status = '{package.run['status']}'"
        )
        return bool(ended)

    def end(self, run_id: str, status: str) -> None:
        """End a run as ``FINISHED``, ``FAILED`` or ``KILLED``."""
        self._client.set_terminated(run_id, status)

    def log_datasets_of(self, run_id: str, others: Iterable[Run]) -> None:
        """Log the data sets of other runs with a run, each once."""
        there = {_identity(given) for given in self._client.get_run(run_id).inputs.dataset_inputs}
        new = {_identity(given): given for run in others for given in run.inputs.dataset_inputs}
        missing = [given for identity, given in new.items() if identity not in there]
        if missing:
            log_inputs(self._client, run_id, missing)

    def tag(self, run_id: str, key: str, value: str) -> None:
        """Set a tag of a run."""
        self._client.set_tag(run_id, key, value)

    def rename(self, run_id: str, name: str) -> None:
        """Give a run another name."""
        self._client.update_run(run_id, name=name)

    def discard(self, run_id: str) -> None:
        """Delete a run."""
        self._client.delete_run(run_id)

    def reopen(self, run_id: str) -> None:
        """Set an ended run to RUNNING again."""
        self._client.update_run(run_id, status="RUNNING")

    def children(self, parent: str) -> list[Run]:
        """Return the runs of a sweep's cells, oldest first."""
        return self._search(f"tags.`mlflow.parentRunId` = '{parent}' and tags.kind = 'cell'")

    def groups(self, parent: str) -> list[Run]:
        """Return the runs that hold the curves of one group of a sweep each, oldest first, shown or not."""
        return self._search(f"tags.`mlflow.parentRunId` = '{parent}' and tags.kind = 'group'")

    def finished_cell(self, parent: str, digest: str) -> Run | None:
        """Return the newest finished run of a sweep's cell, or None."""
        found = self._search(
            f"tags.`mlflow.parentRunId` = '{parent}' and tags.cell_digest = '{digest}' "
            "and attributes.status = 'FINISHED'"
        )
        return found[-1] if found else None

    def sweep(self, digest: str) -> Run | None:
        """Return the newest sweep with that digest, or None."""
        found = self._search(f"tags.sweep_digest = '{digest}'")
        return found[-1] if found else None

    def newest_sweep(self) -> Run | None:
        """Return the sweep that was started last, or None."""
        page = self._client.search_runs(
            [self.experiment_id],
            filter_string="tags.kind = 'sweep'",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return page[0] if page else None

    def newest(self) -> Run | None:
        """Return the run that was started last, a sweep's cells left out, or None."""
        page = self._client.search_runs(
            [self.experiment_id],
            filter_string="tags.kind IS NOT NULL and tags.`mlflow.parentRunId` IS NULL",
            order_by=["attributes.start_time DESC"],
            max_results=1,
        )
        return page[0] if page else None

    def beginning(self, start: str) -> list[Run]:
        """Return the experiment's runs whose id begins with `start`, oldest first."""
        return self._search(f"attributes.run_id LIKE '{start}%'")

    def recorded_rows(self, experiment: str) -> list[RecordedRows]:
        """Return the runs of an experiment of this store that have left the values of their rows, oldest first.

        Raises
        ------
        BadInput
            If there is no such experiment.
        """
        own = recorded.experiment_of(self._client, experiment)
        return recorded.of_runs(self._search(recorded.wanted(), own))

    def values_of(self, rows: RecordedRows) -> pd.DataFrame:
        """Return the values that a run has left, a row each."""
        return self.read_table(rows.run_id, recorded.TABLE)

    def _search(self, wanted: str, experiment: str | None = None) -> list[Run]:
        found: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs(
                [experiment or self.experiment_id],
                filter_string=wanted,
                order_by=["attributes.start_time ASC"],
                page_token=token,
            )
            found += page
            token = page.token
            if not token:
                return found

    def save_view(self, name: str, view: dict[str, Any]) -> bool:
        """Save a view of MLflow's runs page; the page shows it if its address has ``viewStateShareKey=NAME``.

        Returns
        -------
        bool
            False if the server does not let this user change the experiment.
        """
        from mlflow.exceptions import MlflowException

        try:
            self._client.set_experiment_tag(self.experiment_id, f"mlflow.sharedViewState.{name}", json.dumps(view))
        except MlflowException:
            return False
        return True

    def folder(self, run_id: str) -> str:
        """Return the folder of a run's artifacts as text; see `shown_folder`."""
        return shown_folder(self._client.get_run(run_id).info.artifact_uri)

    def has_complete_artifacts(self, run: Run) -> bool:
        """Return whether a run's artifacts are complete; see `is_complete`."""
        return is_complete(run.info.artifact_uri, run.data.tags)

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
                f"with its id ({files.command('ui')})"
            ) from error

    def files(self, run_id: str) -> list[str]:
        """Return the names of a run's artifacts, without those in subfolders."""
        return sorted(str(file.path) for file in self._client.list_artifacts(run_id) if not file.is_dir)

    def read_file(self, run_id: str, name: str) -> bytes:
        """Return the content of an artifact."""
        path = self._local_file(run_id, name)
        if path is not None:
            return path.read_bytes()
        with tempfile.TemporaryDirectory() as folder:
            return Path(self._client.download_artifacts(run_id, name, folder)).read_bytes()

    def read_text(self, run_id: str, name: str) -> str:
        """Return the content of a text artifact."""
        return self.read_file(run_id, name).decode()

    def read_table(self, run_id: str, name: str) -> pd.DataFrame:
        """Read an artifact that is a table, such as ``draws.parquet``."""
        import pandas as pd

        def read(path: str | Path) -> pd.DataFrame:
            return parquet.read(Path(path)) if name.endswith(".parquet") else pd.read_csv(path)

        path = self._local_file(run_id, name)
        if path is not None:
            return read(path)
        with tempfile.TemporaryDirectory() as folder:
            return read(self._client.download_artifacts(run_id, name, folder))

    def _local_file(self, run_id: str, name: str) -> Path | None:
        """Return the artifact's own file, because a copy takes longer than reading it; None if a server keeps it."""
        folder = local_folder(self._client.get_run(run_id).info.artifact_uri)
        if folder is None:
            return None
        path = folder / name
        if not (path.is_file() and path.resolve().is_relative_to(folder.resolve())):
            raise BadInput(f"a run's artifact must be a file among its artifacts; found {name!r} in the run {run_id}")
        return path

    def metric_history(self, run_id: str, key: str) -> list[tuple[int, float]]:
        """Return a metric's (step, value) pairs, sorted by step."""
        return sorted((m.step, m.value) for m in self._client.get_metric_history(run_id, key))


def _identity(given: DatasetInput) -> tuple[str, str]:
    return given.dataset.name, given.dataset.digest
