"""The sequence: load, sample, evaluate the loss and the accuracy, estimate, log. Read `run` first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from . import accuracy, loss
from .data.base import Data
from .data.slices import slices_of
from .engine.base import Engine
from .errors import BadInput
from .estimation.draws import estimate_draws
from .estimation.scored_units import ScoredUnits
from .interval.base import Interval
from .interval.by_metric import AUTO, ByMetric
from .metric.base import Metric
from .metric.chosen import MAIN, asked_for, further_functions, kept_of, known_of, notes_on_unknown, refuse_unknown
from .metric.columns import described
from .model.base import Classifier, Model, fits
from .model.given import GivenClassifier
from .proxy.base import Proxy
from .proxy.frame import frame_of
from .records.batches import Estimate
from .records.rows import Dataset, IntArray, Population
from .records.scores import Scores
from .records.slices import Slices
from .report.result import Compared, Result
from .runtime.timing import median_seconds
from .sampling.base import Plan, Sampling
from .sampling.frame import Frame
from .sampling.units import Units
from .scoring.block import RowFunction, main_functions
from .scoring.cache import cached_scores
from .scoring.job import Job
from .scoring.rows import score
from .tracking.mlflow import Tracking

if TYPE_CHECKING:
    import pandas as pd


def run(experiment: Experiment, recorder: Recorder) -> Result | None:
    """Carry out an experiment, a line a stage, in the order in which the data flows.

    `recorder` says whether the cell is still to be carried out, and takes the result. Returns None where it is not due:
    it was only checked, or is finished already. Raises BadInput if data, model, batch size and study do not match.
    """
    study = experiment.study
    study.check_metrics(experiment.metric)
    rows = experiment.data.rows(experiment.data.split)
    units = experiment.sampling.units(rows)
    classifier = experiment.classifier_for(rows)
    frame = frame_of(rows, units, classifier, proxy=experiment.proxy, data=experiment.data)
    # Without batches the size has no part in the answer, so that no size is refused.
    plan = experiment.sampling.plan(frame, experiment.batch_size if study.has_batches else frame.size)
    stages = Stages(experiment, rows, classifier, units, frame, plan)
    study.check(stages)
    with described(experiment.metric), recorder.due(stages) as is_due:
        if not is_due:
            return None
        if not isinstance(study, Evaluation):
            result = study.answer(stages)
        else:
            drawn = study.drawn(stages)
            functions = {
                "loss": loss.of_block,
                "accuracy": accuracy.of_block,
                **further_functions(experiment.metric),
            }
            scores, seconds = stages.scores(drawn, functions, loss_cap=study.loss_cap)
            scored = ScoredUnits(scores, units, plan, drawn)
            estimates = estimate_draws(scored, study.intervals(stages), **stages.how_drawn)
            result = study.result(stages, scored, estimates, seconds)
        recorder.log(stages, result)
    return result


@dataclass
class Experiment:
    """One cell, as configured; the defaults stand in ``conf/config.yaml``.

    Attributes
    ----------
    seed : int
        At least 0; the only source of randomness of the draws.
    batch_size : int
        Rows in a batch, at least 1.
    draws : int
        How many independent batches, at least 1.
    confidence : float
        Of the intervals, in (0, 1).
    data, model, proxy, sampling, interval, engine, study, tracking
        The parts.
    metric : dict of str to Metric
        What is counted of each row, by name; none is the loss and the accuracy.
    force : bool
        Whether a sweep's cells are carried out again although they are finished. It changes no result.
    """

    seed: int
    batch_size: int
    draws: int
    confidence: float
    data: Data
    model: Model
    proxy: Proxy
    sampling: Sampling
    interval: ByMetric
    engine: Engine
    study: Study
    tracking: Tracking
    metric: dict[str, Metric] = field(default_factory=dict)
    force: bool = False

    def __post_init__(self) -> None:
        if self.study.takes_unlabelled:
            self.data = self.data.unlabelled()
        elif not getattr(self.data, "labelled", True):
            raise BadInput(f"data.labelled must be true for study={self.study.name}; found false: choose study=label")
        if self.study.takes_proxies and self.proxy.is_control:
            self.data = self.data.labelled_alone()
        elif (found := getattr(self.data, "unlabelled_rows", "refused")) != "refused":
            raise BadInput(
                f"data.unlabelled_rows must be refused, but for study=compare or gate with a proxy; found {found} with "
                f"study={self.study.name} and proxy={self.proxy.name}: leave it out"
            )
        # Only data=predictions has these fields.
        value, unit, better = (getattr(self.data, name, None) for name in ("value", "unit", "better"))
        self.metric = asked_for(self.metric, value=value, unit=unit or "", better=better or "")
        if self.interval.target == AUTO:
            self.interval = replace(self.interval, target=self.study.target)
        if self.data.by is not None and not self.study.takes_slices:
            raise BadInput(
                f"data.by must go with study=all_rows, compare or gate; found study={self.study.name}: leave it out"
            )
        for key, least in (("seed", 0), ("batch_size", 1), ("draws", 1)):
            if getattr(self, key) < least:
                raise BadInput(f"{key} must be a whole number of at least {least}; found {getattr(self, key)}")
        # A confidence that rounds to 1 would need an infinite quantile.
        if not 0 < self.confidence < 1 or (1 + self.confidence) / 2 == 1:
            raise BadInput(f"confidence must be between 0 and 1, such as 0.95; found {self.confidence}")

    def classifier_for(self, rows: Population) -> Classifier:
        """Return the model, built and checked against the rows and the metrics.

        Raises
        ------
        BadInput
            If the model does not take these rows, or does not tell a metric that is asked for.
        """
        classifier = self.model.built(self.data)
        fits(classifier, rows)
        refuse_unknown(self.metric, gives=classifier.gives, given=classifier.metrics, n_classes=rows.n_classes)
        return classifier

    def in_own_words(self) -> AbstractContextManager[None]:
        """Return a context in which reports and plots call the metrics as they are configured."""
        return described(self.metric)

    def prepare(self) -> Stages:
        """Run the stages up to the plan, so that what cannot work is refused; no row is evaluated for a result.

        Raises
        ------
        BadInput
            If data, model, batch size and study do not go together.
        """
        check = _Check()
        run(self, check)
        return check.stages


@dataclass(frozen=True, eq=False)
class Stages:
    """What the first stages made of an experiment; every study works on it.

    Attributes
    ----------
    experiment : Experiment
        What is asked.
    rows : Population
        The population of N rows.
    classifier : Classifier
        Gives the outputs (logits, probabilities, labels or scores) of a block of rows.
    units : Units
        What is drawn: rows, or groups of them.
    frame : Frame
        What a design may know of the population beforehand.
    plan : Plan
        The design, fitted to the population and to the batch size, or to all units where the study has no batches.
    """

    experiment: Experiment
    rows: Population
    classifier: Classifier
    units: Units
    frame: Frame
    plan: Plan

    @property
    def about(self) -> str:
        """The data and the model in a few words, for titles: ``digits test, mlp``."""
        return ", ".join(filter(None, (self.rows.name, self.experiment.model.called)))

    @property
    def are_predictions(self) -> bool:
        """Whether the rows are a model's predictions, so that no classifier is called."""
        return isinstance(self.classifier, GivenClassifier)

    @property
    def metrics(self) -> dict[str, Metric]:
        """The metrics that there are scores of, by column: loss and accuracy first."""
        return known_of(self.experiment.metric, gives=self.classifier.gives, given=self.classifier.metrics)

    @property
    def missing(self) -> list[str]:
        """Notes on the metrics that were asked for and cannot be had."""
        return notes_on_unknown(self.experiment.metric, gives=self.classifier.gives, given=self.classifier.metrics)

    @property
    def slices(self) -> Slices | None:
        """The rows by the values of ``data.by``; None where it is not given.

        Raises
        ------
        BadInput
            If the column makes no slices.
        """
        return slices_of(self.experiment.data, self.rows)

    @property
    def how_drawn(self) -> dict[str, Any]:
        """The arguments of `estimate_draws` that are configured: seed, draws, confidence, target."""
        asked = self.experiment
        return {
            "seed": asked.seed,
            "draws": asked.draws,
            "confidence": asked.confidence,
            "target": asked.interval.target,
        }

    def job(self, functions: Mapping[str, RowFunction] | None = None, *, loss_cap: float | None = None) -> Job:
        """Return the scoring of all rows, as any process can carry it out; by default by every metric asked for."""
        asked = self.experiment
        is_double = any(metric.is_double for metric in self.metrics.values())
        return Job(asked.data, asked.data.split, asked.model, loss_cap, functions or self._functions, is_double)

    def scores(
        self,
        drawn: IntArray | None = None,
        functions: Mapping[str, RowFunction] | None = None,
        *,
        besides: Mapping[str, RowFunction] | None = None,
        loss_cap: float | None = None,
    ) -> tuple[Scores, float]:
        """Evaluate rows, block by block on all cores, or take their scores from the cache.

        Parameters
        ----------
        drawn : ndarray of int, or None
            Which units; None is all rows, whose scores are kept in the cache.
        functions : mapping of str to callable, or None
            What is evaluated of a row, by metric; None is every metric asked for.
        besides : mapping of str to callable, or None
            What else is evaluated of a row and kept, by the name of its column; see `scoring.outputs`.
        loss_cap : float or None
            Losses above it count as it, nats.

        Returns
        -------
        scores : Scores
            By the metrics asked for, and by the names in `besides` that the model's outputs tell.
        seconds : float
            Wall time that evaluating these rows takes; of all rows the median of several times.
        """
        functions = {**(functions or self._functions), **(besides or {})}
        rows = None if drawn is None else self.units.rows_of(drawn)

        def measured() -> tuple[Scores, float]:
            kept: list[Scores] = []
            work = lambda: kept.append(self.score(rows, functions, loss_cap=loss_cap))  # noqa: E731
            # Rows that are drawn are evaluated once: each further time would fetch them from their store again.
            seconds = median_seconds(work) if rows is None else median_seconds(work, at_least=1, at_most=1)
            return kept[0], seconds

        if rows is not None:
            scores, seconds = measured()
        else:
            engine, job = self.experiment.engine, self.job(functions, loss_cap=loss_cap)
            scores, seconds = cached_scores(
                self.classifier, self.rows, run=engine.run, is_here=engine.is_here, job=job, make=measured
            )
        return kept_of(scores, self.experiment.metric, besides or ()), seconds

    def score(
        self,
        rows: IntArray | None,
        functions: Mapping[str, RowFunction] | None = None,
        *,
        loss_cap: float | None = None,
    ) -> Scores:
        """Evaluate rows (None: all) now; nothing is taken from the cache."""
        return score(self.classifier, self.rows, rows, cap=loss_cap, functions=functions or self._functions)

    def refuse_bad_rows(self, loss_cap: float | None = None) -> None:
        """Score rows that are streamed, so that a damaged one is refused before there is a run; the scores are kept.

        Raises
        ------
        BadInput
            If a row has no score.
        """
        # Rows in memory were checked when they were loaded.
        if not isinstance(self.rows, Dataset):
            self.scores(loss_cap=loss_cap)

    def require_simple(self, study: str, *, takes_groups: bool = False) -> None:
        """Refuse a design, groups or weights that a study has no estimate for.

        Parameters
        ----------
        study : str
            Its name.
        takes_groups : bool
            Whether it has one for groups of rows of equal weight.

        Raises
        ------
        BadInput
            If a batch is not a simple random sample of rows.
        """
        if takes_groups and self.units.weights is not None:
            raise BadInput(f"study={study} takes rows that count alike; found data.weight: leave it out")
        if not self.units.is_simple and not (takes_groups and self.rows.groups is not None):
            raise BadInput(
                f"study={study} takes rows one by one and alike; found data.group or data.weight: leave them out"
            )
        if not self.plan.is_simple:
            raise BadInput(
                f"study={study} takes batches whose plain mean is the estimate; found "
                f"sampling={self.experiment.sampling.name}: choose sampling=with_replacement or without_replacement"
            )

    @property
    def _functions(self) -> dict[str, RowFunction]:
        return {**main_functions(), **further_functions(self.experiment.metric)}


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
    target : str
        What its intervals are to cover where ``interval.target`` is ``auto``.
    has_batches : bool
        Whether the answer depends on the batch size, so that the run's name says it and a plan is made for it; else the
        plan is one of all units.
    has_design : bool
        Whether ``sampling`` has a part in the answer, so that the report names it; else no row is drawn by it.
    takes_slices : bool
        Whether it answers for the slices of ``data.by``.
    takes_unlabelled : bool
        Whether rows may be without labels.
    takes_proxies : bool
        Whether rows may be without labels where a proxy is named, which then counts for them.
    keeps_content : bool
        Whether an answer leaves `content` as it was, so that the repetition of a run has the digest of the run.
    told : tuple of str
        Tags of its results that `compare` gets too, as columns of these names; missing where no result has one.
    why_both : str
        Why the study needs the loss and the accuracy, both and no further metric; empty where it takes any metrics.
    """

    name: str

    axis: ClassVar[str] = "batch_size"
    columns: ClassVar[tuple[str, ...]] = ()
    replaced: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    target: ClassVar[str] = "population"
    has_batches: ClassVar[bool] = True
    has_design: ClassVar[bool] = True
    takes_slices: ClassVar[bool] = False
    takes_unlabelled: ClassVar[bool] = False
    takes_proxies: ClassVar[bool] = False
    keeps_content: ClassVar[bool] = True
    told: ClassVar[tuple[str, ...]] = ()
    why_both: ClassVar[str] = ""

    def answer(self, stages: Stages) -> Result:
        """Answer the question for one cell; an `Evaluation` is answered by `run` instead.

        Raises
        ------
        BadInput
            If the question cannot be put to this model or these data.
        """
        raise NotImplementedError

    def check_metrics(self, metrics: Mapping[str, Metric]) -> None:
        """Refuse other metrics than the loss and the accuracy where the study needs these two.

        Raises
        ------
        BadInput
            If there are such.
        """
        names = [metric.name for metric in metrics.values()]
        if self.why_both and set(names) != set(MAIN):
            raise BadInput(
                f"study={self.name} looks at the loss and the accuracy, for {self.why_both}; found "
                f"metric=[{','.join(names)}]: leave {'data.value' if 'value' in names else 'metric'} out, or choose "
                "study=evaluate"
            )

    def check(self, stages: Stages) -> None:
        """Refuse stages in which the question cannot be put; a sweep asks this of every cell before it starts.

        Raises
        ------
        BadInput
            If it cannot.
        """

    def content(self, stages: Stages) -> list[str]:
        """Return digests of what shapes the answer besides the population, the classifier and the configuration."""
        return []

    def repeated(self, folder: Path, experiment: Experiment, recorded: Mapping[str, float]) -> tuple[Study, list[str]]:
        """Return the study as a recorded run of it is repeated: without programs, and writing into a folder alone.

        Parameters
        ----------
        folder : Path
            A temporary one, empty.
        experiment : Experiment
            The recorded one.
        recorded : mapping of str to float
            The run's metrics.

        Returns
        -------
        study, notes
            What is to be carried out, and what is to be said of it.

        Raises
        ------
        BadInput
            If something that it needs is gone.
        """
        return self, []

    def kept_in(self, stages: Stages) -> str | None:
        """Return the folder that the cell goes on from and changes, which no other cell of its sweep may; or None."""
        return None

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


class Evaluation(Study):
    """A study of the loss and the accuracy of random batches, which `run` evaluates and estimates."""

    loss_cap: float | None

    @abstractmethod
    def drawn(self, stages: Stages) -> IntArray | None:
        """Return the units to evaluate, sorted; None is all rows."""

    @abstractmethod
    def intervals(self, stages: Stages) -> dict[str, Interval]:
        """Return the interval of each metric."""

    @abstractmethod
    def result(self, stages: Stages, scored: ScoredUnits, estimates: dict[str, Estimate], seconds: float) -> Result:
        """Return the answer.

        Parameters
        ----------
        stages : Stages
            What was evaluated.
        scored : ScoredUnits
            The scores of all rows, or of those drawn.
        estimates : dict of str to Estimate
            By metric; arrays of shape (draws,).
        seconds : float
            Median wall time that evaluating the scored rows takes.
        """


class Recorder(Protocol):
    """What `run` asks before it evaluates, and gives the result to."""

    def due(self, stages: Stages) -> AbstractContextManager[bool]:
        """Tell whether the cell is to be carried out; what is locked for it stays locked inside the context."""

    def log(self, stages: Stages, result: Result) -> None:
        """Take the result."""


class _Check:
    """Takes the stages before anything is evaluated: a request that is only checked."""

    stages: Stages

    def due(self, stages: Stages) -> AbstractContextManager[bool]:
        self.stages = stages
        return nullcontext(False)

    def log(self, stages: Stages, result: Result) -> None:
        raise NotImplementedError
