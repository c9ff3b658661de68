"""How many cores this process may use, how the workers of a sweep share them, and a pool of one thread per core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from .apart import stop_all

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
U = TypeVar("U")

_workers = 1


def count() -> int:
    """Return how many cores this process may use: its share of them, where several workers run in parallel."""
    return max(1, _available() // _workers)


def _available() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def shared_by(workers: int) -> Iterator[None]:
    """Limit this process, BLAS and OpenMP included, to its share of the cores.

    Parameters
    ----------
    workers : int
        How many processes run in parallel on this machine, at least 1. With 1, BLAS keeps its own limit.
    """
    global _workers
    if workers <= 1:
        yield
        return
    from threadpoolctl import threadpool_limits

    before, _workers = _workers, workers
    try:
        with threadpool_limits(limits=count()):
            yield
    finally:
        _workers = before


def workers_of(launcher: Mapping[str, Any], cells: int) -> int:
    """Return how many workers a Hydra launcher runs in parallel on one machine.

    Parameters
    ----------
    launcher : mapping
        ``hydra.launcher`` as composed. For joblib it follows from ``n_jobs`` (-1 is one worker per core), for Ray from
        the processors of a task. Submitit's local executor starts all cells at once. Slurm gives each job processors of
        its own and enforces that limit itself.
    cells : int
        How many cells there are to run.
    """
    name = str(launcher.get("_target_", ""))
    most = 1
    if "joblib" in name:
        asked = int(launcher.get("n_jobs") or 1)
        most = asked if asked > 0 else max(1, _available() + 1 + asked)
    elif "ray" in name:
        most = _available() // int(launcher.get("ray", {}).get("remote", {}).get("num_cpus") or 1)
    elif "LocalLauncher" in name:
        most = _available()
    return max(1, min(most, cells, _available()))


def on_all_cores(work: Callable[[T], U], stripes: Sequence[T]) -> list[U]:
    """Call `work` for each stripe, in one thread per core and with single-threaded BLAS; return the results."""
    # NumPy's element-wise functions run in one thread. So one thread per core, each with a single-threaded BLAS, is
    # faster than BLAS on all cores followed by element-wise work on one. A single stripe gets a single BLAS thread too:
    # idle BLAS threads keep spinning, which slows down what follows, up to a hundredfold on a busy machine.
    with blas_in_one_thread():
        if len(stripes) == 1:
            return [work(stripes[0])]
        pool = ThreadPoolExecutor(min(count(), len(stripes)))
        try:
            return list(pool.map(work, stripes))
        except (KeyboardInterrupt, SystemExit):
            stop_all()
            raise
        finally:
            # After Ctrl-C the stripes still in the queue are not started.
            pool.shutdown(cancel_futures=True)


def blas_in_one_thread() -> AbstractContextManager[Any]:
    """Hold BLAS to one thread; products in several differ in the last bit, for each thread gets a part of the rows."""
    return _thread_pools().limit(limits=1, user_api="blas")


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    # Finding the loaded libraries takes milliseconds, so it is done once.
    return ThreadpoolController()
