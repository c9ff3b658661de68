"""The scores of a population by sampling unit."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..metric.columns import of_column
from ..records.rows import IntArray
from ..records.scores import Scores
from ..records.stored import StoredColumn, column_of, is_large, refuse_too_many
from ..sampling.base import Plan
from ..sampling.units import Units


@dataclass(frozen=True, eq=False)
class ScoredUnits:
    """The scores of units, and the plan by which batches of them are drawn.

    Attributes
    ----------
    scores : Scores
        Of all rows, or of the rows of the units `drawn`.
    units : Units
        The sampling units: rows, or groups of them.
    plan : Plan
        How batches of units are drawn.
    drawn : ndarray of int, sorted, or None
        The units that were scored; None when all were.
    """

    scores: Scores
    units: Units
    plan: Plan
    drawn: IntArray | None = None
    # Sums over runs of rows on disk, by metric.
    _runs: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False, repr=False)

    @property
    def is_large(self) -> bool:
        """Whether the scores lie on disk and are too many for tables of them."""
        return is_large(self.scores)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics there are scores of."""
        return self.scores.metrics

    def totals(self, metric: str, plan: Plan | None = None) -> NDArray[np.float64] | StoredColumn:
        """Return the scored units' (weighted) sums of a metric, shape (units,), for this plan or another.

        Scores that are on disk, and too many for memory, stay there where the plan needs only some rows of them.
        """
        if self.is_large and (self.units.is_simple or self.units.is_runs):
            column = column_of(self.scores, metric)
            if self.units.is_simple and (plan or self.plan).is_simple:
                return column
            if self.units.is_runs:
                if metric not in self._runs:
                    assert self.units.starts is not None
                    self._runs[metric] = column.totals(self.units.starts, self.units.weights)
                return self._runs[metric]
        if self.is_large:
            refuse_too_many(len(self.scores), "a design with unequal chances, strata, weights or a proxy")
        values = self.scores.values(metric)
        return values if self.units.is_simple else self.units.totals(values, self.drawn)

    def sizes(self) -> NDArray[np.float64] | None:
        """Return what each scored unit counts; None where it is 1 each."""
        sizes = self.units.sizes()
        return sizes if sizes is None or self.drawn is None else sizes[self.drawn]

    def mean(self, metric: str) -> float:
        """Return the value of all scored rows together."""
        totals, sizes = self.totals(metric), self.sizes()
        if isinstance(totals, StoredColumn) or sizes is None:
            return float(totals.mean())
        return float(totals.sum() / sizes.sum())

    def error_variance(self, metric: str, plan: Plan | None = None) -> float:
        """Return the variance of one batch's estimate, under this or another plan; all units must be scored.

        Exact where the estimate is linear in the batch's values; else (weights, groups, a proxy's correction) to first
        order in 1/b, by linearisation  [Särndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, §5.5].
        """
        plan = plan or self.plan
        totals, sizes = self.totals(metric, plan), self.sizes()
        if isinstance(totals, StoredColumn):
            return plan.stored_error_variance(totals)
        if not np.isfinite(totals).all():
            return float("nan")
        if sizes is None:
            return plan.error_variance(totals - of_column(metric).origin, metric)
        values = (totals - self.mean(metric) * sizes) / sizes.mean()
        return plan.error_variance(values, metric)
