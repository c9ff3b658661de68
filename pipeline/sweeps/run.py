"""Run a sweep: one parent run with one finished child run per cell, however often the sweep is stopped and resumed.

Workers read what they need from a file in the sweep's folder, because every launcher shares that folder.
"""

from __future__ import annotations

import json
import socket
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from .. import config, errors
from ..cell.delivery import deliver_waiting, finished_cells
from ..cell.log import title_of
from ..errors import Failed, was_interrupted
from ..report import terminal
from ..runtime import cores, descendants, files
from ..runtime.locks import held
from ..runtime.progress import Bar
from ..runtime.signals import exit_if_asked, is_asked, undisturbed
from ..tracking.failures import is_lost, reason
from ..tracking.outbox import waiting
from ..tracking.store import Store
from .conclusion import STATUS, TABLE, Conclusion, conclude
from .finished import find_finished
from .outcomes import LAUNCH, Outcome, OutcomeWatcher
from .request import Cell, SweepRequest, compose_request

_SECONDS_TO_END = 10.0
# How many cells are named that say the same.
_MOST_ALIKE = 3


@dataclass(eq=False)
class _RunningSweep:
    """The state of a sweep that this process runs."""

    request: SweepRequest
    store: Store
    parent: str
    missing: list[Cell]
    is_finished: bool
    # The digest of the cell of each job: job numbers are indices of this list.
    launched: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


# Runs cells, given the overrides of each and the job number of the first.
Launch = Callable[[list[list[str]], int], None]


def run(master: DictConfig, loader: ConfigLoader, lines: list[str], launch: Launch) -> None:
    """Run the cells of a sweep that are not finished yet, then compare all its cells.

    Parameters
    ----------
    master, loader, lines
        See `compose_request`.
    launch : callable
        See `Launch`.

    Raises
    ------
    BadInput
        If the request is wrong; nothing was written.
    Failed, OSError
        If the store was lost, or the disk is full; finished cells are kept.
    SystemExit
        1 if a cell failed, 2 if all were refused; else what the answer asks for (`Compared.status`).
    """
    request = compose_request(master, loader, lines)
    finished = find_finished(request)
    if finished is not None:
        terminal.already(finished.table, len(request.cells), run_id=finished.run_id, folder=finished.folder)
        _exit(finished.status)
        return
    store = request.first.tracking.open()
    sweep, before = None, descendants.living()
    try:
        with _failing_if_lost(store):
            deliver_waiting(store, terminal.note)
            sweep = _resume_or_start(store, request)
            if sweep.is_finished:
                table = store.read_text(sweep.parent, TABLE)
                terminal.already(table, len(request.cells), run_id=sweep.parent, folder=store.folder(sweep.parent))
                _exit(int(store.run(sweep.parent).data.tags.get(STATUS, "0")))
                return
            store.reopen(sweep.parent)
        if sweep.missing:
            _run_missing(sweep, Path(master.hydra.sweep.dir), master.hydra.launcher, launch)
            exit_if_asked()
        with _failing_if_lost(store), held(sweep.parent, "the end of the same sweep"):
            deliver_waiting(store, terminal.note)
            conclusion = conclude(store, sweep.parent, request, sweep.outcomes)
            folder = store.folder(sweep.parent)
    except BaseException as error:
        with undisturbed(_SECONDS_TO_END):
            # Workers of the launcher: what they were at would stay RUNNING.
            descendants.kill(besides=before)
            if sweep is not None and not sweep.is_finished:
                is_failure = isinstance(error, Exception) and not (was_interrupted(error) or is_asked())
                _end_stopped(sweep, "FAILED" if is_failure else "KILLED")
        raise
    _show(conclusion, sweep.parent, folder)


def _show(conclusion: Conclusion, parent: str, folder: str) -> None:
    if conclusion.text:
        terminal.sweep(conclusion.text, run_id=parent, folder=folder, has_figures=conclusion.has_figures)
    if conclusion.problem:
        terminal.error(conclusion.problem)
        if not conclusion.text:
            terminal.run_line(parent)
    _exit(conclusion.status)


def _exit(status: int) -> None:
    if status:
        raise SystemExit(status)


