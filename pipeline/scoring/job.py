"""A task for an engine: shards of a population, or rows of it, to be scored."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from ..data.base import Data
from ..errors import BadInput
from ..model.base import Classifier, Model
from ..records.rows import Dataset, Population
from ..records.scores import Scores
from ..runtime.memo import once
from .block import BlockScorer, RowFunction, main_functions
from .rows import score_shard

# To look at a folder's files again for each shard would cost files times shards; a file that is read looks itself.
_LOADED: WeakKeyDictionary[Job, tuple[Population, BlockScorer]] = WeakKeyDictionary()


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
    functions : mapping of str to callable
        What is evaluated of a row, by metric.
    is_double : bool
        Whether values of rows on disk are kept as float64, which differences of two models need; else as float32.
    digests : (str, str) or None
        Expected digests of the rows and of the classifier; a worker that finds others under these names refuses.
    """

    data: Data
    split: str
    model: Model
    cap: float | None
    functions: Mapping[str, RowFunction] = field(default_factory=main_functions)
    is_double: bool = False
    digests: tuple[str, str] | None = None

    @property
    def evaluated(self) -> list[str]:
        """The functions in words that are the same in every process: a part of the key of the cache."""
        # A metric's method is known by its name and the metric's fields, a plain function by its name.
        of = {metric: getattr(function, "__self__", None) for metric, function in self.functions.items()}
        return sorted(f"{metric} {self.functions[metric].__qualname__} {part!r}" for metric, part in of.items())

    def load(self) -> tuple[Population, BlockScorer]:
        """Load the rows, or get ready to read them, and build the model; once in a process.

        Raises
        ------
        BadInput
            If they cannot be had, or are not those that are meant.
        """
        if self not in _LOADED:
            _LOADED[self] = self._load()
        return _LOADED[self]

    def _load(self) -> tuple[Population, BlockScorer]:
        population = self.data.rows(self.split)
        classifier = self.model.built(self.data)
        if self.digests not in (None, (population.digest, classifier.digest)):
            other = "rows" if self.digests is not None and population.digest != self.digests[0] else "a model"
            raise BadInput(
                f"every worker must find the rows and the model that were asked about; found other {other} on "
                f"{platform.node()}: let all machines see the same files"
            )
        return population, self.scorer(classifier, population)

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
        population, scorer = self.load()
        # What goes from process to process is then what goes to the disk: 5 bytes a row.
        return score_shard(scorer, population, shard, is_single=not (self.is_double or isinstance(population, Dataset)))

    def scorer(self, classifier: Classifier, population: Population) -> BlockScorer:
        """Return what scores blocks of rows."""
        key = f"scorer {classifier.digest} {population.scale} {self.cap} {self.evaluated}"
        return once(key, lambda: BlockScorer(classifier, population.scale, self.cap, self.functions))
