"""Worker processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from pipeline import cores
from pipeline.engine.base import Engine, Job
from pipeline.engine.retries import Tries
from pipeline.errors import BadInput
from pipeline.records import Scores

# Shards handed out beyond those at work: a worker that is done need not wait, and scores do not pile up.
_AHEAD = 2


@dataclass
class Local(Engine):
    """Shards are scored by worker processes on this machine, each with one thread.

    Attributes
    ----------
    workers : int
        How many, at least 1; 0 is one a core.
    """

    name: str = "local"
    workers: int = 0

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise BadInput(f"engine.workers must be at least 1, or 0 for one a core; found {self.workers}")

    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards in worker processes; one that dies is replaced, and what it was at is tried again."""
        tries = Tries(len(shards))
        left = list(shards)
        while left:
            left = self._with_one_pool(job, left, keep, tries)
        tries.raise_if_any()

    def _with_one_pool(
        self, job: Job, shards: list[int], keep: Callable[[int, Scores], None], tries: Tries
    ) -> list[int]:
        """Score until all is done or the pool has broken; return what is to be tried with another."""
        workers = min(self.workers or cores.count(), len(shards))
        pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=(job,))
        waiting, running = list(reversed(shards)), dict[Future[Scores], int]()
        try:
            while waiting or running:
                while waiting and len(running) < workers + _AHEAD:
                    shard = waiting.pop()
                    running[pool.submit(_score, shard)] = shard
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    shard = running.pop(future)
                    try:
                        keep(shard, future.result())
                    except BrokenProcessPool as error:
                        # Which shard killed the worker is not known: each of those at work has had a try.
                        broken = [shard, *running.values()]
                        for each in broken:
                            tries.failed(each, error)
                        return [each for each in [*broken, *reversed(waiting)] if tries.may_go_on(each)]
                    except Exception as error:
                        tries.failed(shard, error)
                        if tries.may_go_on(shard):
                            waiting.insert(0, shard)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return []


_job: Job | None = None


def _start(job: Job) -> None:
    global _job
    _job = job
    # For the worker's whole life: it is one of several.
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1)


def _score(shard: int) -> Scores:
    assert _job is not None
    return _job.score(shard)
