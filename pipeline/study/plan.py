"""How many examples are enough, for every design: from the population's scores, or from a pilot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import BadInput
from ..estimation.draws import draw_batches
from ..estimation.sample_size import normal_size, smallest_batch
from ..estimation.scored_units import ScoredUnits
from ..experiment import Stages, Study
from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..records.rows import Dataset
from ..report import plan as tables
from ..report.result import Compared, Result
from ..sampling.with_replacement import IndependentPlan
from ..sampling.without_replacement import SimplePlan
from .planning.basis import Basis, from_all, from_pilot, is_simple_random, pilot_of
from .planning.planned_design import Planned, curves_of, seconds_of_pass, why_left_out
from .planning.variants import Variant, Watched, is_told_by_sample, variants

if TYPE_CHECKING:
    import pandas as pd

LEAST_PILOT = 30
# Units that the check may draw in all.
_MOST_DRAWN = 300_000_000


@dataclass
class PlanStudy(Study):
    """Find the fewest rows with which loss and accuracy are within a tolerance of the population's, design by design.

    Attributes
    ----------
    loss_within : float
        ±, above 0: nats for the loss; any other metric that is no share takes it in its own unit.
    accuracy_within : float
        ±, a fraction above 0: for the accuracy and any other share.
    pilot : int or None
        Rows of a simple random sample without replacement (draw 0 of that batch size) that alone are scored; None is
        all rows of the population.
    assurance : float
        With a pilot: the share of pilots whose plan should be enough, in (0, 1).
    check_draws : int
        Batches drawn at the planned sizes, to see how many are within; 0 is none. Only where all rows are scored.
    """

    name: str = "plan"
    loss_within: float = 0.02
    accuracy_within: float = 0.01
    pilot: int | None = None
    assurance: float = 0.8
    check_draws: int = 2000

    axis: ClassVar[str] = "study.loss_within"
    has_batches: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        *(f"{metric}/{name}" for metric in MAIN for name in ("n", "within")),
        "rows/n",
        "seconds/n",
        "seconds/all",
    )

    def __post_init__(self) -> None:
        for key in ("loss_within", "accuracy_within"):
            within = getattr(self, key)
            if not (within > 0 and math.isfinite(within)):
                raise BadInput(f"study.{key} must be above 0 and finite, such as 0.01; found {within}")
        if not 0 < self.assurance < 1:
            raise BadInput(f"study.assurance must be between 0 and 1, such as 0.8; found {self.assurance}")
        if self.pilot is not None and self.pilot < LEAST_PILOT:
            raise BadInput(
                f"study.pilot must be at least {LEAST_PILOT} rows, for fewer say next to nothing of the spread; found "
                f"{self.pilot}: choose more, or null for all rows"
            )
        if self.check_draws < 0:
            raise BadInput(f"study.check_draws must be a whole number of at least 0; found {self.check_draws}")

    def check(self, stages: Stages) -> None:
        """Refuse what cannot be planned for."""
        if stages.experiment.interval.target != "population":
            raise BadInput(
                "study=plan must be for the value of the population itself; found "
                f"interval.target={stages.experiment.interval.target}: choose interval.target=population"
            )
        is_streamed = not isinstance(stages.rows, Dataset)
        if is_streamed and not is_simple_random(stages.plan):
            raise BadInput(
                "study=plan must be of a simple design where rows are streamed from disk; found "
                f"sampling={stages.experiment.sampling.name}: choose sampling=without_replacement, or raise data.memory"
            )
        if self.pilot is not None:
            self._check_pilot(stages, self.pilot)
        if is_streamed:
            # Here, so that a row that is none is found before a run exists.
            stages.scores() if self.pilot is None else pilot_of(stages, self.pilot)

    def _check_pilot(self, stages: Stages, pilot: int) -> None:
        if not stages.units.is_simple:
            raise BadInput(
                "study.pilot must be of rows that count alike; found data.group or data.weight: choose study.pilot=null"
            )
        if pilot > stages.units.size:
            raise BadInput(f"study.pilot must be at most the population's {stages.units.size:,} rows; found {pilot:,}")
        if not is_told_by_sample(stages.experiment.sampling, stages.plan):
            raise BadInput(
                "study.pilot must go with a design whose error a random sample tells, not one by order or with unequal "
                f"chances; found sampling={stages.experiment.sampling.name}: choose study.pilot=null or another design"
            )

    def answer(self, stages: Stages) -> Result:
        """Plan for every design, and check the configured one's plan by drawing."""
        basis = from_all(stages) if self.pilot is None else from_pilot(stages, self.pilot, self.assurance)
        question = self._question(stages, basis)
        plans, left_out = self.plans(stages, basis)
        own = next(plan for plan in plans if plan.variant.is_configured)
        metrics = {
            **{f"{metric}/n": n for metric, n in own.n.items()},
            "rows/n": own.both,
            "seconds/n": own.seconds,
            "seconds/all": basis.seconds_a_row * stages.units.n_rows,
        }
        notes = tables.notes(question, self.assurance, designs={plan.variant.sampling.name for plan in plans})
        if self.pilot is None and self.check_draws:
            checked, said = self._checked(stages, basis, own)
            metrics |= checked
            notes += said
        rows = [plan.row() for plan in plans]
        shown = tables.tables(rows, question, seconds=metrics["seconds/all"])
        curves = curves_of(plans, basis, stages.experiment.confidence)
        return Result(
            metrics={name: value for name, value in metrics.items() if not math.isnan(value)},
            tables={"plan.csv": _frame(rows), "plan_curves.csv": _frame(curves)},
            figures=_figures(curves, rows, question, stages.about),
            shown=shown[0],
            further=shown[1:],
            summary=tables.summary(rows, question),
            notes=[*basis.notes, *notes, *tables.class_notes(rows), *left_out, *stages.missing],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Put the cells' plans in one table."""
        return Compared({}, tables.sweep(cells), tables.sweep_summary(cells), tables.SWEEP_CAPTION)

    def _within(self, metric: Metric) -> float:
        """The tolerance of a metric, in its own unit."""
        return self.accuracy_within if metric.is_share else self.loss_within

    def _question(self, stages: Stages, basis: Basis) -> tables.Question:
        return tables.Question(
            population=stages.rows.name,
            size=stages.units.size,
            unit="row" if stages.units.starts is None else stages.units.called.partition(" ")[0].removesuffix("s"),
            within={metric: self._within(stages.metrics[metric]) for metric in basis.metrics},
            confidence=stages.experiment.confidence,
            pilot=self.pilot,
            work=_work(stages),
        )

    def plans(self, stages: Stages, basis: Basis) -> tuple[list[Planned], list[str]]:
        """Every design's plan, and why some have none."""
        plans: list[Planned] = []
        left_out: dict[str, list[str]] = {}
        passes: dict[str, float] = {}
        found = variants(stages)
        if stages.experiment.sampling.has_own_units:
            # Asked for by their overrides, the others would draw rows, and count these.
            found = [variant for variant in found if variant.is_configured]
        for variant in found:
            watch = Watched(variant.frame, basis.scored.scores, stages.units)
            if why := why_left_out(variant, watch, basis, stages):
                left_out.setdefault(why, []).append(variant.words)
                continue
            n = {
                metric: self._smallest(variant, watch, basis, stages.metrics[metric], stages.experiment.confidence)
                for metric in basis.metrics
            }
            if watch.is_asked and variant.proxy.name not in passes:
                passes[variant.proxy.name] = math.nan if stages.are_predictions else seconds_of_pass(variant, stages)
            pass_seconds = passes[variant.proxy.name] if watch.is_asked else 0.0
            plans.append(Planned(variant, watch, n, stages.units, basis.seconds_a_row, pass_seconds))
        return plans, [f"left out ({'; '.join(words)}): {why}" for why, words in left_out.items()]

    def _smallest(self, variant: Variant, watch: Watched, basis: Basis, metric: Metric, confidence: float) -> float:
        name, tolerance = metric.column, self._within(metric)
        simple = basis.variance[name]
        if not math.isfinite(simple):
            return simple
        plan = variant.sampling.plan(watch.frame, watch.frame.size)
        if plan.is_simple and isinstance(plan, SimplePlan):
            return normal_size(simple, tolerance=tolerance, confidence=confidence, population_size=plan.size)
        if plan.is_simple and isinstance(plan, IndependentPlan):
            return normal_size(simple, tolerance=tolerance, confidence=confidence)
        if math.isnan(basis.allowance[name]):
            return math.nan
        return smallest_batch(
            variant.sampling,
            watch.frame,
            lambda p: basis.error_variance(p, name),
            tolerance=tolerance,
            confidence=confidence,
        )

    def _checked(self, stages: Stages, basis: Basis, own: Planned) -> tuple[dict[str, float], list[str]]:
        """The share of batches at the planned size that are within the tolerance."""
        metrics, notes = {}, []
        for metric, n in own.n.items():
            draws = min(self.check_draws, int(_MOST_DRAWN // n))
            if not draws:
                continue
            scored = ScoredUnits(
                basis.scored.scores, stages.units, stages.experiment.sampling.plan(own.watch.frame, int(n))
            )
            error = draw_batches(scored, seed=stages.experiment.seed, draws=draws)[metric].mean - scored.mean(metric)
            # An accuracy may be off by the tolerance exactly, which rounding must not count as a miss.
            tolerance = self._within(stages.metrics[metric])
            within = int(np.count_nonzero(np.abs(error) <= tolerance * (1 + 1e-9)))
            metrics[f"{metric}/within"] = within / draws
            notes.append(tables.checked(metric, int(n), within, draws, self._question(stages, basis)))
        return metrics, notes


def _work(stages: Stages) -> tables.Work:
    """What is done to the rows that are drawn."""
    if not stages.are_predictions:
        return "evaluate"
    if any(metric.is_alone for metric in stages.metrics.values()):
        return "measure"
    return "score" if stages.classifier.gives == "scores" else "label"


def _figures(
    curves: list[dict[str, Any]], rows: list[dict[str, Any]], question: tables.Question, about: str
) -> dict[str, Any]:
    from ..plots import plan

    if not curves:
        return {}
    figure = plan.draw(
        _frame(curves),
        _frame(rows),
        within=question.within,
        about=about,
        size=question.size,
        unit=question.unit,
        pilot=question.pilot,
    )
    return {"plan": figure}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
