"""Recognise a sweep that is finished already, without importing MLflow."""

from __future__ import annotations

from dataclasses import dataclass

from ..tracking import artifacts, sqlite_reader
from ..tracking.outbox import waiting
from .conclusion import STATUS, TABLE
from .request import SweepRequest


@dataclass(frozen=True)
class FinishedSweep:
    """A sweep of which nothing is left to do.

    Attributes
    ----------
    table : str
        The table that was shown when it ended.
    run_id, folder : str
        The id of the sweep's run, and where its artifacts are.
    status : int
        The exit status that it ended with.
    """

    table: str
    run_id: str
    folder: str
    status: int = 0


def find_finished(request: SweepRequest) -> FinishedSweep | None:
    """Return the finished sweep if the SQLite file alone proves that every requested cell is done.

    None means that MLflow's client has to look: something is missing, running, damaged or waiting for delivery, or the
    store is not a SQLite file that can be read directly.
    """
    experiment = request.first
    tracking = experiment.tracking
    if experiment.force or any(package.run["place"] == tracking.place for package in waiting()):
        return None
    found = sqlite_reader.read_sweep(tracking.uri, tracking.experiment, request.digest)
    if found is None:
        return None
    sweep, cells = found
    finished = [cell for cell in cells if cell.status == "FINISHED"]
    # A run may be RUNNING because its process was killed; only the client can end it.
    if sweep.status != "FINISHED" or any(cell.status == "RUNNING" for cell in cells):
        return None
    digests = {cell.tags.get("cell_digest") for cell in finished}
    if any(cell.digest not in digests for cell in request.cells):
        return None
    # The sweep's own table must be of the cells that are asked for now.
    if sweep.tags.get("asked") != request.asked:
        return None
    if not all(artifacts.is_complete(run.artifact_uri, run.tags) for run in (sweep, *finished)):
        return None
    folder = artifacts.local_folder(sweep.artifact_uri)
    if folder is None or not (folder / TABLE).is_file():
        return None
    return FinishedSweep(
        (folder / TABLE).read_bytes().decode(),
        sweep.run_id,
        artifacts.shown_folder(sweep.artifact_uri),
        int(sweep.tags.get(STATUS, "0")),
    )
