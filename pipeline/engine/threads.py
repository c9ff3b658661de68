"""The engine of threads in this process, one for each core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..records.scores import Scores
from ..runtime.cores import on_all_cores
from ..scoring.job import Job
from .base import Engine
from .retries import Failures, attempt


@dataclass
class Threads(Engine):
    """Shards are scored by threads of this process, one for each core."""

    name: str = "threads"

    is_here: ClassVar[bool] = True

    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards on all cores."""
        failures = Failures(len(shards))
        # Loaded before the threads start, because each of them would load it otherwise.
        job.load()

        def work(shard: int) -> None:
            outcome = attempt(job, shard)
            if isinstance(outcome, Exception):
                failures.failed(shard, outcome)
            else:
                keep(shard, outcome)

        on_all_cores(work, shards)
        failures.raise_if_any()
