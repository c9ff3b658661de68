"""Worker processes with a connection each: it is known which shard a worker was at when it died."""

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

from pipeline.engine.base import Job
from pipeline.engine.retries import MOST_TRIES, Tries, attempt
from pipeline.errors import Failed
from pipeline.records import Scores

# Shards a worker has at a time: the next one lies ready when it is done.
_AT_ONCE = 2
# What is raised where the other end of a connection is gone.
_GONE = (EOFError, BrokenPipeError, ConnectionResetError)


class Worker:
    """A process that scores the shards it is given, in order, and says what came of each.

    Parameters
    ----------
    job : Job
        What is scored.

    Attributes
    ----------
    given : deque of int
        The shards it has not answered for; the first is the one it is at.
    is_ready : bool
        Whether it has loaded rows and model.
    """

    def __init__(self, job: Job) -> None:
        self.given: deque[int] = deque()
        self.is_ready = False
        spawn = get_context("spawn")
        self.answers, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(theirs, job), daemon=True)
        # Where it is started by the first worker, it lets the interrupt through again.
        resource_tracker.ensure_running()
        with _interrupt_held_back():
            self._process.start()
        # Else its end would go unnoticed.
        theirs.close()

    def give(self, shard: int) -> None:
        """Give it a shard."""
        self.given.append(shard)
        # Of one that has died the answers tell.
        with suppress(*_GONE):
            self.answers.send(shard)

    def end(self) -> str:
        """End it, and say how it ended."""
        self.answers.close()
        self._process.join(timeout=0.1)
        self._process.kill()
        self._process.join()
        code = self._process.exitcode or 0
        return f"killed by signal {-code}, as where memory runs out" if code < 0 else f"ended with status {code}"


def spread(job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None], *, workers: int, tries: Tries) -> None:
    """Have shards scored by so many worker processes; one that dies is replaced, and what it was at is tried again.

    Raises
    ------
    BadInput
        If rows or model cannot be loaded.
    Failed
        If the workers die before they have loaded them.
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
                if _has_answered(worker, keep, tries):
                    continue
                crew.remove(worker)
                deaths_at_start += not worker.is_ready
                waiting.extendleft(reversed(_left_by(worker, tries)))
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
        # Towards the end nobody holds what another could begin.
        most = _AT_ONCE if len(waiting) > len(crew) else 1
        while waiting and worker.is_ready and len(worker.given) < most:
            worker.give(waiting.popleft())


def _has_answered(worker: Worker, keep: Callable[[int, Scores], None], tries: Tries) -> bool:
    """Take a worker's answer; whether there was one."""
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
        tries.failed(shard, outcome)
    else:
        keep(shard, outcome)
    return True


def _left_by(worker: Worker, tries: Tries) -> list[int]:
    """What a dead worker leaves to others."""
    how = worker.end()
    left = list(worker.given)
    if left and not tries.died(left[0], how):
        return left[1:]
    return left


@contextmanager
def _interrupt_held_back() -> Iterator[None]:
    # A worker inherits it: Ctrl-C, which the terminal sends to it too, is for the process that ends it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(answers: Connection, job: Job) -> None:
    """A worker's life: until nobody asks any more."""
    one_thread()
    with suppress(*_GONE):
        try:
            job.load()
        except Exception as error:
            answers.send(sendable(error))
            return
        # Once more, for the libraries that have been loaded since.
        one_thread()
        answers.send(None)
        while True:
            shard = answers.recv()
            answers.send(sendable(attempt(job, shard)))


def one_thread() -> None:
    """Hold this process to one thread, for its whole life: it is one of several."""
    # For what is loaded later on.
    for library in ("OMP", "MKL", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(1)


def sendable(outcome: Scores | Exception) -> Scores | Exception:
    """Return an outcome that another process can read: an exception of a kind that cannot be pickled, by its words."""
    if not isinstance(outcome, Exception):
        return outcome
    try:
        pickle.loads(pickle.dumps(outcome))
    except Exception:
        return RuntimeError(f"{type(outcome).__name__}: {outcome}")
    return outcome