def _resume_or_start(store: Store, request: SweepRequest) -> _RunningSweep:
    """Find the sweep that was started before and the cells that it lacks, or start a new one."""
    experiment = request.first
    with held(request.digest, "the start of the same sweep"):
        found = None if experiment.force else store.sweep(request.digest)
        if found is None:
            started = time.time()
            tags = {"sweep_digest": request.digest}
            parent = store.start(_name(request, started), kind="sweep", started=started, tags=tags)
            return _RunningSweep(request, store, parent, request.cells, is_finished=False)
    parent, name = str(found.info.run_id), _name(request, int(found.info.start_time) / 1000)
    if found.info.run_name != name:
        store.rename(parent, name)
    runs = finished_cells(store, parent)
    digests = {run.data.tags.get("cell_digest") for run in runs}
    missing = [cell for cell in request.cells if cell.digest not in digests]
    is_compared = found.info.status == "FINISHED" and found.data.tags.get("asked") == request.asked
    if not missing and is_compared and store.has_complete_artifacts(found):
        return _RunningSweep(request, store, parent, missing, is_finished=True)
    if digests:
        terminal.note(f"{len(request.cells) - len(missing)} of {len(request.cells)} cells are finished already")
    return _RunningSweep(request, store, parent, missing, is_finished=False)


def _name(request: SweepRequest, started: float) -> str:
    cells = request.cells
    return title_of([cell.experiment for cell in cells], [cell.population for cell in cells], started)


def _run_missing(sweep: _RunningSweep, folder: Path, launcher: DictConfig, launch: Launch) -> None:
    progress = Bar("Sweep", len(sweep.missing), unit="cells", at_once=True)

    said: Counter[str] = Counter()

    def report(outcome: Outcome) -> None:
        sweep.outcomes.append(outcome)
        progress.advance()
        said[outcome.message] += 1
        if outcome.message and said[outcome.message] <= _MOST_ALIKE:
            terminal.error(f"cell {outcome.cell}: {outcome.message}")

    workers = cores.workers_of(launcher, len(sweep.missing))
    watcher = OutcomeWatcher(folder, report)
    with progress:
        watcher.start()
        try:
            if not _launch_cells(sweep, sweep.missing, folder, workers, launch):
                unreported = _unreported(sweep)
                if unreported:
                    _launch_cells(sweep, unreported, folder, workers, launch)
        finally:
            watcher.stop()


def _write_launch(sweep: _RunningSweep, folder: Path, workers: int) -> None:
    """Write the file that tells the workers what to run: job i runs the cell with the i-th digest."""
    content = {
        "parent": sweep.parent,
        "varied": sweep.request.varied,
        "labels": sweep.request.labels,
        "digests": sweep.launched,
        "host": socket.gethostname(),
        "workers": workers,
    }
    # Readable by this user only: launchers write whole configurations to the same folder.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files.write_beside(folder / LAUNCH, lambda file: file.write(json.dumps(content).encode()))


def _launch_cells(sweep: _RunningSweep, cells: list[Cell], folder: Path, workers: int, launch: Launch) -> bool:
    """Launch cells and return whether the launcher came to its end: many give up when one worker is killed."""
    first = len(sweep.launched)
    sweep.launched += [cell.digest for cell in cells]
    _write_launch(sweep, folder, workers)
    try:
        launch([cell.overrides for cell in cells], first)
    except Exception as error:
        exit_if_asked()
        if config.is_plain(error) or was_interrupted(error) or files.is_unwritable(error):
            raise
        if errors.WANTS_TRACEBACK:
            traceback.print_exc()
        terminal.error(f"the launcher ended early: {config.one_line(error) or type(error).__name__}")
        return False
    return True


def _unreported(sweep: _RunningSweep) -> list[Cell]:
    """Return the cells without an outcome.

    They can be launched again safely: a cell's lock makes the new job wait if an old worker still runs the cell.
    """
    reported = {outcome.digest for outcome in sweep.outcomes}
    finished = {run.data.tags.get("cell_digest") for run in finished_cells(sweep.store, sweep.parent)}
    return [cell for cell in sweep.missing if cell.digest not in reported | finished]


def _end_stopped(sweep: _RunningSweep, status: str) -> None:
    """End the runs that no process works on any more, so that none stays RUNNING; the next start resumes the sweep."""
    # Twice, because an interruption may have left the store's connection so that the first call after it fails.
    for _ in range(2):
        with suppress(Exception):
            finished_cells(sweep.store, sweep.parent)
            break
    with suppress(Exception):
        sweep.store.end(sweep.parent, status)


@contextmanager
def _failing_if_lost(store: Store) -> Iterator[None]:
    """Raise Failed, with what is kept, if the store does not answer or cannot write."""
    try:
        yield
    except Exception as error:
        if config.is_plain(error) or not is_lost(error):
            raise
        kept = sum(package.run["place"] == store.place for package in waiting())
        there = f"; {kept} results are kept in {files.mlruns() / 'undelivered'} for it" if kept else ""
        raise Failed(
            f"the store must answer and take what it is given; it did not ({reason(error)}){there}: start the sweep "
            "again when it does"
        ) from error
