"""A sweep: one parent run, one finished child a cell, however often it was stopped and started again.

What a job must know reaches it by a file in the sweep's folder, which every launcher shares.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError

from pipeline import config, cores, files, outcomes, report
from pipeline.address import without_secret
from pipeline.asked import Asked, Cell, ask
from pipeline.cell import Member, deliver_waiting, finished_cells, run_member
from pipeline.comparison import newest
from pipeline.conclusion import TABLE, conclude
from pipeline.config import or_exit
from pipeline.data.base import SPLITS
from pipeline.errors import BadInput, Failed, was_interrupted
from pipeline.locks import held
from pipeline.outcomes import Outcome
from pipeline.package import waiting
from pipeline.tracking import Store, is_lost, reason

_LAUNCH = "launch.json"


class Check(Callback):
    """Refuse a wrong request before Hydra makes a folder for the run."""

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Check the one cell."""
        or_exit(lambda: _prepare(config))

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Check what Hydra would otherwise refuse in words of its own."""
        or_exit(lambda: _check_params(config))


def _prepare(composed: DictConfig) -> None:
    config.to_experiment(composed).prepare()


def _check_params(composed: DictConfig) -> None:
    try:
        OmegaConf.to_container(composed.hydra.sweeper, resolve=True)
    except InterpolationKeyError as error:
        raise BadInput(
            f"data.split must be one of {', '.join(SPLITS)}; found {composed.data.split!r}, which has no "
            "data.sweep_sizes: choose one of them, or give the sizes, batch_size=10,100"
        ) from error


def is_running() -> bool:
    """Whether the current job belongs to a sweep."""
    return bool(HydraConfig.get().mode == RunMode.MULTIRUN)


def run_one(composed: DictConfig) -> None:
    """Run one cell of a sweep; what becomes of it is told in the sweep's folder, and the others go on."""
    hydra = HydraConfig.get()
    folder, number = Path(hydra.sweep.dir), int(hydra.job.num)
    if not (folder / _LAUNCH).is_file():
        raise BadInput(
            f"hosts that work at one sweep must share its folder; found no {folder / _LAUNCH} on "
            f"{socket.gethostname()}: let BATCHSCOPE_MLRUNS name a folder that all of them have"
        )
    launch = json.loads((folder / _LAUNCH).read_text(encoding="utf-8"))
    digest = launch["digests"][number]
    member = Member(launch["parent"], tuple(launch["varied"]), digest)
    told = Outcome(without_secret(" ".join(hydra.overrides.task)), digest, "finished")
    try:
        experiment = config.to_experiment(composed)
        _check_host(launch["host"], experiment.tracking.uri)
        with cores.shared_by(launch["workers"]):
            run_member(experiment, member)
    except Exception as error:
        if was_interrupted(error):
            raise KeyboardInterrupt from error
        if report.WANTS_TRACEBACK:
            traceback.print_exc()
        status = "refused" if config.is_request_error(error) else "kept" if isinstance(error, Failed) else "failed"
        shown = files.unwritable(error) if isinstance(error, OSError) and files.is_unwritable(error) else error
        message = without_secret(config.one_line(shown)) or type(error).__name__
        told = Outcome(told.cell, digest, status, message)
    with suppress(OSError):
        # A full disk: the sweep counts what is finished in the store.
        outcomes.write(folder, number, told)


def _check_host(host: str, uri: str) -> None:
    if uri.startswith("sqlite:") and socket.gethostname() != host:
        raise BadInput(
            f"tracking.uri must be a server's address where workers run on other hosts; found {uri} on {host}, asked "
            f"for on {socket.gethostname()}: start a server (README, Scaling out) and point tracking.uri at it"
        )


@dataclass(eq=False)
class _UnderWay:
    """A sweep under way in this process."""

    asked: Asked
    store: Store
    parent: str
    missing: list[Cell]
    has_changed: bool
    # Digests in the order in which cells were launched, by the number of the job.
    launched: list[str] = field(default_factory=list)
    seen: list[Outcome] = field(default_factory=list)


# Is given the overrides of cells and the number of the first, and carries them out.
Launch = Callable[[list[list[str]], int], None]


