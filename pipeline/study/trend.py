"""The same model over weeks: has its loss or its accuracy changed, and when is that beyond chance?"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import BadInput
from ..estimation import change
from ..estimation.unpaired import mean_difference, share_difference
from ..experiment import Stages, Study
from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..report import trend as tables
from ..report.result import Compared, Result
from ..report.series import About, Alarm, Look, MetricTrend, Value
from .dated_files import DatedFile, dates_as_lines, dates_of, expanded, in_order
from .recorded_runs import by_day, scored_runs
from .series import Figures, ScoredFile, path_of_data, scored

if TYPE_CHECKING:
    import pandas as pd

# What ends with an alarm was carried out and is logged in full: it is neither a failure (1) nor a wrong request (2).
_ALARM_STATUS = 3
_NO_ALARM = "none"
_DIFFERENCE = ("difference", "difference_low", "difference_high")


@dataclass
class Trend(Study):
    """Compare files of predictions, one a date, with the reference, and raise an alarm at a change beyond chance.

    ``data.path`` is one of the files. In place of files there may be runs, ``study.runs``; then the data are the
    latest, unless a run has evaluated these very rows. The files hold different rows, so differences are of separate
    samples: Newcombe's interval for the accuracy and any other share, Welch's for the loss and any other mean. The
    alarm (`pipeline.estimation.change`) tests after each file whether the rows of all files so far can be random rows
    of one world. Over all looks, however many, and all metrics together, the probability of an alarm without a change
    is at most 1 - ``confidence``. A run with an alarm ends with exit status 3. ``batch_size``, ``draws`` and
    ``sampling`` have no part in it.

    Attributes
    ----------
    files : str or list of str
        A pattern, such as ``weeks/*.csv``, or a list of files and patterns; addresses in an object store one by one.
        ``data.path`` need not be among them, and is taken once.
    runs : str or None
        An experiment in MLflow: of its runs of ``study=all_rows`` with ``study.rows_out=true``, the last of each day
        (UTC) is taken in place of a file. Those of another model are left out.
    reference : str or None
        The file that the others are compared with, by its date or its name. None is the first.
    dates : dict of str to str, or None
        The dates of files by name, such as ``{week1.csv: 2026-10-05}``. Where none is given it is the last ISO date
        in the file's name, or else in its folder's. Files without any are ordered by name; ``data.path`` alone without
        one comes last.
    loss_cap : float or None
        Losses above it count as it, nats; needed where a loss is infinite. None leaves every loss as it is.
    """

    name: str = "trend"
    files: Any = None
    runs: str | None = None
    reference: str | None = None
    dates: Any = None
    loss_cap: float | None = None

    # A seed is always a place on an axis.
    axis: ClassVar[str] = "seed"
    has_batches: ClassVar[bool] = False
    has_design: ClassVar[bool] = False
    columns: ClassVar[tuple[str, ...]] = (
        "files",
        "alarm",
        *(f"{metric}/{name}" for metric in MAIN for name in (*_DIFFERENCE, "p")),
    )

    def __post_init__(self) -> None:
        # Here, so that the recorded configuration names the files, and a file that comes later makes another run.
        if self.runs is None:
            self.files = expanded(self.files)
        elif self.files is not None or self.dates:
            raise BadInput("study.runs takes the place of study.files and study.dates; found both: leave one out")
        self.dates = dates_as_lines(self.dates)
        if self.loss_cap is not None and not 0 < self.loss_cap < math.inf:
            raise BadInput(f"study.loss_cap must be above 0 nats and finite, or null; found {self.loss_cap}")

    def check(self, stages: Stages) -> None:
        """Refuse what is no series of predictions; every file is read and scored, so that a bad one leaves no run."""
        stages.require_simple("trend")
        if self.runs is None and not stages.are_predictions:
            raise BadInput(
                "study=trend must have predictions, a file a date; found rows and a model: write them with make "
                "predict, or choose data=predictions, or name an experiment of earlier runs with study.runs"
            )
        self._series(stages)

    def content(self, stages: Stages) -> list[str]:
        """Return the digests of all files."""
        return [own.digest for own in self._series(stages)]

    def answer(self, stages: Stages) -> Result:
        """Compare the files, look for a change after each, and say at which one it is beyond chance."""
        from ..plots import trend as plot

        series = self._series(stages)
        at = self._place_of_reference(series)
        confidence = stages.experiment.confidence
        found = {name: _trend_of(series, metric, at, confidence, stages) for name, metric in stages.metrics.items()}
        about = About(
            first=series[0].file.name,
            last=series[-1].file.name,
            labels=[own.file.label for own in series],
            days=None if series[0].file.day is None else _days(series),
            rows=[own.n for own in series],
            reference=at,
            confidence=confidence,
        )
        alarms = tables.alarms(found, about)
        shown = tables.tables(found, about)
        return Result(
            metrics=_metrics(found, series, alarms),
            series=_logged(found, about),
            tables={"trend.csv": tables.frame(found, about)},
            figures={"trend": plot.draw(found, about)},
            answer=tables.answer(found, about),
            shown=shown[0],
            further=shown[1:],
            notes=[*tables.notes(found, about), *stages.missing, *self._remarks(series)],
            tags={"alarm": about.labels[alarms[0].at] if alarms else _NO_ALARM},
            status=_ALARM_STATUS if alarms else 0,
        )

    def compare(self, cells: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> Compared:
        """List the cells' alarms."""
        rows, trends = cells.to_dict("records"), read("trend.csv")
        dates = [tables.first_alarm(own) for _, own in trends.groupby(["seed", "group"], sort=False)]
        alarm = next((label for label in dates if label), None)
        return Compared(
            {},
            [tables.compared(rows, dates)],
            tables.compared_summary(dates),
            caption=tables.CAPTION,
            tags={"alarm": alarm or _NO_ALARM},
            status=0 if alarm is None else _ALARM_STATUS,
        )

    def _series(self, stages: Stages) -> list[ScoredFile]:
        """The scored files in their order."""
        return self._runs_and_data(stages, self.runs) if self.runs is not None else self._files_in_order(stages)

    def _runs_and_data(self, stages: Stages, experiment: str) -> list[ScoredFile]:
        """The scored runs in their order, and after them the data, unless a run has evaluated them."""
        runs = by_day(stages, experiment)
        found = scored_runs(stages, runs, loss_cap=self.loss_cap)
        if not any(stages.rows.digest.startswith(run.digest) for _, run in runs if run.digest):
            own = DatedFile(path_of_data(stages.experiment.data), PurePath(stages.rows.name).stem)
            found += scored(stages, [own], loss_cap=self.loss_cap)
        if len(found) < 2:
            raise BadInput(
                f"study=trend must have runs of at least two days; found one, of {found[0].file.label}, which has "
                "evaluated these rows: evaluate rows of another day"
            )
        self._place_of_reference(found)
        return found

    def _files_in_order(self, stages: Stages) -> list[ScoredFile]:
        own = path_of_data(stages.experiment.data)
        # Under another name, such as a link latest.csv, it is the same file too.
        is_among = os.path.realpath(own) in map(os.path.realpath, self.files)
        ordered = in_order([*self.files, *([] if is_among else [own])], dates_of(self.dates), latest=own)
        self._check_number(ordered)
        found = scored(stages, ordered, loss_cap=self.loss_cap)
        last, others = found[-1], {one.digest for one in found[:-1]}
        # A latest.csv without a date may be a copy of the newest file that has one.
        if last.file.day is None and found[0].file.day is not None and last.digest in others:
            found = found[:-1]
            self._check_number([one.file for one in found])
        self._place_of_reference(found)
        return found

    def _check_number(self, ordered: list[DatedFile]) -> None:
        if len(ordered) < 2:
            raise BadInput(
                f"study=trend must have at least two files; found one, {ordered[0].name}: name the others in "
                "study.files, such as study.files='weeks/*.csv'"
            )

    def _place_of_reference(self, series: list[ScoredFile]) -> int:
        if self.reference is None:
            return 0
        names = [(own.file.label, own.file.name, own.file.path) for own in series]
        at = [i for i, own in enumerate(names) if str(self.reference) in own]
        if len(at) != 1:
            raise BadInput(
                f"study.reference must name one of the files by its date or its name; found {self.reference!r} for "
                f"{len(at)} of {', '.join(label for label, _, _ in names[:5])}{' …' * (len(names) > 5)}: mend it"
            )
        return at[0]

    def _remarks(self, series: list[ScoredFile]) -> list[str]:
        first: dict[str, str] = {}
        said = []
        for own in series:
            same, order = first.get(own.digest), ""
            if same is None and own.unordered:
                same, order = first.get(own.unordered), " in another order"
            if same is not None:
                said.append(f"{own.file.label} holds the same rows as {same}{order}, and counts as if they were others")
            for key in (own.digest, own.unordered):
                first.setdefault(key, own.file.label)
        if self.runs is not None:
            said.append(f"the last run of each day (UTC) in the experiment {self.runs} counts")
        elif series[-1].file.day is None and series[0].file.day is not None:
            said.append(f"{series[-1].file.name} has no date in its name and is taken as the latest")
        capped = sum(own.capped for own in series)
        if self.loss_cap is not None:
            said.append(f"{capped:,} losses were above study.loss_cap={self.loss_cap:g} nats and count as it")
        return said


def _trend_of(series: list[ScoredFile], metric: Metric, at: int, confidence: float, stages: Stages) -> MetricTrend:
    """One metric's values, differences and looks. The reference is looked at first, whatever its date."""
    own = [one.figures[metric.column] for one in series]
    order = [at, *(i for i in range(len(own)) if i != at)]
    samples = [own[i].sample for i in order]
    looks: list[Look | None] = [None] * len(own)
    if all(sample is not None for sample in samples):
        known = [sample for sample in samples if sample is not None]
        for t, look in enumerate(change.looks(known, tests=len(stages.metrics)), start=1):
            looks[order[t]] = Look(look.p, order[look.since])
    return MetricTrend(
        metric=metric,
        values=[Value(one.value, one.low, one.high) for one in own],
        before=[None, *(_difference(a, b, metric, confidence) for a, b in pairwise(own))],
        reference=[None if i == at else _difference(own[at], b, metric, confidence) for i, b in enumerate(own)],
        looks=looks,
    )


def _difference(first: Figures, second: Figures, metric: Metric, confidence: float) -> Value:
    if metric.is_share:
        found = share_difference(first.right, second.right, confidence)
    else:
        found = mean_difference(first.moments, second.moments, confidence)
    return Value(found.value, found.low, found.high)


def _days(series: list[ScoredFile]) -> list[int]:
    """The days since the first file; an undated last one comes as long after the one before as that after its own."""
    known = [own.file.day for own in series if own.file.day is not None]
    days = [(day - known[0]).days for day in known]
    if len(days) < len(series):
        days.append(days[-1] + (days[-1] - days[-2] if len(days) > 1 else 1))
    return days


def _metrics(found: dict[str, MetricTrend], series: list[ScoredFile], alarms: list[Alarm]) -> dict[str, float]:
    """The last file against the reference, and the smallest p value of all looks."""
    metrics = {"files": float(len(series)), "alarm": float(bool(alarms))}
    for name, trend in found.items():
        last = next(own for own in reversed(trend.reference) if own is not None)
        metrics |= {f"{name}/{key}": value for key, value in zip(_DIFFERENCE, last, strict=True)}
        if trend.smallest is not None:
            metrics[f"{name}/p"] = trend.smallest
    return {name: value for name, value in metrics.items() if not math.isnan(value)}


def _logged(found: dict[str, MetricTrend], about: About) -> list[tuple[str, float, int]]:
    """The files as curves: the step is the days since the first file, or the place where there are no dates."""
    steps = about.days or range(len(about.labels))
    logged = []
    for name, trend in found.items():
        for key, values in (("file", trend.values), ("from_reference", trend.reference), ("from_before", trend.before)):
            for step, own in zip(steps, values, strict=True):
                if own is not None:
                    ends = zip(("", "_low", "_high"), own, strict=True)
                    logged += [(f"{name}/{key}{end}", value, step) for end, value in ends if math.isfinite(value)]
        looks = zip(steps, trend.looks, strict=True)
        logged += [(f"{name}/look_p", look.p, step) for step, look in looks if look is not None]
    if about.days is not None:
        dates = [label.replace("-", "") for label in about.labels]
        logged += [("date", float(day), step) for step, day in zip(steps, dates, strict=True) if day.isdecimal()]
    return logged
