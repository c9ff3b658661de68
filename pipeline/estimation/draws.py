"""Estimates from many random batches of the same scores; the model is not called again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..interval.reliability import is_unreliable
from ..metric.columns import of_column
from ..records.batches import Batches, Estimate
from ..records.rows import IntArray
from ..records.scores import Scores
from ..sampling.base import Plan
from ..sampling.streams import SHUFFLE, generator
from ..sampling.with_replacement import IndependentPlan
from ..sampling.without_replacement import SimplePlan
from .draw_sums import BLOCK_VALUES, by_metric, by_stratum, places, sums_of_draws, table_of
from .moments import to_batches
from .power_sums import PowerSums
from .scored_units import ScoredUnits

if TYPE_CHECKING:
    from ..interval.base import Interval

# Sorting costs about 16 bytes for each index, a mask 1 byte for each unit of the population.
_BYTES_A_SORTED_INDEX = 16


def draw_batches(scored: ScoredUnits, *, seed: int, draws: int, target: str = "population") -> dict[str, Batches]:
    """Draw the batches, and return the estimate and the moments of its error for each metric.

    Parameters
    ----------
    scored : ScoredUnits
        The scored units and the plan.
    seed, draws : int
        Draw i takes its units from stream DRAW, or those of its pass from EPOCH (`sampling.streams`).
    target : str
        ``population`` or ``superpopulation``.

    Returns
    -------
    dict of str to Batches
        By metric; arrays of shape (draws,).
    """
    terms_by_metric = _terms_by_metric(scored)
    sums = sums_of_draws(scored, terms_by_metric, seed=seed, draws=draws)
    return {
        metric: to_batches(terms, sums[metric], scored.plan, target=target) for metric, terms in terms_by_metric.items()
    }


def batches_with_values(
    scored: ScoredUnits, *, seed: int, draws: int, target: str = "population"
) -> Iterator[tuple[slice, dict[str, Batches]]]:
    """Draw as `draw_batches` does, in blocks of draws, and return the units' values too.

    The units of each batch (of each stratum) are shuffled, so that intervals that depend on the order of the values see
    a random one.
    """
    terms_by_metric, plan = _terms_by_metric(scored), scored.plan
    order = _random_order(plan, seed)
    table = None if scored.is_large else table_of(terms_by_metric)
    at_once = max(1, BLOCK_VALUES // plan.batch_size)
    for start in range(0, draws, at_once):
        block = slice(start, min(start + at_once, draws))
        at = np.stack([places(scored, seed, i)[order] for i in range(block.start, block.stop)])
        if table is None:
            sums = {metric: terms.sums_at(at, plan) for metric, terms in terms_by_metric.items()}
        else:
            sums = by_metric(
                terms_by_metric, np.concatenate([by_stratum(table.take(rows, axis=0), plan) for rows in at])
            )
        found = {}
        for metric, terms in terms_by_metric.items():
            found[metric] = terms.with_values(to_batches(terms, sums[metric], plan, target=target), at, plan)
        yield block, found


def estimate_draws(
    scored: ScoredUnits,
    intervals: Mapping[str, Interval],
    *,
    seed: int,
    draws: int,
    confidence: float,
    target: str = "population",
) -> dict[str, Estimate]:
    """Return every draw's estimate with its interval, by metric.

    Parameters
    ----------
    scored : ScoredUnits
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
        return {metric: _estimate(intervals, metric, batches[metric], confidence) for metric in scored.metrics}
    blocks = [
        {metric: _estimate(intervals, metric, found[metric], confidence) for metric in scored.metrics}
        for _, found in batches_with_values(scored, seed=seed, draws=draws, target=target)
    ]
    return {metric: _joined([block[metric] for block in blocks]) for metric in scored.metrics}


def estimate_all(
    scored: ScoredUnits, intervals: Mapping[str, Interval], *, seed: int, confidence: float
) -> dict[str, Estimate]:
    """Return each metric over all units, with an interval for the world that they are a random sample of.

    It is the estimate of the one batch that holds every unit once, with target ``superpopulation``; so the design by
    which smaller batches are drawn has no part in it.

    Parameters
    ----------
    scored : ScoredUnits
        All units, scored.
    intervals : mapping of str to Interval
        One for each metric there are scores of.
    seed, confidence
        As configured; the seed matters only to intervals that resample.

    Returns
    -------
    dict of str to Estimate
        By metric; arrays of shape (1,).
    """
    if not intervals:
        return {}
    size = scored.units.size
    columns = {metric: scored.scores.columns[metric] for metric in intervals}
    whole = ScoredUnits(Scores.of(columns), scored.units, SimplePlan(size, size))
    return estimate_draws(whole, intervals, seed=seed, draws=1, confidence=confidence, target="superpopulation")


def misses(
    low: NDArray[np.float64], high: NDArray[np.float64], truth: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which intervals lie wholly above a value, and which wholly below it.

    The comparison has a tolerance of rounding, for summing the same rows in another order changes the last digits.
    """
    slack = 1e-12 * max(1.0, abs(truth)) if np.isfinite(truth) else 0.0
    with np.errstate(invalid="ignore"):
        return low - slack > truth, high + slack < truth


def variance_ratio(scored: ScoredUnits, metric: str) -> float:
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
    """Return every unit that some draw holds, sorted, once each."""
    # Sort the drawn indices, or mark them in a mask: whichever needs less memory.
    if draws * plan.batch_size < plan.size // _BYTES_A_SORTED_INDEX:
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
    terms = PowerSums.of(values.ravel(), plan, metric="loss")
    batches = to_batches(terms, terms.sums_by(n), plan)
    return terms.with_values(batches, np.arange(m * n).reshape(m, n), plan) if with_values else batches


def _terms_by_metric(scored: ScoredUnits) -> dict[str, PowerSums]:
    sizes = scored.units.sizes()
    return {
        metric: PowerSums.of(scored.totals(metric), scored.plan, metric=metric, sizes=sizes, drawn=scored.drawn)
        for metric in scored.metrics
    }


def _random_order(plan: Plan, seed: int) -> IntArray:
    """A random permutation of a batch's places, within each stratum; the same for every draw."""
    rng = generator(SHUFFLE, seed, batch_size=plan.batch_size)
    ends = [0, plan.batch_size] if plan.strata is None else [0, *np.cumsum(plan.strata.drawn)]
    return np.concatenate([start + rng.permutation(stop - start) for start, stop in pairwise(ends)])


def _estimate(intervals: Mapping[str, Interval], metric: str, batches: Batches, confidence: float) -> Estimate:
    found = intervals[metric].estimate(batches, confidence)
    return replace(found, unreliable=is_unreliable(batches)) if of_column(metric).takes_loss_cap else found


def _joined(blocks: list[Estimate]) -> Estimate:
    def all_of(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(block, name) for block in blocks])

    return replace(
        blocks[0],
        value=all_of("value"),
        standard_error=all_of("standard_error"),
        low=all_of("low"),
        high=all_of("high"),
        unreliable=None if blocks[0].unreliable is None else all_of("unreliable"),
    )
