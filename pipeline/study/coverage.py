"""Whether the intervals keep their promise: every one of them put around thousands of batches whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy

from ..errors import BadInput
from ..estimation.scored_units import ScoredUnits
from ..experiment import Stages, Study
from ..interval.base import Interval
from ..interval.by_metric import method_words
from ..metric.chosen import main_metrics
from ..metric.columns import in_order
from ..records.scores import Scores
from ..report import coverage as tables
from ..report.result import Compared, Result
from .all_intervals import Ends, Key, configured_name, estimated, intervals_of, judge, members_of
from .notes import cut_note

if TYPE_CHECKING:
    import pandas as pd

_FIGURES = ("coverage", "missed_above", "missed_below", "width", "width_median", "width_ratio", "seconds")


@dataclass
class Coverage(Study):
    """Put every interval there is around each of `draws` batches, and count how often it holds the population's value.

    Attributes
    ----------
    loss_cap : float or None
        Losses above it count as it, nats, and guaranteed intervals are told so. None leaves every loss as it is, and
        tells them ``interval.loss.cap``, or else the population's largest loss, which only a study that has scored all
        rows can know.
    """

    name: str = "coverage"
    loss_cap: float | None = None

    columns: ClassVar[tuple[str, ...]] = tuple(
        f"{metric}/{interval}/{figure}"
        for metric, part in main_metrics().items()
        for interval in members_of(part)
        for figure in _FIGURES
    )

    def __post_init__(self) -> None:
        if self.loss_cap is not None and not self.loss_cap > 0:
            raise BadInput(f"study.loss_cap must be above 0 nats or null; found {self.loss_cap}")

    def check(self, stages: Stages) -> None:
        """Refuse a configured interval that the design has none of, and rows that have no scores."""
        for metric in stages.metrics.values():
            # Any cap will do: the real one comes with the scores.
            interval = stages.experiment.interval.of(metric, loss_cap=self.loss_cap or 1.0)
            interval.check(stages.plan, stages.experiment.interval.target)
        stages.refuse_bad_rows(self.loss_cap)

    def answer(self, stages: Stages) -> Result:
        """Judge every interval at one batch size."""
        scores, _ = stages.scores(loss_cap=self.loss_cap)
        caps = self._caps(scores, stages)
        intervals, notes = intervals_of(stages, caps)
        scored = ScoredUnits(scores, stages.units, stages.plan)
        ends, refused = estimated(scored, intervals, stages)
        frame = _judged(scored, ends, stages)
        about = f"{stages.rows.name}, {stages.experiment.sampling.name}, batches of {stages.experiment.batch_size:,}"
        return Result(
            metrics=_metrics(frame, scored),
            series=[],
            tables={"coverage.csv": frame},
            shown=tables.cell_table(frame, f"{about}, {stages.experiment.draws:,} draws"),
            summary=tables.summary(
                [(str(stages.experiment.batch_size), frame.assign(batch_size=stages.experiment.batch_size))]
            ),
            notes=[
                tables.cell_caption(stages.experiment.confidence, stages.metrics),
                *stages.missing,
                *self._cap_notes(intervals, caps, stages),
                *([cut_note(scores, self.loss_cap)] if self.loss_cap is not None and scores.capped else []),
                *_target_note(stages),
                *notes,
                *refused,
            ],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the batch sizes side by side, by metric."""
        from ..plots import interval_coverage, interval_width, names

        frame = read("coverage.csv")
        there = [name.removesuffix("/all") for name in map(str, cells) if name.endswith("/all")]
        metrics = [m.column for m in in_order(name for name in there if cells[f"{name}/all"].notna().any())]
        shown = []
        for group, own in frame.groupby("group", sort=False):
            first = cells[cells["group"] == group].iloc[0]
            about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(group))
            shown += tables.tables(own, ", ".join(filter(None, about)))
        how = {"unit": str(cells["unit"].iloc[0]), "about": names.subject(cells)}
        return Compared(
            figures={
                "interval_coverage": interval_coverage.draw(frame, metrics, **how),
                "interval_width": interval_width.draw(frame, metrics, **how),
            },
            shown=shown,
            summary=tables.summary(list(frame.groupby("group", sort=False))),
            caption=tables.caption(float(cells["confidence"].min())),
        )

    def is_curve(self, metric: str, cell: pd.Series[Any]) -> bool:
        """Leave out coverages of intervals of all numbers: holding everything is no success."""
        interval, _, figure = metric.rpartition("/")
        return figure != "coverage" or bool(np.isfinite(cell[f"{interval}/width_median"]))

    def _caps(self, scores: Scores, stages: Stages) -> dict[str, float]:
        """What the values of each metric are known to be at most; without a bound, the population's largest."""
        caps = {}
        for name, metric in stages.metrics.items():
            if metric.takes_loss_cap:
                caps[name] = self._loss_cap(scores, stages)
            else:
                caps[name] = metric.most if math.isfinite(metric.most) else float(scores.values(name).max())
            if not math.isfinite(caps[name]):
                raise BadInput(
                    f"study=coverage must have finite values of the metric {name}, for intervals to hold their mean; "
                    "found infinite ones: leave the metric out"
                )
        return caps

    def _loss_cap(self, scores: Scores, stages: Stages) -> float:
        largest = float(scores.loss.max())
        own: float | None = getattr(stages.experiment.interval.loss, "cap", None)
        if not math.isfinite(largest):
            raise BadInput(
                "study=coverage must have a finite loss of all rows, for intervals to hold it; found rows with an "
                "infinite loss: set study.loss_cap, such as 20"
            )
        if own is not None and own < largest:
            raise BadInput(
                f"interval.loss.cap must be at least the largest loss, {largest:.6g}; found {own:g}: set a higher one, "
                "or study.loss_cap to count larger losses as it"
            )
        return self.loss_cap or own or largest

    def _cap_notes(self, intervals: Mapping[Key, Interval], caps: Mapping[str, float], stages: Stages) -> list[str]:
        """Say what the guaranteed intervals of each metric without a bound of its own are told."""
        notes = []
        own_cap = self.loss_cap or getattr(stages.experiment.interval.loss, "cap", None)
        for name in dict.fromkeys(metric for (metric, _), part in intervals.items() if part.is_guaranteed):
            metric = stages.metrics[name]
            if math.isfinite(metric.most):
                continue
            told = f"the guaranteed intervals of the {metric.words} are told that it is at most {caps[name]:.6g}"
            told = f"{told} {metric.unit}".rstrip()
            if not (metric.takes_loss_cap and own_cap):
                told += ", the population's largest: only a study that has scored every row can know that"
            notes.append(told)
        return notes


