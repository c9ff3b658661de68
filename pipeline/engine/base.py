"""What every engine is: the scoring of shards, here or elsewhere, each the same wherever it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pipeline.data.base import Data
from pipeline.kept import once
from pipeline.metric.base import Metric
from pipeline.model.base import Classifier, Model
from pipeline.records import Population, Scores
from pipeline.scoring import Judge, score_shard


@dataclass(frozen=True, eq=False)
class Job:
    """The scoring of a population, as any process can carry it out; it can be pickled.

    Attributes
    ----------
    data, model : Data, Model
        As configured.
    split : str
        Of the data.
    cap : float or None
        Losses above it count as it, nats.
    further : mapping of str to Metric
        Metrics besides loss and accuracy.
    """

    data: Data
    split: str
    model: Model
    cap: float | None
    further: Mapping[str, Metric]

    def score(self, shard: int) -> Scores:
        """Score a shard; data and model are loaded once in a process.

        Raises
        ------
        BadInput
            If the shard is damaged, or its rows have no scores.
        """
        population = self.data.rows(self.split)
        classifier = once(f"model {self.model!r} {self.data!r}", lambda: self.model.build(self.data))
        return score_shard(self.judge(classifier, population), population, shard)

    def judge(self, classifier: Classifier, population: Population) -> Judge:
        """Return what scores blocks of rows."""
        key = f"judge {classifier.digest} {population.scale} {self.cap} {self.further!r}"
        return once(key, lambda: Judge(classifier, population.scale, self.cap, self.further))


@dataclass
class Engine(ABC):
    """A place where shards are scored, as configured. It shapes no figure."""

    name: str

    # Whether rows that are in memory are scored there and then.
    is_here: ClassVar[bool] = False

    @abstractmethod
    def run(self, job: Job, shards: Sequence[int], keep: Callable[[int, Scores], None]) -> None:
        """Score shards, in any order, and hand each over as soon as it is done.

        Parameters
        ----------
        job : Job
            What is scored.
        shards : sequence of int
            Which of its shards are still missing.
        keep : callable
            Takes a shard's number and its scores; may be called from several threads.

        Raises
        ------
        BadInput
            If a shard is damaged: it is named, and the others are scored all the same.
        Failed
            If a shard could not be scored in several tries.
        """
