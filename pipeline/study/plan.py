"""How many examples are enough, for every design: from the population's scores, or from a pilot."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pipeline.draws import METRICS, Scored, draw_batches
from pipeline.enough import normal_size, smallest_batch
from pipeline.errors import BadInput
from pipeline.records import Dataset
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.study.basis import Basis, from_all, from_pilot, is_simple_random, pilot_of
from pipeline.study.evaluate import population_scores
from pipeline.study.pairing import are_predictions
from pipeline.study.planned import Planned, curves_of, seconds_of_pass, why_left_out
from pipeline.study.variants import Variant, Watched, is_told_by_sample, variants
from pipeline.tables import plan as tables

if TYPE_CHECKING:
    import pandas as pd

LEAST_PILOT = 30
# Units that the check may draw in all.
_MOST_DRAWN = 300_000_000


@dataclass
class Plan(Study):
    """Find the fewest rows with which loss and accuracy are within a tolerance of the population's, design by design.

    Attributes
    ----------
    loss_within : float
        ±, nats, above 0.
    accuracy_within : float
        ±, a fraction above 0.
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
    columns: ClassVar[tuple[str, ...]] = (
        *(f"{metric}/{name}" for metric in METRICS for name in ("n", "within")),
        "rows/n",
        "seconds/n",
        "seconds/all",
    )
    metrics_used: ClassVar[str] = "main"

    def __post_init__(self) -> None:
        for metric in METRICS:
            within = self._within(metric)
            if not (within > 0 and math.isfinite(within)):
                raise BadInput(f"study.{metric}_within must be above 0 and finite, such as 0.01; found {within}")
        if not 0 < self.assurance < 1:
            raise BadInput(f"study.assurance must be between 0 and 1, such as 0.8; found {self.assurance}")
        if self.pilot is not None and self.pilot < LEAST_PILOT:
            raise BadInput(
                f"study.pilot must be at least {LEAST_PILOT} rows, for fewer say next to nothing of the spread; found "
                f"{self.pilot}: choose more, or null for all rows"
            )
        if self.check_draws < 0:
            raise BadInput(f"study.check_draws must be a whole number of at least 0; found {self.check_draws}")

    def check(self, setting: Setting) -> None:
        """Refuse what cannot be planned for."""
        if setting.interval.target != "population":
            raise BadInput(
                "study=plan must be for the value of the population itself; found "
                f"interval.target={setting.interval.target}: choose interval.target=population"
            )
        is_streamed = not isinstance(setting.dataset, Dataset)
        if is_streamed and not is_simple_random(setting.plan):
            raise BadInput(
                "study=plan must be of a simple design where rows are streamed from disk; found "
                f"sampling={setting.sampling.name}: choose sampling=without_replacement, or raise data.memory"
            )
        if self.pilot is not None:
            self._check_pilot(setting, self.pilot)
        if is_streamed:
            # Here, so that a row that is none is found before a run exists.
            population_scores(setting) if self.pilot is None else pilot_of(setting, self.pilot)

    def _check_pilot(self, setting: Setting, pilot: int) -> None:
        if not setting.units.is_simple:
            raise BadInput(
                "study.pilot must be of rows that count alike; found data.group or data.weight: choose study.pilot=null"
            )
        if pilot > setting.units.size:
            raise BadInput(f"study.pilot must be at most the population's {setting.units.size:,} rows; found {pilot:,}")
        if not is_told_by_sample(setting.sampling, setting.plan):
            raise BadInput(
                "study.pilot must go with a design whose error a random sample tells, not one by order or with unequal "
                f"chances; found sampling={setting.sampling.name}: choose study.pilot=null or another design"
            )

    def answer(self, setting: Setting) -> Result:
        """Plan for every design, and check the configured one's plan by drawing."""
        basis = from_all(setting) if self.pilot is None else from_pilot(setting, self.pilot, self.assurance)
        question = self._question(setting, basis)
        plans, left_out = self.plans(setting, basis)
        own = next(plan for plan in plans if plan.variant.is_configured)
        metrics = {
            **{f"{metric}/n": n for metric, n in own.n.items()},
            "rows/n": own.both,
            "seconds/n": own.seconds,
            "seconds/all": basis.seconds_a_row * setting.units.n_rows,
        }
        notes = tables.notes(question, self.assurance, designs={plan.variant.sampling.name for plan in plans})
        if self.pilot is None and self.check_draws:
            checked, said = self._checked(setting, basis, own)
            metrics |= checked
            notes += said
        rows = [plan.row() for plan in plans]
        curves = curves_of(plans, basis, setting.confidence)
        return Result(
            metrics={name: value for name, value in metrics.items() if not math.isnan(value)},
            tables={"plan.csv": _frame(rows), "plan_curves.csv": _frame(curves)},
            figures=_figures(curves, rows, question),
            shown=tables.table(rows, question, seconds=metrics["seconds/all"]),
            summary=tables.summary(rows, question),
            notes=[*basis.notes, *notes, *left_out, *setting.missing],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Put the cells' plans in one table."""
        return Compared({}, tables.sweep(cells), tables.sweep_summary(cells), tables.SWEEP_CAPTION)

    def _within(self, metric: str) -> float:
        return self.loss_within if metric == "loss" else self.accuracy_within

    def _question(self, setting: Setting, basis: Basis) -> tables.Question:
        return tables.Question(
            population=setting.dataset.name,
            size=setting.units.size,
            unit="row" if setting.units.starts is None else setting.units.called.partition(" ")[0].removesuffix("s"),
            within={metric: self._within(metric) for metric in basis.metrics},
            confidence=setting.confidence,
            pilot=self.pilot,
            work=_work(setting),
        )

    def plans(self, setting: Setting, basis: Basis) -> tuple[list[Planned], list[str]]:
        """Every design's plan, and why some have none."""
        plans: list[Planned] = []
        left_out: dict[str, list[str]] = {}
        passes: dict[str, float] = {}
        found = variants(setting)
        if setting.sampling.has_own_units:
            # Asked for by their overrides, the others would draw rows, and count these.
            found = [variant for variant in found if variant.is_configured]
        for variant in found:
            watch = Watched(variant.frame, basis.scored.scores, setting.units)
            if why := why_left_out(variant, watch, basis, setting):
                left_out.setdefault(why, []).append(variant.words)
                continue
            n = {metric: self._smallest(variant, watch, basis, metric, setting.confidence) for metric in basis.metrics}
            if watch.is_asked and variant.proxy.name not in passes:
                passes[variant.proxy.name] = math.nan if are_predictions(setting) else seconds_of_pass(variant, setting)
            pass_seconds = passes[variant.proxy.name] if watch.is_asked else 0.0
            plans.append(Planned(variant, watch, n, setting.units, basis.seconds_a_row, pass_seconds))
        return plans, [f"left out ({'; '.join(words)}): {why}" for why, words in left_out.items()]

    def _smallest(self, variant: Variant, watch: Watched, basis: Basis, metric: str, confidence: float) -> float:
        simple, tolerance = basis.variance[metric], self._within(metric)
        if not math.isfinite(simple):
            return simple
        plan = variant.sampling.plan(watch.frame, watch.frame.size)
        if plan.is_simple and isinstance(plan, SimplePlan):
            return normal_size(simple, tolerance=tolerance, confidence=confidence, population_size=plan.size)
        if plan.is_simple and isinstance(plan, IndependentPlan):
            return normal_size(simple, tolerance=tolerance, confidence=confidence)
        if math.isnan(basis.allowance[metric]):
            return math.nan
        return smallest_batch(
            variant.sampling,
            watch.frame,
            lambda p: basis.error_variance(p, metric),
            tolerance=tolerance,
            confidence=confidence,
        )

    def _checked(self, setting: Setting, basis: Basis, own: Planned) -> tuple[dict[str, float], list[str]]:
        """The share of batches at the planned size that are within the tolerance."""
        metrics, notes = {}, []
        for metric, n in own.n.items():
            draws = min(self.check_draws, int(_MOST_DRAWN // n))
            if not draws:
                continue
            scored = Scored(basis.scored.scores, setting.units, setting.sampling.plan(own.watch.frame, int(n)))
            error = draw_batches(scored, seed=setting.seed, draws=draws)[metric].mean - scored.mean(metric)
            # An accuracy may be off by the tolerance exactly, which rounding must not count as a miss.
            within = int(np.count_nonzero(np.abs(error) <= self._within(metric) * (1 + 1e-9)))
            metrics[f"{metric}/within"] = within / draws
            notes.append(tables.checked(metric, int(n), within, draws, self._question(setting, basis)))
        return metrics, notes


def _work(setting: Setting) -> tables.Work:
    """What is done to the rows that are drawn."""
    if not are_predictions(setting):
        return "evaluate"
    return "score" if setting.classifier.gives == "scores" else "label"


def _figures(curves: list[dict[str, Any]], rows: list[dict[str, Any]], question: tables.Question) -> dict[str, Any]:
    from pipeline.plots import plan

    if not curves:
        return {}
    figure = plan.draw(
        _frame(curves),
        _frame(rows),
        within=question.within,
        population=question.population,
        size=question.size,
        unit=question.unit,
        pilot=question.pilot,
    )
    return {"plan": figure}


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
