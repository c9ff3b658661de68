"""The engine of Ray actors, on all machines of a Ray cluster."""

from __future__ import annotations

import logging
import os
import pickle
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import BadInput, Failed, brief
from ..records.scores import Scores
from ..runtime import cores, files
from ..runtime.extras import advice
from ..runtime.signals import kept
from ..scoring.job import Job
from .base import Engine
from .retries import Failures, attempt
from .workers import limit_to_one_thread, sendable


@dataclass
class Ray(Engine):
    """Shards are scored by actors of Ray Data, each with one thread; their scores are written by this process.

    Attributes
    ----------
    address : str or None
        The address of a running cluster: ``auto`` for this machine's, ``HOST:PORT``, or ``ray://HOST:PORT``. None
        starts a private one on this machine, and stops it when the rows are scored.
    workers : int
        The number of actors, at least 1; 0 is as many as the cluster has processors for.
    cpus_per_worker : int
        Processors reserved for each actor, at least 1.
    """

    name: str = "ray"
    address: str | None = None
    workers: int = 0
    cpus_per_worker: int = 1

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise BadInput(f"engine.workers must be at least 1, or 0 for all processors; found {self.workers}")
        if self.cpus_per_worker < 1:
            raise BadInput(f"engine.cpus_per_worker must be at least 1; found {self.cpus_per_worker}")
        if self.address is not None and not self.address.strip():
            raise BadInput("engine.address must name a Ray cluster, or be null for one of its own; found nothing")

    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards by actors; the shard of an actor that dies is tried again."""
        failures = Failures(len(shards))
        with _cluster(self.address, least=self.workers * self.cpus_per_worker) as ray, _quiet(ray):
            left = list(shards)
            while left:
                # A dead actor loses the shards that waited for it, too. So the last attempt of each is made alone.
                alone = [[shard] for shard in left if failures.is_last_try(shard)]
                together = [shard for shard in left if not failures.is_last_try(shard)]
                left = []
                for asked in [together, *alone] if together else alone:
                    left += self._one_round(ray, job, asked, keep, failures)
        failures.raise_if_any()

    def _one_round(
        self, ray: Any, job: Job, shards: list[int], keep: Callable[[int, Scores], None], failures: Failures
    ) -> list[int]:
        """Try each shard once, and return those whose actor died and that may be tried again."""
        answered = set[int]()
        for shard, outcome in self._outcomes(ray, job, shards):
            answered.add(shard)
            if isinstance(outcome, Exception):
                failures.failed(shard, outcome)
            else:
                keep(shard, outcome)
        return [
            shard
            for shard in shards
            if shard not in answered and failures.died(shard, "killed, as where memory runs out")
        ]

    def _outcomes(self, ray: Any, job: Job, shards: list[int]) -> Iterator[tuple[int, Scores | Exception]]:
        """Yield the scores or the error of each shard as soon as it is there; nothing if its actor died."""
        actors = ray.data.ActorPoolStrategy(size=min(self._most_workers(ray), len(shards)))
        # Ray announces another option for retries by version 2.64; the pinned version has only this one, and warns.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            found = ray.data.from_items(shards, override_num_blocks=len(shards)).map_batches(
                _Scorer,
                fn_constructor_args=(job, np.__version__),
                batch_size=1,
                num_cpus=self.cpus_per_worker,
                compute=actors,
                # The loop in `run` tries again and counts the attempts; Ray itself would retry without end.
                max_task_retries=0,
            )
        try:
            for row in found.iter_rows():
                is_for_all, outcome = pickle.loads(row["outcome"])
                if is_for_all:
                    raise outcome
                yield int(row["shard"]), outcome
        except ray.exceptions.RayError as error:
            raise Failed(
                f"Ray must carry the shards out; found: {brief(error)}: start again; the others are kept"
            ) from error

    def _most_workers(self, ray: Any) -> int:
        processors = ray.cluster_resources().get("CPU", 0)
        if self.workers:
            return self.workers
        if processors < self.cpus_per_worker:
            raise BadInput(
                f"engine.cpus_per_worker must be at most what the cluster has; found {self.cpus_per_worker} of "
                f"{processors:g}: ask for fewer"
            )
        return int(processors // self.cpus_per_worker)


class _Scorer:
    """An actor that loads rows and model once, and then scores one shard after the other.

    Parameters
    ----------
    job : Job
        The rows, the model and the metrics.
    numpy_version : str
        The version that the figures must be computed with.
    """

    def __init__(self, job: Job, numpy_version: str) -> None:
        self._job, self._refused = job, None
        limit_to_one_thread()
        try:
            if np.__version__ != numpy_version:
                raise BadInput(
                    f"every worker must have NumPy {numpy_version}, as the machine that asks, for the same figures; "
                    f"found {np.__version__}: install the same requirements on all machines"
                )
            job.load()
        except BadInput as error:
            self._refused = error
        except Exception:
            pass
        limit_to_one_thread()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (shard,) = batch["item"]
        outcome = self._refused or sendable(attempt(self._job, int(shard)))
        return {"shard": [int(shard)], "outcome": [pickle.dumps((self._refused is not None, outcome), 5)]}


@contextmanager
def _cluster(address: str | None, *, least: int) -> Iterator[Any]:
    """Yield the connected ray module; a cluster that was started or joined here is left in any case."""
    if address is None:
        _require_token()
    ray = _imported()
    if ray.is_initialized():
        # Connected by the launcher of this cell, which also stops it.
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    try:
        with kept():
            if address is None:
                ray.init(address="local", num_cpus=max(cores.count(), least), **quiet)
            else:
                _connect(ray, address)
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    # The workers get this source code, because the scores in the cache are identified by it.
    environment = {
        "py_modules": [str(files.PACKAGE)],
        "env_vars": {"BATCHSCOPE_MLRUNS": str(files.mlruns())},
    }
    try:
        ray.init(address=address, runtime_env=environment, log_to_driver=False, logging_level="error")
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        raise BadInput(
            f"engine.address must be that of a Ray cluster that runs; found none at {address}: {brief(error)}: start "
            "one (ray start --head), or leave engine.address out"
        ) from error


def _imported() -> Any:
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise BadInput(f"engine=ray needs Ray with Ray Data; found none: {advice('ray')}") from error
    return ray


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Silence Ray Data's own output, and let it continue after the death of an actor."""
    context = ray.data.DataContext.get_current()
    ours = {"enable_progress_bars": False, "print_on_execution_start": False, "max_errored_blocks": -1}
    before = {name: getattr(context, name) for name in ours}
    log = logging.getLogger("ray.data")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    for name, value in ours.items():
        setattr(context, name, value)
    try:
        yield
    finally:
        log.setLevel(level)
        for name, value in before.items():
            setattr(context, name, value)


def _require_token() -> None:
    """Protect a cluster that is started here by a random token of its own."""
    # Ray listens on the machine's network addresses. By itself it writes one token for all later clusters into a file
    # of the home folder that others may read.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Ray reads these variables once, when it is imported, so they are not reset.
    if "ray" not in sys.modules and not any(name.startswith("RAY_AUTH_") for name in os.environ):
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
