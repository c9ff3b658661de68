"""Packages of finished cells, brought to the store."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..errors import BadInput, Failed
from ..experiment import Experiment
from ..runtime.locks import held_if_free
from ..runtime.notice import note
from ..tracking.failures import is_lost, reason
from ..tracking.outbox import Package, waiting
from ..tracking.store import Store
from .identity import Member

if TYPE_CHECKING:
    from mlflow.entities import Run


def deliver_waiting(store: Store, tell: Callable[[str], None]) -> None:
    """Bring the packages of this store that nobody is at to it; one that it does not take stays, and is told of."""
    for package in waiting():
        if package.run["place"] != store.place:
            continue
        with held_if_free(package.run["key"]) as is_free:
            if not is_free or not package.folder.exists():
                continue
            try:
                _redeliver(package, store)
            except Exception as error:
                if is_lost(error) and not store.answers():
                    raise
                tell(f"a result stays in {package.folder}: the store does not take it ({reason(error)})")


def finished_cells(store: Store, parent: str) -> list[Run]:
    """Return the finished cells of a sweep, and put right what an earlier start has left of the others.

    What is RUNNING, and nobody is at, ends as KILLED; what is FINISHED, but whose artifacts are not all as they were
    logged (a power cut leaves a database that knows more than the disk, and a disk may change a bit), as FAILED.
    """
    finished, damaged = [], 0
    for found in store.children(parent):
        run = found
        if run.info.status == "RUNNING":
            with held_if_free(f"{parent}-{run.data.tags.get('cell_digest', 'unknown')}") as is_free:
                # Asked again: it may have been finished since, and its lock been let go.
                run = store.run(run.info.run_id)
                if is_free and run.info.status == "RUNNING":
                    store.end(run.info.run_id, "KILLED")
        if run.info.status == "FINISHED" and store.has_complete_artifacts(run):
            finished.append(run)
        elif run.info.status == "FINISHED":
            store.end(run.info.run_id, "FAILED")
            damaged += 1
    if damaged:
        what = "files of a finished cell are" if damaged == 1 else f"files of {damaged} finished cells are"
        note(f"{what} missing or damaged: what they belong to is carried out again")
    return finished


_SECONDS_UNTIL_ASKED_AGAIN = 60


# When a store was found not to answer, by its place: each call that waits for it in vain takes seconds.
_lost: dict[str, float] = {}


def _opened(experiment: Experiment) -> Store | None:
    """The store; None where it stopped answering: the result will be kept for it."""
    place = experiment.tracking.place
    if time.monotonic() < _lost.get(place, -math.inf) + _SECONDS_UNTIL_ASKED_AGAIN:
        return None
    try:
        return experiment.tracking.open()
    except BadInput:
        _lost[place] = time.monotonic()
        return None


def is_finished(experiment: Experiment, member: Member) -> bool:
    """Whether the store, or a package that waits for it, holds the finished cell; such packages are delivered."""
    store = _opened(experiment)
    if store is None:
        return False
    try:
        found = store.finished_cell(member.parent, member.digest)
        if found is not None and store.has_complete_artifacts(found):
            return True
        finished = [package for package in waiting(member.key) if package.run["status"] == "FINISHED"]
        for package in finished:
            _redeliver(package, store)
        return bool(finished)
    except Exception as error:
        if not is_lost(error):
            raise
        # The cell is carried out and kept for the store.
        _lost[store.place] = time.monotonic()
        return False


def _redeliver(package: Package, store: Store) -> None:
    store.end_left_over(package)
    if store.has_taken(package):
        package.remove()
    else:
        store.deliver(package)


def deliver(package: Package, experiment: Experiment) -> str:
    """Bring a package to the store and return the run's id.

    Raises
    ------
    Failed
        If the store does not take it; the package is kept.
    """
    store, why = _opened(experiment), "it stopped answering"
    if store is not None:
        try:
            return store.deliver(package)
        except Exception as error:
            why = reason(error)
            if is_lost(error):
                _lost[store.place] = time.monotonic()
    raise Failed(
        f"the store did not take the result ({why}); it is kept in {package.folder.parent}, and the next start "
        "delivers it"
    )
