"""All rows, evaluated once: how good the model is, how sure that is, where it is wrong, how many more rows it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ..errors import BadInput
from ..estimation.sample_size import normal_size
from ..estimation.scored_units import ScoredUnits
from ..experiment import Stages, Study
from ..interval.base import Interval
from ..interval.loss.t import T
from ..metric.chosen import MAIN
from ..records.batches import Estimate
from ..records.rows import IntArray
from ..records.scores import Scores
from ..records.stored import is_large
from ..report import all_rows as tables
from ..report import whole_batch as whole_words
from ..report.result import Compared, Result
from ..report.words import counted
from ..sampling.units import units_of
from ..sampling.with_replacement import IndependentPlan
from ..sampling.without_replacement import SimplePlan
from ..scoring.outputs import CONFIDENCE, SAID
from . import slices as by_slices
from .notes import check_cap, notes_of
from .row_results import class_numbers, hardest, row_frame
from .whole import estimates_of_all
from .whole_batch import whole_batch

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_NAMES = ("all", "all_low", "all_high", "more")


@dataclass
class AllRows(Study):
    """Evaluate every row once, and take the rows as a random sample of the world that the model is for.

    Attributes
    ----------
    loss_within, accuracy_within : float
        How far the interval should reach to each side, nats and a share, above 0: the study says how many more rows
        that takes.
    worst : int
        How many of the rows with the largest losses are shown, at least 0.
    rows_out : bool
        Whether ``rows.parquet`` is logged: a row each, with its id, label, predicted class, loss and correctness.
    loss_cap : float or None
        Losses above it count as it, nats. None leaves every loss as it is.
    """

    name: str = "all_rows"
    loss_within: float = 0.02
    accuracy_within: float = 0.01
    worst: int = 10
    rows_out: bool = False
    loss_cap: float | None = None

    has_batches: ClassVar[bool] = False
    has_design: ClassVar[bool] = False
    takes_slices: ClassVar[bool] = True
    columns: ClassVar[tuple[str, ...]] = (*(f"{metric}/{name}" for metric in MAIN for name in _NAMES), "rows")

    def __post_init__(self) -> None:
        check_cap(self.loss_cap)
        for key in ("loss_within", "accuracy_within"):
            if not getattr(self, key) > 0:
                raise BadInput(f"study.{key} must be above 0; found {getattr(self, key)}")
        if self.worst < 0:
            raise BadInput(f"study.worst must be a number of rows, 0 or more; found {self.worst}")

    def check(self, stages: Stages) -> None:
        """Refuse rows that have no scores before there is a run."""
        # A column that makes no slices is refused here too.
        _ = stages.slices
        stages.refuse_bad_rows(self.loss_cap)

    def answer(self, stages: Stages) -> Result:
        """Score all rows; put intervals around all of them and around those of each class; list the hardest."""
        scores, seconds = stages.scores(besides=SAID, loss_cap=self.loss_cap)
        rows, asked, size = stages.rows, stages.experiment, stages.units.size
        scored = ScoredUnits(scores, stages.units, SimplePlan(size, size))
        estimates = self._estimates(stages, scored)
        metrics = {**self._metrics(scored, estimates, asked.confidence), **_calibration(scored, asked.confidence)}
        together = whole_batch(stages, scores)
        metrics |= {"rows": float(len(rows)), "seconds/all": seconds, **together.metrics}
        if self.loss_cap is not None and "loss" in scores.metrics:
            metrics["loss/capped"] = float(scores.capped)
        slices = by_slices.valued(stages, scores, lambda own: self._of_slice(stages, scores, own))
        classes = self._by_class(stages, scores) if slices is None else None
        worst = row_frame(stages, scores, hardest(scores, self.worst))
        shown = tables.tables(metrics, classes, worst, about=f"{rows.name}, {counted(len(rows), 'row')}")
        result = Result(
            metrics=metrics,
            tables={
                **({} if classes is None else {"by_class.csv": classes}),
                **({"rows.parquet": row_frame(stages, scores)} if self.rows_out else {}),
            },
            figures=_figures(classes, metrics, stages),
            curve=stages.classifier.learning_curve,
            answer=tables.answer(metrics, asked.confidence, len(rows)),
            shown=shown[0],
            further=[*whole_words.tables(together.shown, rows.name), *shown[1:]],
            summary=tables.summary(metrics, self._within, unit="row" if stages.units.starts is None else "group"),
            notes=[
                *notes_of(stages, scores, estimates, loss_cap=self.loss_cap),
                *whole_words.notes(together.shown, together.without, asked.confidence),
            ],
        )
        significance = round(1 - asked.confidence, 12)
        return by_slices.with_slices(
            result, slices, stages, _whole(metrics), significance=significance, is_difference=False
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """List models or data one below the other."""
        return Compared({}, [tables.side_by_side(cells)], "", tables.caption(float(cells["confidence"].iloc[0])))

    @property
    def _within(self) -> dict[str, float]:
        return {"loss": self.loss_within, "accuracy": self.accuracy_within}

    def _estimates(self, stages: Stages, scored: ScoredUnits) -> dict[str, Estimate]:
        asked = stages.experiment
        known = {name: metric for name, metric in stages.metrics.items() if name in scored.metrics}
        intervals: dict[str, Interval] = {
            name: asked.interval.of(metric, loss_cap=self.loss_cap) for name, metric in known.items()
        }
        columns = Scores.of({name: scored.scores.columns[name] for name in known})
        if is_large(scored.scores):
            columns = scored.scores
        whole = ScoredUnits(columns, scored.units, scored.plan)
        return estimates_of_all(whole, intervals, seed=asked.seed, confidence=asked.confidence)

    def _metrics(self, scored: ScoredUnits, estimates: dict[str, Estimate], confidence: float) -> dict[str, float]:
        found, size = {}, scored.units.size
        for name in (metric for metric in scored.metrics if metric not in SAID):
            found[f"{name}/all"] = scored.mean(name)
            if name in estimates:
                found[f"{name}/all_low"] = float(estimates[name].low[0])
                found[f"{name}/all_high"] = float(estimates[name].high[0])
            # One unit does not tell how the others vary.
            if name in self._within and size > 1:
                variance = scored.error_variance(name, IndependentPlan(size, 1))
                needed = normal_size(variance, tolerance=self._within[name], confidence=confidence)
                # Of infinite losses the variance is not known.
                found[f"{name}/more"] = math.inf if math.isnan(needed) else max(0.0, needed - size)
                half = (found.get(f"{name}/all_high", math.nan) - found.get(f"{name}/all_low", math.nan)) / 2
                if found[f"{name}/more"] == 0 and half > self._within[name]:
                    # Rows that are all alike have no variance; their interval still knows that others may come.
                    found[f"{name}/more"] = size * ((half / self._within[name]) ** 2 - 1)
        return found

    def _by_class(self, stages: Stages, scores: Scores) -> pd.DataFrame | None:
        """Return each class's rows, values and intervals; None where there are no classes, or too many rows."""
        import pandas as pd

        labels = None if is_large(scores) else stages.rows.labels
        if labels is None or not stages.rows.n_classes:
            return None
        classes, names, found = class_numbers(labels), stages.rows.class_names, []
        order = np.argsort(classes, kind="stable")
        ends = np.searchsorted(classes[order], np.arange(stages.rows.n_classes + 1))
        for k in range(stages.rows.n_classes):
            own = order[ends[k] : ends[k + 1]]
            if len(own):
                found.append({"class": k if names is None else names[k], **self._of_slice(stages, scores, own)})
        return pd.DataFrame(found)

    def _of_slice(self, stages: Stages, scores: Scores, rows: IntArray) -> dict[str, float]:
        units = units_of(stages.rows, rows)
        scored = ScoredUnits(scores.take(rows), units, SimplePlan(units.size, units.size))
        found = {"rows": float(len(rows))}
        estimates = self._estimates(stages, scored)
        for name in (metric for metric in scored.metrics if metric not in SAID):
            found[name] = scored.mean(name)
            if name in estimates:
                found[f"{name}_low"], found[f"{name}_high"] = (
                    float(end[0]) for end in (estimates[name].low, estimates[name].high)
                )
        return found


