"""What every engine is: the scoring of shards, here or elsewhere, each the same wherever it is done."""

from __future__ import annotations

import platform
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

from pipeline.data.base import Data
from pipeline.errors import BadInput
from pipeline.judge import Judge
from pipeline.kept import once
from pipeline.metric.base import Metric
from pipeline.model.base import Classifier, Model
from pipeline.records import Dataset, Population, Scores
from pipeline.scoring import score_shard

# To look at a folder's files again for each shard would cost files times shards; a file that is read looks itself.
_LOADED: WeakKeyDictionary[Job, tuple[Population, Judge]] = WeakKeyDictionary()


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
    is_double : bool
        Whether values of rows that are on disk are wanted as float64: what is taken from one another must be.
    digests : (str, str) or None
        Of the rows and of the classifier that are meant; whoever finds others under the same names must not score them.
    """

    data: Data
    split: str
    model: Model
    cap: float | None
    further: Mapping[str, Metric]
    is_double: bool = False
    digests: tuple[str, str] | None = None

    def load(self) -> tuple[Population, Judge]:
        """Load the rows, or get ready to read them, and build the model; once in a process.

        Raises
        ------
        BadInput
            If they cannot be had, or are not those that are meant.
        """
        if self not in _LOADED:
            _LOADED[self] = self._load()
        return _LOADED[self]

    def _load(self) -> tuple[Population, Judge]:
        population = self.data.rows(self.split)
        classifier = self.model.built(self.data)
        if self.digests not in (None, (population.digest, classifier.digest)):
            other = "rows" if self.digests is not None and population.digest != self.digests[0] else "a model"
            raise BadInput(
                f"every worker must find the rows and the model that were asked about; found other {other} on "
                f"{platform.node()}: let all machines see the same files"
            )
        return population, self.judge(classifier, population)

    def score(self, shard: int) -> Scores:
        """Score a shard.

        Returns
        -------
        Scores
            As they are kept: values of rows that are on disk as float32, unless float64 is asked for.

        Raises
        ------
        BadInput
            If the shard is damaged, or its rows have no scores.
        """
        population, judge = self.load()
        # What goes from process to process is then what goes to the disk: 5 bytes a row.
        return score_shard(judge, population, shard, is_single=not (self.is_double or isinstance(population, Dataset)))

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
