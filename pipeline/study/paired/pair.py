"""The scores of the same rows under two models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...estimation.prediction_powered import ProxyDifference
from ...estimation.whole_metrics import NoValue, WholeValue
from ...metric.base import Metric
from ...metric.chosen import MAIN, main_metrics
from ...metric.together import Together
from ...records.rows import IntArray
from ...records.scores import Scores
from ...sampling.units import Units
from ..together import Truth, said_of

Columns = tuple[NDArray[Any], NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Pair:
    """The scores of the same rows, in the same order, under two models.

    Attributes
    ----------
    before, after : Scores
        Of the model, and of the other one.
    asked : mapping of str to Metric
        The metrics that are asked for, by column.
    names : tuple of str
        What the two are called.
    classes : tuple of (tuple of str, or None)
        The names of the classes that each one's predicted numbers stand for.
    truths : tuple of Truth, or None
        The labels, in each one's numbers; without them no metric of all rows together has a value.
    units : Units or None
        Rows, or groups of them; None is rows.
    is_sample : bool
        Whether the rows are a sample of a world, for which a calibration error is debiased.
    proxies : mapping of str to ProxyDifference
        What a proxy says of the difference of these rows and of further ones without a label, by metric.
    """

    before: Scores
    after: Scores
    asked: Mapping[str, Metric] = field(default_factory=main_metrics)
    names: tuple[str, str] = ("the model", "the other model")
    classes: tuple[tuple[str, ...] | None, tuple[str, ...] | None] = (None, None)
    truths: tuple[Truth, Truth] | None = None
    units: Units | None = None
    is_sample: bool = True
    proxies: Mapping[str, ProxyDifference] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.before)

    @cached_property
    def metrics(self) -> dict[str, Metric]:
        """The metrics asked for that both have, by column."""
        both = {*self.before.metrics} & {*self.after.metrics}
        return {
            name: replace(metric, reach=self._reach(metric)) if isinstance(metric, Together) else metric
            for name, metric in self.asked.items()
            if (name in self._together[0] if metric.is_together else name in both)
        }

    def _reach(self, metric: Together) -> float | None:
        """How far a row of the rarest class moves n times the value; for a calibration error the slack has room."""
        truth = Truth(None, 0) if self.truths is None else self.truths[0]
        if metric.name == "ece" or truth.labels is None:
            return None
        fewest = int(np.bincount(truth.labels, minlength=truth.n_classes).min())
        # One against the rest is the same for both of two classes.
        sides = 1 if metric.name == "auc" and truth.n_classes == 2 else truth.n_classes
        return len(self) / (sides * fewest)

    def columns(self, metric: str) -> Columns:
        """Return both models' values of a metric, shape (n,) each, those of a share as true and false.

        Of a metric of all rows together they are the numbers of `WholeValue.column`.
        """
        if self.asked[metric].is_together:
            one, other = self._together[0][metric]
            is_debiased = self.is_sample
            return one.column(self.units, is_debiased=is_debiased), other.column(self.units, is_debiased=is_debiased)
        before, after = self.before.columns[metric], self.after.columns[metric]
        if not self.asked[metric].is_share:
            return before, after
        return before.astype(np.bool_, copy=False), after.astype(np.bool_, copy=False)

    def worth(self, metric: str) -> tuple[float, float]:
        """Return the share of its proxy that a metric's difference uses, and how many rows a label is worth with it."""
        found = self.proxies[metric].mean(*self.columns(metric))
        return float(found.slope[0]), float(found.worth[0])

    @cached_property
    def powered(self) -> tuple[str, ...]:
        """The metrics of which rows without a label count: their proxy explains something."""
        return tuple(name for name in self.proxies if name in self.metrics and self.worth(name)[0] > 0)

    @property
    def n_unlabelled(self) -> int:
        """How many rows without a label there are, of which a proxy tells."""
        return max((len(own.others) for own in self.proxies.values()), default=0)

    def slack(self, metric: str) -> tuple[float, float]:
        """Return by how much the difference of a metric may be too large, and too small, by bias."""
        if metric not in self._together[0] or not self.is_sample:
            return 0.0, 0.0
        one, other = self._together[0][metric]
        # Two models that are alike in every row have the same bias.
        is_same = one.value == other.value and np.array_equal(one.influence, other.influence)
        return (0.0, 0.0) if is_same else (other.slack, one.slack)

    @property
    def slacks(self) -> dict[str, tuple[float, float]]:
        """The same, by the metrics that have such a bias."""
        return {name: own for name in self.metrics if any(own := self.slack(name))}

    def take(self, rows: IntArray, units: Units | None = None) -> Pair:
        """Return some rows, with their own units, and without what a proxy says."""
        truths = None if self.truths is None else (self.truths[0].take(rows), self.truths[1].take(rows))
        return replace(
            self, before=self.before.take(rows), after=self.after.take(rows), truths=truths, units=units, proxies={}
        )

    @property
    def without(self) -> dict[str, str]:
        """Why a metric of all rows together that is asked for has no value, by its name."""
        return self._together[1]

    @property
    def lacking(self) -> list[str]:
        """What is left out, for one of the two has none."""
        said = []
        usual = () if any(metric.is_alone for metric in self.asked.values()) else MAIN
        for metric in (name for name in dict.fromkeys([*usual, *self.asked]) if name not in self.metrics):
            if metric in self.without:
                said.append(f"no {self.asked[metric].words}: {self.without[metric]}")
                continue
            both = zip(self.names, (self.before, self.after), strict=True)
            without = [name for name, scores in both if metric not in scores.metrics]
            if without:
                said.append(f"no {metric}: {' and '.join(without)} {'has' if len(without) == 1 else 'have'} none")
        return said

    @cached_property
    def _together(self) -> tuple[dict[str, tuple[WholeValue, WholeValue]], dict[str, str]]:
        """Both models' values of the metrics of all rows together, and why others have none."""
        found: dict[str, tuple[WholeValue, WholeValue]] = {}
        without: dict[str, str] = {}
        asked = [name for name, metric in self.asked.items() if metric.is_together]
        if not asked:
            return found, without
        if self.truths is None or any(truth.labels is None for truth in self.truths):
            return found, dict.fromkeys(asked, "the rows have no classes")
        both = [said_of(scores, own) for scores, own in zip((self.before, self.after), self.truths, strict=True)]
        for name in asked:
            values = []
            for who, said in zip(self.names, both, strict=True):
                try:
                    values.append(said.value(name))
                except NoValue as error:
                    without.setdefault(name, f"{error} (in {who})" if not said.has(name) else str(error))
            if len(values) == len(both):
                found[name] = (values[0], values[1])
        return found, without


def refuse_without(pair: Pair) -> None:
    """Refuse a pair that was asked for metrics of all rows together alone, none of which has a value.

    Raises
    ------
    BadInput
        With the reasons.
    """
    if not pair.metrics and pair.without:
        raise BadInput(f"study.on must name a metric that has a value; found {'; '.join(pair.lacking)}: name others")
