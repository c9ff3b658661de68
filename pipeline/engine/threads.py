"""In this process, a thread a core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.cores import on_all_cores
from pipeline.engine.base import Engine, Job
from pipeline.engine.retries import Tries, attempt
from pipeline.records import Scores


@dataclass
class Threads(Engine):
    """Shards are scored by the threads of this process, one a core."""

    name: str = "threads"

    is_here: ClassVar[bool] = True

    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards on all cores."""
        tries = Tries(len(shards))
        # Before the threads, for each of them would load it.
        job.load()

        def work(shard: int) -> None:
            outcome = attempt(job, shard)
            if isinstance(outcome, Exception):
                tries.failed(shard, outcome)
            else:
                keep(shard, outcome)

        on_all_cores(work, shards)
        tries.raise_if_any()
