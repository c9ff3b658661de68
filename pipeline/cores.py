"""How many cores this process may use, how a sweep's workers share them, and work on all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
U = TypeVar("U")

_workers = 1


def count() -> int:
    """Return the cores that this process may keep busy: its share, where several workers run beside each other."""
    return max(1, _available() // _workers)


def _available() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def shared_by(workers: int) -> Iterator[None]:
    """Hold this process, BLAS and OpenMP included, to its share of the cores.

    Parameters
    ----------
    workers : int
        How many processes work beside each other on this machine, at least 1. With 1, BLAS is left as it is.
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
    """Return how many workers a launcher of Hydra's runs beside each other on a machine.

    Parameters
    ----------
    launcher : mapping
        ``hydra.launcher`` as composed. joblib says it by ``n_jobs`` (-1 is a worker a core); Ray by the processors of
        a task. Submitit's local executor starts all cells at once; Slurm gives a job
        processors of its own, which the system then holds it to.
    cells : int
        How many there are to carry out.
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
    """Do a piece of work for each stripe, a thread a core, with BLAS held to one thread; return what came of each."""
    # NumPy's element-wise work runs on one core: a thread a core over stripes, each with BLAS held to its own core,
    # beats BLAS on all cores followed by element-wise work on one. A single stripe is held to one core too: BLAS
    # threads that have worked keep spinning, and slow down what comes next, a hundredfold on a busy machine.
    with _thread_pools().limit(limits=1, user_api="blas"):
        if len(stripes) == 1:
            return [work(stripes[0])]
        pool = ThreadPoolExecutor(min(count(), len(stripes)))
        try:
            return list(pool.map(work, stripes))
        finally:
            # After Ctrl-C the stripes that wait are not begun.
            pool.shutdown(cancel_futures=True)


@lru_cache(maxsize=1)
def _thread_pools() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    # Looking for the loaded libraries takes milliseconds, so it is done once.
    return ThreadpoolController()