def run(master: DictConfig, loader: ConfigLoader, lines: list[str], launch: Launch) -> None:
    """Carry out what is missing of a sweep, then compare all its cells.

    Parameters
    ----------
    master, loader, lines
        See `ask`.
    launch : callable
        See `Launch`.

    Raises
    ------
    BadInput
        If the request is wrong; nothing was written.
    Failed, OSError
        If the store was lost, or the disk is full; what was finished is kept.
    SystemExit
        1 if a cell failed, 2 if all were refused.
    """
    _signals_as_exits()
    asked = ask(master, loader, lines)
    store = asked.first.tracking.open()
    under_way = None
    try:
        with _unless_lost(store):
            deliver_waiting(store, report.note)
            under_way = _take_up(store, asked)
            if not under_way.has_changed:
                shown = store.read_text(under_way.parent, TABLE)
                report.already(shown, len(asked.cells), store.folder(under_way.parent))
                return
            store.reopen(under_way.parent)
        if under_way.missing:
            _carry_out(under_way, Path(master.hydra.sweep.dir), master.hydra.launcher, launch)
        with _unless_lost(store), held(under_way.parent):
            deliver_waiting(store, report.note)
            conclusion = conclude(store, under_way.parent, asked, under_way.seen)
            folder = store.folder(under_way.parent)
    except BaseException as error:
        if under_way is not None and under_way.has_changed:
            is_failure = isinstance(error, Exception) and not was_interrupted(error)
            _stop(under_way, "FAILED" if is_failure else "KILLED")
        raise
    if conclusion.shown:
        report.sweep(conclusion.shown, run_id=under_way.parent, folder=folder, has_figures=conclusion.has_figures)
    if conclusion.trouble:
        report.error(conclusion.trouble)
    if conclusion.status:
        raise SystemExit(conclusion.status)


def _take_up(store: Store, asked: Asked) -> _UnderWay:
    """Find the sweep if it was started before, or start it."""
    experiment = asked.first
    with held(asked.digest):
        found = None if experiment.force else store.sweep(asked.digest)
        if found is None:
            name = f"{experiment.study.name} {experiment.data.name} {experiment.data.split} · {experiment.model.name}"
            parent = store.start(name, kind="sweep", tags={"sweep_digest": asked.digest})
            return _UnderWay(asked, store, parent, asked.cells, has_changed=True)
    parent = str(found.info.run_id)
    runs = finished_cells(store, parent)
    finished = {run.data.tags.get("cell_digest") for run in runs}
    missing = [cell for cell in asked.cells if cell.digest not in finished]
    is_whole = found.info.status == "FINISHED" and found.data.tags.get("cells") == str(len(newest(runs)))
    if not missing and is_whole and store.has_whole(found):
        return _UnderWay(asked, store, parent, missing, has_changed=False)
    if finished:
        report.note(f"{len(asked.cells) - len(missing)} of {len(asked.cells)} cells are finished already")
    return _UnderWay(asked, store, parent, missing, has_changed=True)


def _carry_out(under_way: _UnderWay, folder: Path, launcher: DictConfig, launch: Launch) -> None:
    progress = report.Progress(len(under_way.missing), "cells")

    def tell(outcome: Outcome) -> None:
        under_way.seen.append(outcome)
        progress.advance()
        if outcome.message:
            report.error(f"cell {outcome.cell}: {outcome.message}")

    workers = cores.workers_of(launcher, len(under_way.missing))
    watch = outcomes.Watch(folder, tell)
    progress.start()
    watch.start()
    try:
        if not _launch_all(under_way, under_way.missing, folder, workers, launch):
            left = _left(under_way)
            if left:
                _launch_all(under_way, left, folder, workers, launch)
    finally:
        watch.stop()
        progress.stop()


def _write_launch(under_way: _UnderWay, folder: Path, workers: int) -> None:
    """Write what the jobs must know; a job is the cell whose digest stands at the job's number."""
    content = {
        "parent": under_way.parent,
        "varied": under_way.asked.varied,
        "digests": under_way.launched,
        "host": socket.gethostname(),
        "workers": workers,
    }
    # For this user alone: launchers put whole configurations beside it.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files.write_beside(folder / _LAUNCH, lambda file: file.write(json.dumps(content).encode()))


def _launch_all(under_way: _UnderWay, cells: list[Cell], folder: Path, workers: int, launch: Launch) -> bool:
    """Give whether the launcher came to its end; many give up at the first worker that is killed."""
    first = len(under_way.launched)
    under_way.launched += [cell.digest for cell in cells]
    _write_launch(under_way, folder, workers)
    try:
        launch([cell.overrides for cell in cells], first)
    except Exception as error:
        if config.is_plain(error) or was_interrupted(error) or files.is_unwritable(error):
            raise
        if report.WANTS_TRACEBACK:
            traceback.print_exc()
        report.error(f"the launcher ended early: {config.one_line(error) or type(error).__name__}")
        return False
    return True


def _left(under_way: _UnderWay) -> list[Cell]:
    """The cells of which nothing was heard: launched once more, they wait for a worker that is still at one."""
    told = {outcome.digest for outcome in under_way.seen}
    finished = {run.data.tags.get("cell_digest") for run in finished_cells(under_way.store, under_way.parent)}
    return [cell for cell in under_way.missing if cell.digest not in told | finished]


def _stop(under_way: _UnderWay, status: str) -> None:
    """Leave nothing RUNNING that nobody is at; the next start takes it up."""
    with suppress(Exception):
        finished_cells(under_way.store, under_way.parent)
        under_way.store.end(under_way.parent, status)


def _signals_as_exits() -> None:
    """Let a sweep that is told to stop end as one that was interrupted."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup it is ignored, and stays so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


@contextmanager
def _unless_lost(store: Store) -> Iterator[None]:
    """Say in one line that the store is lost, and what of it is kept."""
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
