"""The interface of an engine, which scores shards in this process or in others, with the same result."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..records.scores import Scores
from ..scoring.job import Job


@dataclass
class Engine(ABC):
    """A way of running the scoring of shards, as configured. No figure depends on it."""

    name: str

    # Whether rows in memory are scored directly, in this process.
    is_here: ClassVar[bool] = False

    @abstractmethod
    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards in any order, and hand over the scores of each as soon as they are there.

        Parameters
        ----------
        job : Job
            The rows, the model and the metrics.
        shards : sequence of int
            The numbers of the shards that are still to be scored.
        keep : callable
            Takes a shard's number and its scores; it may be called from several threads.

        Raises
        ------
        BadInput
            If a shard is damaged: the first is named, after all others have been scored.
        Failed
            If a shard could not be scored in several attempts.
        """
