"""Worker processes on as many machines as a Ray cluster has."""

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
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import cores, files
from pipeline.data.archive import brief
from pipeline.engine.base import Engine, Job
from pipeline.engine.retries import Tries, attempt
from pipeline.engine.workers import one_thread, sendable
from pipeline.errors import BadInput, Failed
from pipeline.records import Scores


@dataclass
class Ray(Engine):
    """Shards are scored by Ray Data's actors, each with one thread; what they find is written down here.

    Attributes
    ----------
    address : str or None
        Of a cluster that runs: ``auto`` for this machine's, ``HOST:PORT``, or ``ray://HOST:PORT``. None starts one on
        this machine that nobody else can use, and stops it when the rows are scored.
    workers : int
        How many, at least 1; 0 is as many as the cluster has processors for.
    cpus_per_worker : int
        Processors set aside for each, at least 1.
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
        """Score shards by actors; what one that dies was at is tried again."""
        tries = Tries(len(shards))
        with _cluster(self.address, least=self.workers * self.cpus_per_worker) as ray, _quiet(ray):
            left = list(shards)
            while left:
                answered = set[int]()
                for shard, outcome in self._outcomes(ray, job, left):
                    answered.add(shard)
                    if isinstance(outcome, Exception):
                        tries.failed(shard, outcome)
                    else:
                        keep(shard, outcome)
                left = [
                    shard
                    for shard in left
                    if shard not in answered and tries.died(shard, "killed, as where memory runs out")
                ]
        tries.raise_if_any()

    def _outcomes(self, ray: Any, job: Job, shards: list[int]) -> Iterator[tuple[int, Scores | Exception]]:
        """What came of each shard, as soon as it is known; nothing where an actor died."""
        actors = ray.data.ActorPoolStrategy(size=min(self._most_workers(ray), len(shards)))
        # Ray means to have another way by version 2.64 to say how often; this is the one of the version that is pinned.
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            found = ray.data.from_items(shards, override_num_blocks=len(shards)).map_batches(
                _Scorer,
                fn_constructor_args=(job, np.__version__),
                batch_size=1,
                num_cpus=self.cpus_per_worker,
                compute=actors,
                # Tried again by us, who count how often: Ray would go on for ever.
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
    """An actor: rows and model are loaded once, then shard after shard is scored.

    Parameters
    ----------
    job : Job
        What is scored.
    numpy_version : str
        That the figures are to be made with.
    """

    def __init__(self, job: Job, numpy_version: str) -> None:
        self._job, self._refused = job, None
        one_thread()
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
        one_thread()

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        (shard,) = batch["item"]
        outcome = self._refused or sendable(attempt(self._job, int(shard)))
        return {"shard": [int(shard)], "outcome": [pickle.dumps((self._refused is not None, outcome), 5)]}


@contextmanager
def _cluster(address: str | None, *, least: int) -> Iterator[Any]:
    """Give Ray, connected; what was started for this is stopped afterwards, however it ends."""
    if address is None:
        _keep_to_ourselves()
    ray = _imported()
    if ray.is_initialized():
        # By who launched this cell: theirs to stop.
        yield ray
        return
    quiet = {"log_to_driver": False, "logging_level": "error", "include_dashboard": False}
    try:
        if address is None:
            ray.init(address="local", num_cpus=max(cores.count(), least), **quiet)
        else:
            _connect(ray, address)
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    # This very source goes to the workers, for the scores are known by it.
    environment = {
        "py_modules": [str(Path(__file__).resolve().parent.parent)],
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
        raise BadInput(
            "engine=ray needs Ray with Ray Data; found none: pip install 'batchscope[ray]' (or make setup-extras)"
        ) from error
    return ray


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Let Ray Data say nothing of its own, and go on where an actor has died."""
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


def _keep_to_ourselves() -> None:
    # Ray listens on the machine's addresses. Left alone it makes a token for all clusters to come, in a file of the
    # home folder that others may read.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Whether there is a token it reads when it is imported, once in a process: so what was set stays set.
    if "ray" not in sys.modules and not any(name.startswith("RAY_AUTH_") for name in os.environ):
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
