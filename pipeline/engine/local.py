"""Worker processes on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline import cores
from pipeline.engine.base import Engine, Job
from pipeline.engine.retries import Tries
from pipeline.engine.workers import spread
from pipeline.errors import BadInput
from pipeline.records import Scores


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
        spread(job, shards, keep, workers=min(self.workers or cores.count(), len(shards)), tries=tries)
        tries.raise_if_any()
