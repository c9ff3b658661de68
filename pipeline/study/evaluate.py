"""How far the metrics of one random batch are from the population's, over many batches."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..estimation.draws import drawn_units
from ..estimation.scored_units import ScoredUnits
from ..experiment import Evaluation, Stages
from ..metric.chosen import MAIN
from ..records.batches import Estimate
from ..records.rows import Dataset, IntArray
from ..records.scores import Scores
from ..report import evaluate as tables
from ..report.result import Compared, Result, Table
from ..runtime.timing import in_turn, seconds_taken
from .drawn import drawn_metrics, draws_frame, ends_of_all, population_metrics
from .notes import check_cap, notes_of

if TYPE_CHECKING:
    import pandas as pd

    from ..interval.base import Interval

_SHOWN_DRAWS = 100
# Of the timed calls of one batch, which are logged: most lie between the first and the last.
_CALLS = (0.1, 0.5, 0.9)
_NAMES = (
    "all",
    "all_low",
    "all_high",
    "mean",
    "low",
    "high",
    "se",
    "rmse",
    "bias",
    "half_width",
    "coverage",
    "variance_ratio",
)


@dataclass
class Evaluate(Evaluation):
    """Draw `draws` batches, put an interval around each one's metrics, and hold them against the population.

    Attributes
    ----------
    population : bool
        Score every row once, so that the errors are known. False evaluates only the rows drawn (for a model that is
        expensive to call) as long as these are fewer than the population, and logs no figure that needs the population.
    loss_cap : float or None
        Losses above it count as it, nats; how many is logged as ``loss/capped``. None leaves every loss as it is.
    """

    name: str = "evaluate"
    population: bool = True
    loss_cap: float | None = None

    columns: ClassVar[tuple[str, ...]] = (
        *(f"{metric}/{name}" for metric in MAIN for name in _NAMES),
        *(f"seconds/batch{end}" for end in ("", "_low", "_high")),
        "seconds/all",
        "seconds/batch_share",
    )

    def __post_init__(self) -> None:
        check_cap(self.loss_cap)

    def check(self, stages: Stages) -> None:
        """Refuse an interval that the design has none of, and, where all rows are scored, rows that cannot be."""
        for metric in stages.metrics:
            self._interval(stages, metric).check(stages.plan, stages.experiment.interval.target)
        if not self._is_few(stages):
            stages.refuse_bad_rows(self.loss_cap)

    def drawn(self, stages: Stages) -> IntArray | None:
        """Return the units that the draws hold where only these are evaluated, else None."""
        if not self._is_few(stages):
            return None
        return drawn_units(stages.plan, seed=stages.experiment.seed, draws=stages.experiment.draws)

    def intervals(self, stages: Stages) -> dict[str, Interval]:
        """Return each metric's interval; the loss's knows the cap."""
        return {metric: self._interval(stages, metric) for metric in stages.metrics}

    def result(self, stages: Stages, scored: ScoredUnits, estimates: dict[str, Estimate], seconds: float) -> Result:
        """Compare the draws with the population; docs/reference/metrics.md lists the metrics."""
        asked, scores = stages.experiment, scored.scores
        batch = asked.batch_size
        metrics = drawn_metrics(estimates)
        metrics |= _counts(stages, scores)
        if self.loss_cap is not None and "loss" in scored.metrics:
            metrics["loss/capped"] = float(scores.capped)
        if scored.drawn is None:
            metrics |= {**population_metrics(estimates, scored), "seconds/all": seconds}
            metrics |= ends_of_all(scored, self.intervals(stages), asked.seed, asked.confidence)
        # Predictions were computed before: the time of reading them is not that of inference.
        if not stages.are_predictions:
            metrics |= self._times(stages, seconds, scored.drawn)
        rows, size = [{"batch_size": batch, "confidence": asked.confidence, **metrics}], len(stages.rows)
        shown = tables.tables(rows, f"{stages.rows.name}, {size:,} rows, {asked.draws:,} draws")
        return Result(
            metrics=metrics,
            series=[
                (f"{metric}/draw", float(value), i)
                for metric, estimate in estimates.items()
                for i, value in enumerate(estimate.value[:_SHOWN_DRAWS])
            ],
            draws=draws_frame(estimates),
            curve=stages.classifier.learning_curve,
            answer=tables.answer(rows, size),
            shown=shown[0],
            further=shown[1:],
            notes=[
                tables.caption(rows),
                *notes_of(stages, scores, estimates, loss_cap=self.loss_cap),
            ],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the batch sizes: the funnel, the error, its cost, the coverage."""
        from ..plots import SWEEP_PLOTS

        draws, rows = read("draws.parquet"), cells.to_dict("records")
        plots = {name: draw for name, draw in SWEEP_PLOTS.items() if name != "cost" or tables.is_timed(rows)}
        shown: list[Table] = []
        for group, own in cells.groupby("group", sort=False):
            first = own.iloc[0]
            about = [str(first["population"]), f"{int(first['population_size']):,} rows"]
            # In a sweep over files the group is the file, which the population is named after.
            about += [str(group)] if group and group != first["population"] else []
            shown.extend(tables.tables(own.to_dict("records"), ", ".join(about)))
        return Compared(
            figures={name: draw(cells, draws) for name, draw in plots.items()},
            shown=shown,
            summary=_summary(cells),
            caption=" ".join([tables.caption(rows), *tables.without(rows)]),
            answer=tables.answers(rows),
        )

    def is_curve(self, metric: str, cell: pd.Series[Any]) -> bool:
        """Leave out the ends of intervals of all numbers, and their coverage: holding everything is no success."""
        column, _, name = metric.rpartition("/")
        if name in ("all_low", "all_high"):
            return bool(np.isfinite(cell[metric]))
        return name not in ("low", "high", "coverage") or bool(np.isfinite(cell[f"{column}/half_width"]))

    def _is_few(self, stages: Stages) -> bool:
        """Whether only the rows drawn are evaluated."""
        return not self.population and stages.experiment.draws * stages.experiment.batch_size < stages.units.size

    def _interval(self, stages: Stages, metric: str) -> Interval:
        return stages.experiment.interval.of(stages.metrics[metric], loss_cap=self.loss_cap)

    def _times(self, stages: Stages, seconds: float, drawn: IntArray | None) -> dict[str, float]:
        """Return what a batch takes, and of rows in memory what all take, measured now: a stored time is another's."""
        if drawn is not None:
            return {"seconds/batch": seconds * stages.experiment.batch_size / len(drawn)}
        rows = stages.units.rows_of(stages.plan.batch(stages.experiment.seed, 0).indices)
        batch = lambda: stages.score(rows, loss_cap=self.loss_cap)  # noqa: E731
        is_here = isinstance(stages.rows, Dataset) and stages.experiment.engine.is_here
        both = in_turn(batch, lambda: stages.score(None, loss_cap=self.loss_cap), expected=seconds) if is_here else None
        taken = seconds_taken(batch) if both is None else both.short
        ends = dict(zip(("_low", "", "_high"), np.quantile(taken, _CALLS).tolist(), strict=True))
        times = {f"seconds/batch{end}": seconds for end, seconds in ends.items()}
        if both is not None:
            times["seconds/all"] = statistics.median(both.long)
        if both is not None and both.share is not None:
            times["seconds/batch_share"] = both.share
        return times


def _counts(stages: Stages, scores: Scores) -> dict[str, float]:
    is_known = "accuracy" in stages.metrics and stages.classifier.gives in ("logits", "probabilities")
    return {"accuracy/ties": float(scores.ties)} if is_known else {}


def _summary(cells: pd.DataFrame) -> str:
    """What one batch is off by, at the smallest and at the largest size."""
    known = cells[[tables.is_known(cell) for cell in cells.to_dict("records")]]
    if not len(known):
        return "All rows were not scored, so what a batch is off by is not known."
    group = str(known.iloc[0]["group"])
    own = known[known["group"] == group]
    unit = str(own.iloc[0].get("unit", "row"))
    few, many = own.iloc[own["batch_size"].argmin()], own.iloc[own["batch_size"].argmax()]
    parts = []
    for cell in (few, many) if few["batch_size"] != many["batch_size"] else (many,):
        size = int(cell["batch_size"])
        parts.append(f"of {size:,} {unit if size == 1 else unit + 's'} by {tables.off_by(cell.to_dict())}")
    where = f"With {group}, a" if known["group"].nunique() > 1 else "A"
    return f"{where} batch {', one '.join(parts)}".replace(" by ", " is off by ", 1) + " (root mean square)."
