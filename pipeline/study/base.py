"""What every study is given, and what it gives back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.engine.base import Job
from pipeline.errors import BadInput
from pipeline.metric.base import Metric
from pipeline.metric.chosen import MAIN, further_of, known_of, main_metrics
from pipeline.records import LearningCurve, Population, Table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from pipeline.data.base import Data
    from pipeline.engine.base import Engine
    from pipeline.interval.by_metric import ByMetric
    from pipeline.model.base import Classifier, Model
    from pipeline.proxy.base import Proxy
    from pipeline.records import Frame
    from pipeline.sampling.base import Plan, Sampling
    from pipeline.units import Units


# What a row's scores tell, in words.
_SCORED = {"loss": "their losses", "accuracy": "whether each is right"}


@dataclass(frozen=True, eq=False)
class Setting:
    """What a study works on: the population, the classifier, and how batches are drawn and judged.

    Attributes
    ----------
    dataset : Population
        The population of N rows.
    data : Data
        Where it came from; gives the other split.
    model : Model
        The classifier's source, as configured.
    classifier : Classifier
        Gives the logits of a block of rows.
    units : Units
        What is drawn: rows, or groups of them.
    proxy : Proxy
        Guesses how hard each row is, where a design asks for it.
    frame : Frame
        What a design may know of the population beforehand.
    sampling : Sampling
        The design by which units are drawn.
    plan : Plan
        The same, fitted to the population and to `batch_size`.
    interval : ByMetric
        What turns a batch's values into an estimate.
    engine : Engine
        Where all rows are scored.
    seed, batch_size, draws : int
        Draw i takes its generator from ``SeedSequence((seed, batch_size, i))``.
    confidence : float
        Of the intervals, in (0, 1).
    metric : mapping of str to Metric
        What is counted of each row, by name.
    """

    dataset: Population
    data: Data
    model: Model
    classifier: Classifier
    units: Units
    proxy: Proxy
    frame: Frame
    sampling: Sampling
    plan: Plan
    interval: ByMetric
    engine: Engine
    seed: int
    batch_size: int
    draws: int
    confidence: float
    metric: Mapping[str, Metric] = field(default_factory=main_metrics)

    @property
    def is_given(self) -> bool:
        """Whether the data are predictions already, so that evaluating a row takes nothing that is known here."""
        return self.model.name == "given"

    @property
    def further(self) -> dict[str, Metric]:
        """The metrics besides loss and accuracy, by what their figures are called."""
        return further_of(self.metric)

    @property
    def metrics(self) -> tuple[str, ...]:
        """What there are scores of, by what the figures are called: loss and accuracy first."""
        return known_of(self.metric, gives=self.classifier.gives, given=self.classifier.metrics)

    @property
    def missing(self) -> list[str]:
        """Notes on the metrics that were asked for and cannot be had."""
        gone = [metric.name for metric in self.metric.values() if metric.column not in self.metrics]
        if self.classifier.gives == "labels":
            why = "the model gives labels alone"
        else:
            why = f"the rows have only {' and '.join(_SCORED[name] for name in self.classifier.metrics)}"
        return [f"no {name}: {why}" for name in gone]

    def job(self, loss_cap: float | None = None) -> Job:
        """Return the scoring of all rows, as any process can carry it out."""
        return Job(self.data, self.data.split, self.model, loss_cap, self.further)

    def require_simple(self, study: str) -> None:
        """Refuse a design, groups or weights that a study has no estimate for.

        Raises
        ------
        BadInput
            If a batch is not a simple random sample of rows.
        """
        if not self.units.is_simple:
            raise BadInput(
                f"study={study} takes rows one by one and alike; found data.group or data.weight: leave them out"
            )
        if not self.plan.is_simple:
            raise BadInput(
                f"study={study} takes batches whose plain mean is the estimate; found sampling={self.sampling.name}: "
                "choose sampling=with_replacement or without_replacement"
            )


@dataclass(eq=False)
class Result:
    """What a study found, ready to be logged and shown.

    Attributes
    ----------
    metrics : dict of str to float
        One value each; values that are not finite are allowed.
    series : list of (str, float, int)
        Metric name, value, step.
    draws : DataFrame or None
        A row a draw, logged as ``draws.parquet``.
    tables : dict of str to DataFrame
        Further artifacts by file name, ``….parquet`` or ``….csv``.
    figures : dict of str to Figure
        Pictures by name.
    curve : LearningCurve or None
        Of the network, where it was trained here.
    shown : Table or None
        For the terminal.
    further : list of Table
        What does not fit beside it.
    summary : str
        One or two sentences made from the figures: what a person takes home; empty if the table says it all.
    notes : list of str
        How the figures were made, and what to mind when reading them.
    """

    metrics: dict[str, float]
    series: list[tuple[str, float, int]] = field(default_factory=list)
    draws: pd.DataFrame | None = None
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    curve: LearningCurve | None = None
    shown: Table | None = None
    further: list[Table] = field(default_factory=list)
    summary: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Compared:
    """What a study makes of the cells of a sweep.

    Attributes
    ----------
    figures : dict of str to Figure
        Pictures by name, for the parent run.
    shown : list of Table
        For the terminal.
    summary : str
        One or two sentences made from the figures.
    caption : str
        How to read the tables.
    """

    figures: dict[str, Figure]
    shown: list[Table]
    summary: str
    caption: str = ""


@dataclass
class Study(ABC):
    """A question put to the data.

    Attributes
    ----------
    axis : str
        The key over which a sweep's cells make a curve; cells that differ in another swept key are other curves.
    columns : tuple of str
        The metrics that come first in ``cells.csv``, in this order.
    replaced : mapping of str to tuple of str
        Keys of a prepared sweep that another key, given on the command line, takes the place of.
    metrics_used : str
        Of the group ``metric``: ``any``; ``main``, the loss, the accuracy, or both; or ``both`` of them, always.
    """

    name: str

    axis: ClassVar[str] = "batch_size"
    columns: ClassVar[tuple[str, ...]] = ()
    replaced: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    metrics_used: ClassVar[str] = "both"

    @abstractmethod
    def answer(self, setting: Setting) -> Result:
        """Answer the question for one cell.

        Raises
        ------
        BadInput
            If the question cannot be put to this model or these data.
        """

    def check_metrics(self, metrics: Mapping[str, Metric]) -> None:
        """Refuse metrics that the study has no use for, and the lack of one that it cannot do without.

        Raises
        ------
        BadInput
            If there are such.
        """
        names = [metric.name for metric in metrics.values()]
        is_more = not set(names) <= set(MAIN)
        if (self.metrics_used != "any" and is_more) or (self.metrics_used == "both" and set(names) != set(MAIN)):
            may = "the loss and the accuracy" if self.metrics_used == "both" else "the loss, the accuracy or both"
            raise BadInput(
                f"study={self.name} looks at {may}; found metric=[{','.join(names)}]: leave metric out, or choose "
                "study=evaluate"
            )

    def check(self, setting: Setting) -> None:
        """Refuse a setting in which the question cannot be put; a sweep asks this of every cell before it starts.

        Raises
        ------
        BadInput
            If it cannot.
        """

    def content(self, setting: Setting) -> list[str]:
        """Return digests of what shapes the answer besides the population, the classifier and the configuration."""
        return []

    @abstractmethod
    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the finished cells of a sweep.

        Parameters
        ----------
        cells : DataFrame
            A row a cell, by group and `axis`: the axis, ``batch_size, group, population, population_size, draws,
            confidence``, the other swept keys, every metric, ``run_id``.
        read : callable
            The table of that name (``draws.parquet``) of all cells, one below the other, led by the columns of the
            axis and ``group``.
        """

    def is_curve(self, metric: str, cell: pd.Series[Any]) -> bool:
        """Tell whether a cell's value of a metric belongs on the curve over the axis."""
        return True