def _judged(scored: ScoredUnits, ends: Mapping[Key, Ends], stages: Stages) -> pd.DataFrame:
    """A row a metric and interval: how often it held, where it missed, how wide it was, what it cost."""
    import pandas as pd

    z = float(scipy.special.ndtri((1 + stages.experiment.confidence) / 2))
    rows = []
    for (metric, name), own in ends.items():
        low, high = np.concatenate(own.low), np.concatenate(own.high)
        found = judge(low, high, scored.mean(metric))
        ideal = 2 * z * math.sqrt(scored.error_variance(metric))
        rows.append(
            {
                "metric": metric,
                "interval": name,
                "is_configured": configured_name(stages, metric) == name,
                "confidence": stages.experiment.confidence,
                "draws": len(low),
                **found,
                "width_mean_ratio": found["width"] / ideal if ideal > 0 else math.nan,
                "width_ratio": found["width_median"] / ideal if ideal > 0 else math.nan,
                "seconds": own.seconds / len(low),
                "method": method_words(stages.metrics[metric], own.method),
            }
        )
    return pd.DataFrame(rows)


def _metrics(frame: pd.DataFrame, scored: ScoredUnits) -> dict[str, float]:
    metrics = {}
    for metric in scored.metrics:
        metrics[f"{metric}/all"] = scored.mean(metric)
        metrics[f"{metric}/se"] = math.sqrt(scored.error_variance(metric))
    for row in frame.to_dict("records"):
        metrics |= {f"{row['metric']}/{row['interval']}/{figure}": float(row[figure]) for figure in _FIGURES}
    return metrics


def _target_note(stages: Stages) -> list[str]:
    if stages.experiment.interval.target == "population":
        return []
    return [
        "interval.target=superpopulation: one population cannot tell how often the world's value is held; the "
        "intervals are judged by this population's value, which they should hold more often than they promise where a "
        "batch is a good part of it"
    ]
