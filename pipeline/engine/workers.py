"""Worker processes, each with its own connection, so that it is known at which shard a worker died."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context, resource_tracker
from multiprocessing.connection import Connection

from ..errors import Failed
from ..records.scores import Scores
from ..scoring.job import Job
from .retries import MOST_TRIES, Failures, attempt

# Shards that a worker has at a time: with a second one waiting it is never idle.
_AT_ONCE = 2
# The errors of a connection whose other end is closed.
_CLOSED = (EOFError, BrokenPipeError, ConnectionResetError)


class Worker:
    """A process that scores the shards it is given, in order, and sends back the scores or the error of each.

    Parameters
    ----------
    job : Job
        The rows, the model and the metrics.

    Attributes
    ----------
    given : deque of int
        The shards without an answer; the first is the one being scored.
    is_ready : bool
        Whether the process has loaded rows and model.
    """

    def __init__(self, job: Job) -> None:
        self.given: deque[int] = deque()
        self.is_ready = False
        spawn = get_context("spawn")
        self.answers, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, job), daemon=True)
        # Started here, because if the first worker started it, it would unblock the interrupt again.
        resource_tracker.ensure_running()
        with _interrupt_blocked():
            self._process.start()
        # With this copy open, the end of the worker would not close the connection.
        theirs.close()

    def give(self, shard: int) -> None:
        """Send it a shard to score."""
        self.given.append(shard)
        # If it has died, that is found when its answers are read.
        with suppress(*_CLOSED):
            self.answers.send(shard)

    def end(self) -> str:
        """Stop the process, and return how it ended, in words."""
        self.answers.close()
        self._process.join(timeout=0.1)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        return f"killed by signal {-code}, as where memory runs out" if code < 0 else f"ended with status {code}"


def score_in_workers(
    job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None], *, workers: int, failures: Failures
) -> None:
    """Score shards in worker processes; a worker that dies is replaced, and its shard is tried again.

    Parameters
    ----------
    job, shards, keep
        As `Engine.run` takes them.
    workers : int
        The number of processes, at least 1.
    failures : Failures
        Takes the shards that could not be scored.

    Raises
    ------
    BadInput
        If a worker cannot load the rows or the model.
    Failed
        If workers die before they have loaded them.
    """
    waiting = deque(shards)
    crew: list[Worker] = []
    deaths_at_start = 0
    try:
        for _ in range(workers):
            crew.append(Worker(job))
        while waiting or any(worker.given for worker in crew):
            _hand_out(waiting, crew)
            by_answers = {worker.answers: worker for worker in crew}
            for ready in connection.wait(list(by_answers)):
                worker = by_answers[ready]  # type: ignore[index]
                if _has_answered(worker, keep, failures):
                    continue
                crew.remove(worker)
                deaths_at_start += not worker.is_ready
                waiting.extendleft(reversed(_left_by(worker, failures)))
                if deaths_at_start >= MOST_TRIES:
                    raise Failed(
                        f"the workers must live until rows and model are loaded; found {deaths_at_start} that died "
                        "before: give them more memory, or let engine.workers be fewer"
                    )
                crew.append(Worker(job))
    finally:
        for worker in crew:
            worker.end()


def _hand_out(waiting: deque[int], crew: list[Worker]) -> None:
    for worker in crew:
        # Towards the end no worker holds a second shard that an idle one could score.
        most = _AT_ONCE if len(waiting) > len(crew) else 1
        while waiting and worker.is_ready and len(worker.given) < most:
            worker.give(waiting.popleft())


def _has_answered(worker: Worker, keep: Callable[[int, Scores], None], failures: Failures) -> bool:
    """Take a worker's answer; return False if the worker has died."""
    try:
        outcome = worker.answers.recv()
    except (EOFError, OSError):
        return False
    if not worker.is_ready:
        if isinstance(outcome, Exception):
            raise outcome
        worker.is_ready = True
        return True
    shard = worker.given.popleft()
    if isinstance(outcome, Exception):
        failures.failed(shard, outcome)
    else:
        keep(shard, outcome)
    return True


def _left_by(worker: Worker, failures: Failures) -> list[int]:
    """The shards of a dead worker that others are to score."""
    how = worker.end()
    left = list(worker.given)
    if left and not failures.died(left[0], how):
        return left[1:]
    return left


@contextmanager
def _interrupt_blocked() -> Iterator[None]:
    # A worker inherits the mask. The terminal sends Ctrl-C to workers too, but the parent process ends them.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(answers: Connection, job: Job) -> None:
    """Run a worker: load the job, then score the shards that are received until the connection is closed."""
    limit_to_one_thread()
    with suppress(*_CLOSED):
        try:
            job.load()
        except Exception as error:
            answers.send(sendable(error))
            return
        # Again, for the libraries that were loaded with the job.
        limit_to_one_thread()
        answers.send(None)
        while True:
            shard = answers.recv()
            answers.send(sendable(attempt(job, shard)))


def limit_to_one_thread() -> None:
    """Limit the numeric libraries of this process to one thread each, because it is one worker of several."""
    # The variables are for libraries that are loaded later.
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(1)


def sendable(outcome: Scores | Exception) -> Scores | Exception:
    """Return an outcome that can be pickled: a RuntimeError with the same words for an exception that cannot."""
    if not isinstance(outcome, Exception):
        return outcome
    try:
        pickle.loads(pickle.dumps(outcome))
    except Exception:
        return RuntimeError(f"{type(outcome).__name__}: {outcome}")
    return outcome