def _calibration(scored: ScoredUnits, confidence: float) -> dict[str, float]:
    """Return how sure the model is on average, and by how much that is above its accuracy, with Student's interval."""
    scores = scored.scores
    if CONFIDENCE not in scores.metrics or "accuracy" not in scores.metrics or is_large(scores):
        return {}
    gap = scores.values(CONFIDENCE) - scores.values("accuracy")
    apart = ScoredUnits(Scores.of({"gap": gap}), scored.units, scored.plan)
    estimate = estimates_of_all(apart, {"gap": T()}, seed=0, confidence=confidence)["gap"]
    ends = {"gap": estimate.value, "gap_low": estimate.low, "gap_high": estimate.high}
    found = {f"{CONFIDENCE}/{name}": float(values[0]) for name, values in ends.items()}
    return {f"{CONFIDENCE}/all": scored.mean(CONFIDENCE), **found}


def _figures(classes: pd.DataFrame | None, metrics: dict[str, float], stages: Stages) -> dict[str, Figure]:
    from ..plots import by_slice

    has_interval = classes is not None and any(str(name).endswith("_low") for name in classes)
    if classes is None or len(classes) < 2 or not has_interval:
        return {}
    return {"by_class": by_slice.draw(classes, _whole(metrics), stages.about, stages.experiment.confidence)}


def _whole(metrics: dict[str, float]) -> dict[str, float]:
    """Return the values of all rows by metric."""
    return {name.removesuffix("/all"): value for name, value in metrics.items() if name.endswith("/all")}
