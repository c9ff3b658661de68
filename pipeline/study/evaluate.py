"""The main question: how far does one batch's loss and accuracy stray from the population's?"""

from __future__ import annotations

import math
import re
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pipeline.draws import Scored, drawn_units, estimate_draws, misses, variance_ratio
from pipeline.errors import BadInput
from pipeline.metric.base import Metric
from pipeline.metric.chosen import kept_of
from pipeline.records import Dataset, Estimate, IntArray, Scores, Table
from pipeline.scored import scored
from pipeline.scoring import score
from pipeline.stored import n_infinite
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.tables import evaluate as tables

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.interval.base import Interval

_TIMING_BUDGET = 0.05
_SHOWN_DRAWS = 100
_NAMES = ("all", "mean", "se", "rmse", "bias", "half_width", "coverage", "variance_ratio")


@dataclass
class Evaluate(Study):
    """Draw `draws` batches, put an interval around each one's metrics, and hold them against the population.

    Attributes
    ----------
    population : bool
        Score every row once, so that the errors are known. False evaluates only the rows drawn (for a model that is
        dear to call) as long as these are fewer than the population, and logs no figure that needs the population.
    loss_cap : float or None
        Losses above it count as it, nats; how many is logged as ``loss/capped``. None leaves every loss as it is.
    """

    name: str = "evaluate"
    population: bool = True
    loss_cap: float | None = None

    columns: ClassVar[tuple[str, ...]] = (
        *(f"{metric}/{name}" for metric in ("loss", "accuracy") for name in _NAMES),
        "seconds/batch",
        "seconds/all",
    )

    metrics_used: ClassVar[str] = "any"

    def __post_init__(self) -> None:
        if self.loss_cap is not None and not self.loss_cap > 0:
            raise BadInput(f"study.loss_cap must be above 0 nats or null; found {self.loss_cap}")

    def check(self, setting: Setting) -> None:
        """Refuse an interval that the design has none of, and, where all rows are scored, rows that cannot be."""
        for metric in setting.metrics:
            self._interval(setting, metric).check(setting.plan, setting.interval.target)
        if not self._is_few(setting):
            refuse_bad_rows(setting, self.loss_cap)

    def answer(self, setting: Setting) -> Result:
        """Evaluate one cell; the metrics are those that the README names."""
        batch = setting.batch_size
        is_few = self._is_few(setting)
        drawn = drawn_units(setting.plan, seed=setting.seed, draws=setting.draws) if is_few else None
        scores, seconds = self._scores(setting, None if drawn is None else setting.units.rows_of(drawn))
        scored = Scored(scores, setting.units, setting.plan, drawn)
        estimates = estimate_draws(
            scored,
            {metric: self._interval(setting, metric) for metric in scored.metrics},
            seed=setting.seed,
            draws=setting.draws,
            confidence=setting.confidence,
            target=setting.interval.target,
        )
        metrics = _drawn_metrics(estimates)
        metrics |= _counts(setting, scores)
        if self.loss_cap is not None and "loss" in scored.metrics:
            metrics["loss/capped"] = float(scores.capped)
        if drawn is None:
            metrics |= {**_population_metrics(estimates, scored, setting), "seconds/all": seconds}
        # Reading a prediction is not what it took to make it.
        if not setting.is_given:
            a_batch = self._seconds_a_batch(setting) if drawn is None else seconds * batch / len(drawn)
            metrics["seconds/batch"] = a_batch
        rows, size = [{"batch_size": batch, "confidence": setting.confidence, **metrics}], len(setting.dataset)
        shown = tables.tables(rows, f"{setting.dataset.name}, {size:,} rows, {setting.draws:,} draws")
        return Result(
            metrics=metrics,
            series=[
                (f"{metric}/draw", float(value), i)
                for metric, estimate in estimates.items()
                for i, value in enumerate(estimate.value[:_SHOWN_DRAWS])
            ],
            draws=_draws_frame(estimates),
            curve=setting.classifier.learning_curve,
            shown=shown[0],
            further=shown[1:],
            notes=[
                tables.caption(rows),
                *setting.missing,
                *_notes(scores, estimates, setting.further),
                *_units(setting),
                *_empty_classes(setting),
            ],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Compare the batch sizes: the funnel, the error, its cost, the coverage."""
        from pipeline.plots import SWEEP_PLOTS

        draws, rows = read("draws.parquet"), cells.to_dict("records")
        plots = {name: draw for name, draw in SWEEP_PLOTS.items() if name != "cost" or tables.is_timed(rows)}
        shown: list[Table] = []
        for group, own in cells.groupby("group", sort=False):
            first = own.iloc[0]
            about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(group))
            shown.extend(tables.tables(own.to_dict("records"), ", ".join(filter(None, about))))
        return Compared(
            figures={name: draw(cells, draws) for name, draw in plots.items()},
            shown=shown,
            summary=_summary(cells),
            caption=" ".join([tables.caption(rows), *tables.without(rows)]),
        )

    def is_curve(self, metric: str, cell: pd.Series[Any]) -> bool:
        """Leave out coverages of intervals of all numbers: holding everything is no success."""
        return not metric.endswith("/coverage") or bool(np.isfinite(cell[metric.replace("/coverage", "/half_width")]))

    def _is_few(self, setting: Setting) -> bool:
        """Whether only the rows drawn are evaluated."""
        return not self.population and setting.draws * setting.batch_size < setting.units.size

    def _interval(self, setting: Setting, metric: str) -> Interval:
        if metric in setting.further:
            return setting.interval.of_further(setting.further[metric])
        return setting.interval.of(metric).with_cap(self.loss_cap if metric == "loss" else None)

    def _scores(self, setting: Setting, rows: IntArray | None) -> tuple[Scores, float]:
        if rows is None:
            return population_scores(setting, self.loss_cap)
        scores, seconds = _measured_scores(setting, rows, self.loss_cap)
        return kept_of(scores, setting.metric), seconds

    def _seconds_a_batch(self, setting: Setting) -> float:
        rows = setting.units.rows_of(setting.plan.batch(setting.seed, 0).indices)
        return median_seconds(lambda: _score(setting, rows, self.loss_cap))


def population_scores(setting: Setting, loss_cap: float | None = None) -> tuple[Scores, float]:
    """Return the scores of all rows by the metrics asked for, and the seconds that scoring takes; see `scored`."""
    scores, seconds = scored(
        setting.classifier,
        setting.dataset,
        setting.engine,
        setting.job(loss_cap),
        lambda: _measured_scores(setting, None, loss_cap),
    )
    return kept_of(scores, setting.metric), seconds


def refuse_bad_rows(setting: Setting, loss_cap: float | None = None) -> None:
    """Score rows that are streamed, so that a damaged one is refused before there is a run; the scores are kept.

    Raises
    ------
    BadInput
        If a row has no score.
    """
    # Rows in memory were looked at when they were loaded.
    if not isinstance(setting.dataset, Dataset):
        population_scores(setting, loss_cap)


def _measured_scores(setting: Setting, rows: IntArray | None, loss_cap: float | None) -> tuple[Scores, float]:
    kept: list[Scores] = []
    seconds = median_seconds(
        lambda: kept.append(_score(setting, rows, loss_cap)),
        at_least=1 if rows is not None else 3,
    )
    return kept[0], seconds


def _score(setting: Setting, rows: IntArray | None, loss_cap: float | None) -> Scores:
    return score(setting.classifier, setting.dataset, rows, cap=loss_cap, further=setting.further)


def _counts(setting: Setting, scores: Scores) -> dict[str, float]:
    is_known = "accuracy" in setting.metrics and setting.classifier.gives in ("logits", "probabilities")
    return {"accuracy/ties": float(scores.ties)} if is_known else {}


def median_seconds(work: Callable[[], object], *, at_least: int = 3, at_most: int = 25) -> float:
    """Return the median wall time of as many calls as fit in some 50 ms, within bounds; a dear one is called once."""
    taken: list[float] = []
    while len(taken) < at_least or (len(taken) < at_most and sum(taken) < _TIMING_BUDGET):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
        if at_least > 1 and taken[0] > 1.0:
            break  # A dear model is not called again for the sake of a median.
    return statistics.median(taken)


def _drawn_metrics(estimates: dict[str, Estimate]) -> dict[str, float]:
    metrics = {}
    for metric, estimate in estimates.items():
        half_width = (estimate.high - estimate.low) / 2
        metrics[f"{metric}/mean"] = float(estimate.value.mean())
        metrics[f"{metric}/half_width"] = float(half_width.mean())
    return metrics


def _population_metrics(estimates: dict[str, Estimate], scored: Scored, setting: Setting) -> dict[str, float]:
    metrics = {}
    for metric, estimate in estimates.items():
        truth, variance = scored.mean(metric), scored.error_variance(metric)
        with np.errstate(invalid="ignore"):
            error = estimate.value - truth
            above, below = misses(estimate.low, estimate.high, truth)
            metrics[f"{metric}/rmse"] = float(np.sqrt(np.mean(error**2)))
        metrics[f"{metric}/all"] = truth
        metrics[f"{metric}/se"] = math.sqrt(variance)
        metrics[f"{metric}/bias"] = float(error.mean())
        metrics[f"{metric}/coverage"] = float(np.mean(~(above | below)))
        metrics[f"{metric}/variance_ratio"] = variance_ratio(scored, metric)
    return metrics


def _draws_frame(estimates: dict[str, Estimate]) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, object] = {"draw": np.arange(len(next(iter(estimates.values())).value))}
    for metric, estimate in estimates.items():
        columns |= {metric: estimate.value, f"{metric}_low": estimate.low, f"{metric}_high": estimate.high}
    return pd.DataFrame(columns)


def _notes(scores: Scores, estimates: dict[str, Estimate], further: dict[str, Metric]) -> list[str]:
    methods = {metric: estimate.method for metric, estimate in estimates.items()}
    for metric in further:
        # A guaranteed interval, which is told of a metric's bound as if it were a loss's cap.
        methods[metric] = re.sub(r"losses up to (\S+) nats", r"values up to \1", methods[metric])
    notes = [f"{metric}: {method}" for metric, method in methods.items()]
    infinite = n_infinite(scores) if "loss" in scores.metrics else 0
    if infinite:
        notes.append(f"{infinite:,} of {len(scores):,} rows have an infinite loss: probability 0 for the true class")
    if scores.ties:
        notes.append(f"{scores.ties:,} of {len(scores):,} rows tie for the largest logit; the lowest class was taken")
    return notes


def _units(setting: Setting) -> list[str]:
    """Say what a batch size counts where it is not rows, and what the means are of."""
    notes = []
    if setting.units.starts is not None:
        n_rows, size = setting.units.n_rows, setting.units.size
        notes.append(
            f"batch_size counts {setting.units.called}: {size:,} of them, {n_rows / size:.3g} rows each on average"
        )
    if setting.units.weights is not None:
        notes.append(f"means are weighted by {setting.data.weight}")
    return notes


def _empty_classes(setting: Setting) -> list[str]:
    """Name the classes without a row: labels that were counted from 1 leave class 0 empty."""
    # Of rows on disk the labels are not read for a note.
    labels = setting.dataset.labels if isinstance(setting.dataset, Dataset) else None
    if labels is None or labels.ndim == 2 or not setting.dataset.n_classes:
        return []
    (empty,) = np.nonzero(np.bincount(labels, minlength=setting.dataset.n_classes) == 0)
    if not len(empty):
        return []
    named = ", ".join(str(label) for label in empty[:5]) + (" …" if len(empty) > 5 else "")
    return [f"no row has the label {named} of 0 to {setting.dataset.n_classes - 1}; labels count from 0"]


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
