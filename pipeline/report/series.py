"""A series of files as it is shown: what was found in each, by metric."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..metric.base import Metric


class Value(NamedTuple):
    """A value or a difference, with its interval; in the metric's own unit, not that of its display."""

    value: float
    low: float
    high: float


class Look(NamedTuple):
    """What was found when a file had come.

    Attributes
    ----------
    p : float
        Of no change up to this file, multiplied for all looks and metrics.
    since : int
        The first of the files that differ most from those before them, by its place in the series.
    """

    p: float
    since: int


@dataclass(frozen=True)
class About:
    """What a series is.

    Attributes
    ----------
    first, last : str
        The names of the first file and of the last one.
    labels : list of str
        The files by date, or by name.
    days : list of int, or None
        The days since the first file; None where the files have no dates.
    rows : list of int
        Rows in each file.
    reference : int
        The place of the file that the others are compared with.
    confidence : float
        Of the intervals; an alarm without a change has at most the probability 1 - confidence.
    """

    first: str
    last: str
    labels: list[str]
    days: list[int] | None
    rows: list[int]
    reference: int
    confidence: float

    @property
    def called(self) -> str:
        """The reference as a sentence names it."""
        return f"the reference {self.labels[self.reference]}"

    @property
    def newest(self) -> int:
        """The place of the last file that is not the reference."""
        last = len(self.labels) - 1
        return last if last != self.reference else last - 1


@dataclass(frozen=True)
class MetricTrend:
    """A metric in every file.

    Attributes
    ----------
    metric : Metric
        Which.
    values : list of Value
        The mean in each file.
    before, reference : list of Value or None
        Each file minus the one before, and minus the reference; None where there is no such file.
    looks : list of Look or None
        None for the reference, and for all where an infinite value leaves no test.
    """

    metric: Metric
    values: list[Value]
    before: list[Value | None]
    reference: list[Value | None]
    looks: list[Look | None]

    @property
    def smallest(self) -> float | None:
        """The smallest p value; None where there is no test."""
        return min((look.p for look in self.looks if look is not None), default=None)

    def alarm(self, confidence: float) -> Alarm | None:
        """The first look at which a change is beyond chance."""
        for at, look in enumerate(self.looks):
            if look is not None and look.p <= 1 - confidence:
                return Alarm(self.metric, at, look.since, look.p)
        return None


@dataclass(frozen=True)
class Alarm:
    """A change beyond chance.

    Attributes
    ----------
    metric : Metric
        What has changed.
    at, since : int
        At which file it was found, and the first of the files that differ; places in the series.
    p : float
        See `Look`.
    """

    metric: Metric
    at: int
    since: int
    p: float
