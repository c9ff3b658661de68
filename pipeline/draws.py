"""Many batches from scores: what each draw says of the population, without touching the model again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.joint import Joint, origin_of
from pipeline.moments import to_batches
from pipeline.records import Batches, Estimate, IntArray, Scores
from pipeline.sampling.base import Plan, generator
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.stored import Stored, column_of, is_large, refuse_too_many
from pipeline.sums import BLOCK_VALUES, by_metric, by_stratum, places, sums_of_draws, table_of
from pipeline.units import Units

if TYPE_CHECKING:
    from pipeline.interval.base import Interval

METRICS = ("loss", "accuracy")
# Bytes of an index and of its place in a sorted order, to one byte a unit.
_FEW = 16


@dataclass(frozen=True, eq=False)
class Scored:
    """Scored units, and how a batch of them is drawn.

    Attributes
    ----------
    scores : Scores
        Of all rows, or of the rows of the units `drawn`.
    units : Units
        What is drawn.
    plan : Plan
        How.
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

    def totals(self, metric: str, plan: Plan | None = None) -> NDArray[np.float64] | Stored:
        """Return the scored units' (weighted) sums of a metric, shape (units,), for this plan or another.

        On disk they stay where they lie there, are many, and the plan asks for no more than some rows of them.
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
        if isinstance(totals, Stored) or sizes is None:
            return float(totals.mean())
        return float(totals.sum() / sizes.sum())

    def error_variance(self, metric: str, plan: Plan | None = None) -> float:
        """Return the variance of one batch's estimate, under this or another plan; all units must be scored.

        Exact where the estimate is linear in the batch's values; else (weights, groups, a proxy's correction) to first
        order in 1/b, by linearisation  [Särndal, Swensson & Wretman 1992, Model Assisted Survey Sampling, §5.5].
        """
        plan = plan or self.plan
        totals, sizes = self.totals(metric, plan), self.sizes()
        if isinstance(totals, Stored):
            return plan.stored_error_variance(totals)
        if not np.isfinite(totals).all():
            return float("nan")
        values = totals - origin_of(metric) if sizes is None else (totals - self.mean(metric) * sizes) / sizes.mean()
        return plan.error_variance(values, metric)


def draw_batches(scored: Scored, *, seed: int, draws: int, target: str = "population") -> dict[str, Batches]:
    """Draw the batches and give what each says of loss and accuracy.

    Parameters
    ----------
    scored : Scored
        The scored units and the plan.
    seed, draws : int
        Draw i takes its generator from ``SeedSequence((seed, batch_size, i))``.
    target : str
        ``population`` or ``superpopulation``.

    Returns
    -------
    dict of str to Batches
        By metric; arrays of shape (draws,).
    """
    joints = _joints(scored)
    sums = sums_of_draws(scored, joints, seed=seed, draws=draws)
    return {metric: to_batches(joint, sums[metric], scored.plan, target=target) for metric, joint in joints.items()}


def batches_with_values(
    scored: Scored, *, seed: int, draws: int, target: str = "population"
) -> Iterator[tuple[slice, dict[str, Batches]]]:
    """Draw as `draw_batches` does, block by block of draws, and hand the units' values out too.

    The units of a batch (of each stratum) are put in random order, so that their order carries no meaning.
    """
    joints, plan = _joints(scored), scored.plan
    order = _random_order(plan, seed)
    table = None if scored.is_large else table_of(joints)
    at_once = max(1, BLOCK_VALUES // plan.batch_size)
    for start in range(0, draws, at_once):
        block = slice(start, min(start + at_once, draws))
        at = np.stack([places(scored, seed, i)[order] for i in range(block.start, block.stop)])
        if table is None:
            sums = {metric: joint.sums_at(at, plan) for metric, joint in joints.items()}
        else:
            sums = by_metric(joints, np.stack([by_stratum(table.take(rows, axis=0), plan) for rows in at]))
        found = {}
        for metric, joint in joints.items():
            found[metric] = joint.with_values(to_batches(joint, sums[metric], plan, target=target), at, plan)
        yield block, found


def estimate_draws(
    scored: Scored,
    intervals: Mapping[str, Interval],
    *,
    seed: int,
    draws: int,
    confidence: float,
    target: str = "population",
) -> dict[str, Estimate]:
    """Put an interval around loss and accuracy of every draw.

    Parameters
    ----------
    scored : Scored
        The scored units and the plan.
    intervals : mapping of str to Interval
        One for each metric there are scores of.
    seed, draws, confidence, target
        As configured.

    Returns
    -------
    dict of str to Estimate
        By metric; arrays of shape (draws,).
    """
    if not any(interval.needs_values for interval in intervals.values()):
        batches = draw_batches(scored, seed=seed, draws=draws, target=target)
        return {metric: intervals[metric].estimate(batches[metric], confidence) for metric in scored.metrics}
    blocks = [
        {metric: intervals[metric].estimate(found[metric], confidence) for metric in scored.metrics}
        for _, found in batches_with_values(scored, seed=seed, draws=draws, target=target)
    ]
    return {metric: _joined([block[metric] for block in blocks]) for metric in scored.metrics}


def misses(
    low: NDArray[np.float64], high: NDArray[np.float64], truth: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which intervals lie wholly above a value, and which wholly below it; an infinite value is no miss's cause.

    Summing the same rows in another order moves the last digits; that is no miss.
    """
    slack = 1e-12 * max(1.0, abs(truth)) if np.isfinite(truth) else 0.0
    with np.errstate(invalid="ignore"):
        return low - slack > truth, high + slack < truth


