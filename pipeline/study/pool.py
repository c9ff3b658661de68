"""Rows evaluated in a random order, look after look, with anytime-valid intervals around what was found so far."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..interval.capital import sequence_at
from ..interval.control_variate import controlled_sequence_at
from ..interval.share_sequence import share_sequence_at
from ..metric.base import Metric
from ..records.rows import IntArray
from ..records.scores import Scores
from ..report.until import Found, Goals, Look
from ..sampling.units import Units

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


class Pool:
    """The units that were evaluated so far, each once however often it is drawn.

    Parameters
    ----------
    evaluate : callable
        From rows, shape (n,), to their `Scores`, in which losses are cut to `loss_cap`.
    units : Units
        What is drawn.
    metrics : mapping of str to Metric
        What is evaluated, by column.
    loss_cap : float
        Losses above it count as it, nats.
    goals : mapping of str to float or None
        The half-width that each metric's interval is to reach, which it is made for; None where it is not asked for.
    confidence : float
        Of the intervals of all looks together, in (0, 1).
    is_finite : bool
        Whether units are drawn without replacement, and the intervals are for the population's own mean.
    controls : mapping of str to ndarray of float64, shape (units,), or None
        What a proxy says of every unit, by metric; the intervals of metrics with a goal then bet on what it leaves.
    """

    def __init__(
        self,
        evaluate: Callable[[IntArray], Scores],
        units: Units,
        metrics: Mapping[str, Metric],
        *,
        loss_cap: float,
        goals: Goals,
        confidence: float,
        is_finite: bool,
        controls: Mapping[str, Floats] | None = None,
    ) -> None:
        self._evaluate, self._units, self._metrics = evaluate, units, metrics
        self._cap, self._goals, self._confidence, self._is_finite = loss_cap, goals, confidence, is_finite
        self._controls = controls or {}
        size, sizes = units.size, units.sizes()
        self._is_known = np.zeros(size, dtype=bool)
        self._totals = {metric: np.zeros(size) for metric in metrics}
        self._sizes = np.ones(size) if sizes is None else sizes
        self.rows = self.ties = self.capped = 0
        self.seconds = 0.0

    def take(self, units: IntArray) -> None:
        """Evaluate those of the units that were not evaluated before."""
        new = np.unique(units[~self._is_known[units]])
        if not len(new):
            return
        rows = self._units.rows_of(new)
        started = time.perf_counter()
        scores = self._evaluate(rows)
        self.seconds += time.perf_counter() - started
        for metric, totals in self._totals.items():
            totals[new] = self._units.totals(scores.values(metric), new)
        self._is_known[new] = True
        self.rows += len(rows)
        self.ties += scores.ties
        self.capped += scores.capped

    def look(self, drawn: IntArray) -> Look:
        """Put an interval around each metric of the units drawn so far, in their order."""
        found = {metric: self._found(metric, drawn) for metric in self._totals}
        return Look(drawn=len(drawn), rows=self.rows, capped=self.capped, found=found)

    def _found(self, metric: str, drawn: IntArray) -> Found:
        part = self._metrics[metric]
        most = self._cap if part.takes_loss_cap else part.most
        totals, sizes = self._totals[metric][drawn], self._sizes[drawn]
        # A unit's sum over what a unit counts on average is right on average, and bounded, as the ratio of sums is not.
        bound = most * self._sizes.max() / self._sizes.mean()
        values = np.clip(totals / (most * self._sizes.max()), 0.0, 1.0)
        low, high = self._ends(metric, values, drawn, bound)
        low, high = np.clip(bound * low[0], 0.0, most), np.clip(bound * high[0], 0.0, most)
        mean = totals.sum() / sizes.sum()
        if self._is_finite and len(drawn) == self._units.size:
            return Found(float(mean), float(mean), float(mean))
        return Found(float(np.clip(mean, low, high)), float(low), float(high))

    def _ends(self, metric: str, values: Floats, drawn: IntArray, bound: float) -> tuple[Floats, Floats]:
        goal, part, at = self._goals[metric], self._metrics[metric], np.array([len(values)])
        # The design decides, not the values: groups so far may be all right or all wrong, and the next one neither.
        is_share = part.is_share and self._units.is_simple
        if goal is not None and metric in self._controls:
            of_all = self._controls[metric]
            return controlled_sequence_at(
                values,
                of_all[drawn],
                of_all,
                at,
                confidence=self._confidence,
                within=goal / bound,
                is_finite=self._is_finite,
                is_share=is_share,
            )
        return (share_sequence_at if is_share else sequence_at)(
            values,
            at,
            confidence=self._confidence,
            population_size=self._units.size if self._is_finite else None,
            within=None if goal is None else goal / bound,
        )

    def left(self, drawn: IntArray) -> dict[str, float]:
        """Return the share of each metric's variance among the units drawn that its proxy leaves, 1 - r²."""
        found = {}
        for metric, of_all in self._controls.items():
            with np.errstate(invalid="ignore", divide="ignore"):
                r = np.corrcoef(self._totals[metric][drawn], of_all[drawn])[0, 1] if len(drawn) > 1 else math.nan
            if self._goals[metric] is not None and math.isfinite(r):
                found[metric] = 1 - max(float(r), 0.0) ** 2
        return found


def looks_until(pool: Pool, order: IntArray, goals: Goals, *, block: int, growth: float) -> Iterator[Look]:
    """Evaluate units in their order, and yield the looks up to the first at which every goal is reached.

    Parameters
    ----------
    pool : Pool
        Evaluates.
    order : ndarray of int, shape (n,)
        The units, at least one.
    goals : mapping of str to float or None
        Half the width that each metric's interval may have; None where it is not asked for.
    block, growth
        As `look_counts` has them.
    """
    drawn = 0
    for n in look_counts(len(order), block=block, growth=growth):
        pool.take(order[drawn:n])
        drawn = n
        look = pool.look(order[:n])
        yield look
        if look.is_within(goals):
            return


def look_counts(most: int, *, block: int, growth: float) -> Iterator[int]:
    """Yield how many units have been drawn at each look: `block` more, or `growth` times as many; at last `most`.

    Examples
    --------
    >>> list(look_counts(500, block=50, growth=1.2))
    [50, 100, 150, 200, 250, 300, 360, 432, 500]
    """
    n = min(block, most)
    while n < most:
        yield n
        # Not 1.2 * 250 = 300.0000001, whatever the factor.
        n = min(most, max(n + block, math.ceil(round(growth * n, 6))))
    yield most


def looks_frame(looks: Sequence[Look]) -> pd.DataFrame:
    """Return a row a look, as ``looks.csv`` has it: units drawn, rows evaluated, and what was found."""
    import pandas as pd

    rows = []
    for look in looks:
        row: dict[str, float] = {"n": look.drawn, "rows": look.rows, "capped": look.capped}
        for metric, found in look.found.items():
            row |= {metric: found.mean, f"{metric}_low": found.low, f"{metric}_high": found.high}
            row[f"{metric}_half_width"] = found.half_width
        rows.append(row)
    return pd.DataFrame(rows)
