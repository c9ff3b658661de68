"""What every study is given, and what it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.records import Dataset, LearningCurve

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from pipeline.interval.by_metric import ByMetric
    from pipeline.model.base import Classifier
    from pipeline.sampling.base import Sampling

T = TypeVar("T")

_KEPT: OrderedDict[str, Any] = OrderedDict()
_MOST_KEPT = 8


def once(key: str, make: Callable[[], T]) -> T:
    """Return what `make` made for `key` earlier in this process, or make it now.

    The cells of a sweep that run in one process share the data set, the network and the population's scores by it;
    the eight things used last are kept.
    """
    if key not in _KEPT:
        _KEPT[key] = make()
    _KEPT.move_to_end(key)
    while len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return _KEPT[key]


@dataclass(frozen=True, eq=False)
class Setting:
    """What a study works on: the population, the classifier, and how batches are drawn and judged.

    Attributes
    ----------
    dataset : Dataset
        The population of N rows.
    classifier : Classifier
        Gives the logits of a block of rows.
    sampling, interval
        The design by which rows are drawn, and what turns a batch's values into an estimate.
    seed, batch_size, draws : int
        Draw i takes its generator from ``SeedSequence((seed, batch_size, i))``.
    confidence : float
        Of the intervals, in (0, 1).
    """

    dataset: Dataset
    classifier: Classifier
    sampling: Sampling
    interval: ByMetric
    seed: int
    batch_size: int
    draws: int
    confidence: float


@dataclass(eq=False)
class Result:
    """What a study found, ready to be logged.

    Attributes
    ----------
    metrics : dict of str to float
        One value each; values that are not finite are allowed.
    series : list of (str, float, int)
        Metric name, value, step.
    draws : DataFrame or None
        A row a draw.
    figures : dict of str to Figure
        Pictures by name.
    curve : LearningCurve or None
        Of the network, where it was trained here.
    notes : list of str
        Sentences for the person who reads the result.
    """

    metrics: dict[str, float]
    series: list[tuple[str, float, int]] = field(default_factory=list)
    draws: pd.DataFrame | None = None
    figures: dict[str, Figure] = field(default_factory=dict)
    curve: LearningCurve | None = None
    notes: list[str] = field(default_factory=list)


@dataclass
class Study(ABC):
    """A question put to the data."""

    name: str

    @abstractmethod
    def answer(self, setting: Setting) -> Result:
        """Answer the question for one cell."""
