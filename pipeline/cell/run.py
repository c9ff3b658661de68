"""One cell, from configuration to a finished MLflow run."""

from __future__ import annotations

import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress

from ..errors import BadInput, Changed, was_interrupted
from ..experiment import Experiment, Stages, run
from ..report.result import Result
from ..runtime.locks import held
from ..runtime.redact import without_secret
from ..runtime.signals import exit_if_asked, is_asked
from ..tracking.failures import reason
from ..tracking.log import Log
from ..tracking.outbox import Package, write
from .delivery import deliver, deliver_waiting, is_finished
from .identity import Member, cell_digest, configuration, content_of, parameters
from .log import ALONE, Work, log_of, run_name


def run_alone(experiment: Experiment, tell: Callable[[str], None]) -> tuple[str, Result]:
    """Carry out a cell that belongs to no sweep and log it; nothing is written of a request that was wrong.

    Parameters
    ----------
    experiment : Experiment
        The cell.
    tell : callable
        Is given what the user should know beside the result, a line each.

    Returns
    -------
    run_id, result
        The run it was logged as, and what was found.
    """
    recorder = _Alone(tell)
    result = run(experiment, recorder)
    assert result is not None
    return recorder.run_id, result


def run_member(experiment: Experiment, member: Member) -> None:
    """Carry out a cell of a sweep and log it, unless it is finished.

    Raises
    ------
    Changed
        If configuration, data, weights or source are not what they were when the sweep was started.
    Failed
        If the store did not take the result, which is kept.
    """
    run(experiment, _InSweep(member))


class _CellRecorder(ABC):
    """Logs a cell: its result, or the traceback of what went wrong while it was evaluated."""

    run_id: str

    def __init__(self) -> None:
        self._started, self._is_answered = time.time(), False

    @abstractmethod
    def _lock(self) -> AbstractContextManager[object]:
        """Hold what nobody else may hold while the cell is delivered."""

    @contextmanager
    def _under_way(self, stages: Stages, digest: str, member: Member | None = None) -> Iterator[bool]:
        self._work = Work(stages, digest, self._started, member)
        try:
            yield True
        except BadInput:
            raise
        except Exception as error:
            if not (self._is_answered or was_interrupted(error) or is_asked()):
                with self._lock():
                    _keep_failure(self._work, error)
            raise

    def log(self, stages: Stages, result: Result) -> None:
        """Bring the result to the store; it is kept on disk where the store does not take it."""
        exit_if_asked()
        self._is_answered = True
        with self._lock():
            self.run_id = deliver(_packed(self._work, "FINISHED", log_of(self._work, result)), stages.experiment)


class _Alone(_CellRecorder):
    """Logs a cell that belongs to no sweep; it is always due."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def _lock(self) -> AbstractContextManager[object]:
        return held(ALONE, "the delivery of another run")

    @contextmanager
    def due(self, stages: Stages) -> Iterator[bool]:
        """Deliver what waits for the store first; a wrong request has been refused before the store is opened."""
        store = stages.experiment.tracking.open()
        try:
            deliver_waiting(store, self._tell)
        except Exception as error:
            self._tell(f"results of earlier starts stay on disk until the store takes them: {reason(error)}")
        with self._under_way(stages, cell_digest(stages.experiment, content_of(stages))) as is_due:
            yield is_due


class _InSweep(_CellRecorder):
    """Logs a cell of a sweep, unless it is finished."""

    def __init__(self, member: Member) -> None:
        super().__init__()
        self._member = member

    def _lock(self) -> AbstractContextManager[object]:
        # The cell's lock is held all the while.
        return nullcontext()

    @contextmanager
    def due(self, stages: Stages) -> Iterator[bool]:
        """Hold the cell's lock, for a worker of an earlier start may still be at it; False where it is finished."""
        if cell_digest(stages.experiment, content_of(stages)) != self._member.digest:
            raise Changed(
                "configuration, data, weights and source must stay as they are while a sweep runs; found a change: "
                "start the sweep again"
            )
        with held(self._member.key, "the same cell of this sweep"):
            if is_finished(stages.experiment, self._member):
                yield False
                return
            with self._under_way(stages, self._member.digest, self._member) as is_due:
                yield is_due


def _packed(work: Work, status: str, log: Log) -> Package:
    experiment, member = work.stages.experiment, work.member
    run = {
        "place": experiment.tracking.place,
        "key": work.key,
        "name": run_name(work),
        "kind": "cell",
        "status": status,
        "started": work.started,
        "ended": time.time(),
        "parent": None if member is None else member.parent,
        "cell_digest": work.digest,
    }
    return write(work.key, run, log)


def _keep_failure(work: Work, error: Exception) -> None:
    """Log a cell as FAILED with its traceback, if that can be written still."""
    experiment = work.stages.experiment
    tags = {"error": without_secret(" ".join(str(error).split()) or type(error).__name__)}
    texts = {"config.yaml": configuration(experiment), "traceback.txt": without_secret(traceback.format_exc())}
    log = Log(params=parameters(experiment), tags=tags, texts=texts)
    # The fault may be the disk's or the server's.
    with suppress(Exception):
        deliver(_packed(work, "FAILED", log), experiment)
