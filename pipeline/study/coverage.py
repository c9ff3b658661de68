"""Whether the intervals keep their promise: every one of them put around thousands of batches whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import special

from pipeline.draws import Scored
from pipeline.errors import BadInput
from pipeline.interval.base import Interval
from pipeline.records import Scores
from pipeline.study.base import Compared, Result, Setting, Study
from pipeline.study.evaluate import population_scores, refuse_bad_rows
from pipeline.study.judging import MEMBERS, Ends, Key, estimated, intervals_of, judge
from pipeline.tables import coverage as tables

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
        for metric, members in MEMBERS.items()
        for interval in members
        for figure in _FIGURES
    )

    metrics_used: ClassVar[str] = "main"

    def __post_init__(self) -> None:
        if self.loss_cap is not None and not self.loss_cap > 0:
            raise BadInput(f"study.loss_cap must be above 0 nats or null; found {self.loss_cap}")

    def check(self, setting: Setting) -> None:
        """Refuse a configured interval that the design has none of, and rows that have no scores."""
        for metric in setting.metrics:
            # Any cap will do: the real one comes with the scores.
            interval = setting.interval.of(metric).with_cap((self.loss_cap or 1.0) if metric == "loss" else None)
            interval.check(setting.plan, setting.interval.target)
        refuse_bad_rows(setting, self.loss_cap)

    def answer(self, setting: Setting) -> Result:
        """Judge every interval at one batch size."""
        scores, _ = population_scores(setting, self.loss_cap)
        cap = self._cap(scores, setting) if "loss" in scores.metrics else math.inf
        intervals, notes = intervals_of(setting, cap)
        scored = Scored(scores, setting.units, setting.plan)
        ends, refused = estimated(scored, intervals, setting)
        frame = _judged(scored, ends, setting)
        about = f"{setting.dataset.name}, {setting.sampling.name}, batches of {setting.batch_size:,}"
        return Result(
            metrics=_metrics(frame, scored),
            series=[],
            tables={"coverage.csv": frame},
            shown=tables.cell_table(frame, f"{about}, {setting.draws:,} draws"),
            summary=tables.summary([(str(setting.batch_size), frame.assign(batch_size=setting.batch_size))]),
            notes=[
                tables.cell_caption(setting.confidence, setting.metrics),
                *setting.missing,
                *self._cap_note(intervals, cap, setting),
                *_target_note(setting),
                *notes,
                *refused,
            ],
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """Set the batch sizes side by side, by metric."""
        from pipeline.plots import interval_coverage, interval_width

        frame = read("coverage.csv")
        metrics = [metric for metric in MEMBERS if f"{metric}/all" in cells and cells[f"{metric}/all"].notna().any()]
        shown = []
        for group, own in frame.groupby("group", sort=False):
            first = cells[cells["group"] == group].iloc[0]
            about = (str(first["population"]), f"{int(first['population_size']):,} rows", str(group))
            shown += tables.tables(own, ", ".join(filter(None, about)))
        unit = str(cells["unit"].iloc[0])
        return Compared(
            figures={
                "interval_coverage": interval_coverage.draw(frame, metrics, unit=unit),
                "interval_width": interval_width.draw(frame, metrics, unit=unit),
            },
            shown=shown,
            summary=tables.summary(list(frame.groupby("group", sort=False))),
            caption=tables.caption(float(cells["confidence"].min())),
        )

    def is_curve(self, metric: str, cell: pd.Series[Any]) -> bool:
        """Leave out coverages of intervals of all numbers: holding everything is no success."""
        interval, _, figure = metric.rpartition("/")
        return figure != "coverage" or bool(np.isfinite(cell[f"{interval}/width_median"]))

    def _cap(self, scores: Scores, setting: Setting) -> float:
        """What the losses are known to be at most."""
        largest = float(scores.loss.max())
        own: float | None = getattr(setting.interval.loss, "cap", None)
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

    def _cap_note(self, intervals: Mapping[Key, Interval], cap: float, setting: Setting) -> list[str]:
        if not any(metric == "loss" and part.is_guaranteed for (metric, _), part in intervals.items()):
            return []
        told = f"the guaranteed intervals of the loss are told that it is at most {cap:.6g} nats"
        if self.loss_cap or getattr(setting.interval.loss, "cap", None):
            return [told]
        return [f"{told}, the population's largest: only a study that has scored every row can know that"]


def _judged(scored: Scored, ends: Mapping[Key, Ends], setting: Setting) -> pd.DataFrame:
    """A row a metric and interval: how often it held, where it missed, how wide it was, what it cost."""
    import pandas as pd

    z = float(special.ndtri((1 + setting.confidence) / 2))
    rows = []
    for (metric, name), own in ends.items():
        low, high = np.concatenate(own.low), np.concatenate(own.high)
        found = judge(low, high, scored.mean(metric))
        ideal = 2 * z * math.sqrt(scored.error_variance(metric))
        rows.append(
            {
                "metric": metric,
                "interval": name,
                "is_configured": setting.interval.of(metric).name == name,
                "confidence": setting.confidence,
                "draws": len(low),
                **found,
                "width_mean_ratio": found["width"] / ideal if ideal > 0 else math.nan,
                "width_ratio": found["width_median"] / ideal if ideal > 0 else math.nan,
                "seconds": own.seconds / len(low),
                "method": own.method,
            }
        )
    return pd.DataFrame(rows)


def _metrics(frame: pd.DataFrame, scored: Scored) -> dict[str, float]:
    metrics = {}
    for metric in scored.metrics:
        metrics[f"{metric}/all"] = scored.mean(metric)
        metrics[f"{metric}/se"] = math.sqrt(scored.error_variance(metric))
    for row in frame.to_dict("records"):
        metrics |= {f"{row['metric']}/{row['interval']}/{figure}": float(row[figure]) for figure in _FIGURES}
    return metrics


def _target_note(setting: Setting) -> list[str]:
    if setting.interval.target == "population":
        return []
    return [
        "interval.target=superpopulation: one population cannot tell how often the world's value is held; the "
        "intervals are judged by this population's value, which they should hold more often than they promise where a "
        "batch is a good part of it"
    ]
