"""The engine of worker processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import BadInput
from ..records.scores import Scores
from ..runtime import cores
from ..scoring.job import Job
from .base import Engine
from .retries import Failures
from .workers import score_in_workers


@dataclass
class Local(Engine):
    """Shards are scored by worker processes on this machine, each with one thread.

    Attributes
    ----------
    workers : int
        The number of processes, at least 1; 0 is one for each core.
    """

    name: str = "local"
    workers: int = 0

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise BadInput(f"engine.workers must be at least 1, or 0 for one a core; found {self.workers}")

    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards in worker processes; a worker that dies is replaced, and its shard is tried again."""
        failures = Failures(len(shards))
        workers = min(self.workers or cores.count(), len(shards))
        score_in_workers(job, shards, keep, workers=workers, failures=failures)
        failures.raise_if_any()