def variance_ratio(scored: Scored, metric: str) -> float:
    """Return a simple random sample's variance over this plan's at the same batch size; all units must be scored.

    The simple sample is drawn without replacement where the plan's is. ``nan`` where neither leaves anything to chance.
    """
    plan = scored.plan
    simple = (SimplePlan if plan.is_finite else IndependentPlan)(plan.size, plan.batch_size)
    ours, theirs = scored.error_variance(metric), scored.error_variance(metric, simple)
    if ours == 0:
        return float("inf") if theirs > 0 else float("nan")
    return theirs / ours


def drawn_units(plan: Plan, *, seed: int, draws: int) -> NDArray[np.intp]:
    """Every unit that the draws need, sorted, once each."""
    # A number for each drawn, or a bit for each of all: whichever is less.
    if draws * plan.batch_size < plan.size // _FEW:
        return np.unique(np.concatenate([plan.batch(seed, i).indices for i in range(draws)]))
    needed = np.zeros(plan.size, dtype=bool)
    for i in range(draws):
        needed[plan.batch(seed, i).indices] = True
    return np.flatnonzero(needed)


def batches_of(
    values: NDArray[np.float64], *, population_size: int | None = None, with_values: bool = False
) -> Batches:
    """Return m batches given as they are: simple random samples of rows.

    Parameters
    ----------
    values : ndarray of float64, shape (m, n)
        A row a batch.
    population_size : int or None
        N if the rows were drawn without replacement from N.
    with_values : bool
        Whether intervals that ask for the values get them.
    """
    m, n = values.shape
    plan = SimplePlan(population_size, n) if population_size else IndependentPlan(n, n)
    joint = Joint.of(values.ravel(), plan, metric="loss")
    batches = to_batches(joint, joint.sums_by(n), plan)
    return joint.with_values(batches, np.arange(m * n).reshape(m, n), plan) if with_values else batches


def _joints(scored: Scored) -> dict[str, Joint]:
    sizes = scored.units.sizes()
    return {
        metric: Joint.of(scored.totals(metric), scored.plan, metric=metric, sizes=sizes, drawn=scored.drawn)
        for metric in scored.metrics
    }


def _random_order(plan: Plan, seed: int) -> IntArray:
    """An order of a batch's places, at random within each stratum; the same for every draw."""
    # No cell draws 2³¹ batches: this generator is no draw's.
    rng = generator(seed, plan.batch_size, 1 << 31)
    ends = [0, plan.batch_size] if plan.strata is None else [0, *np.cumsum(plan.strata.drawn)]
    return np.concatenate([start + rng.permutation(stop - start) for start, stop in pairwise(ends)])


def _joined(blocks: list[Estimate]) -> Estimate:
    def all_of(name: str) -> NDArray[np.float64]:
        return np.concatenate([getattr(block, name) for block in blocks])

    return replace(
        blocks[0],
        value=all_of("value"),
        standard_error=all_of("standard_error"),
        low=all_of("low"),
        high=all_of("high"),
    )
