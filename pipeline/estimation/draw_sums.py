"""Sums of each metric's terms over the units of each draw.

Where all units fit into memory, a table of the terms of all units is made once, and each draw adds up its rows of it.
Where they do not, only the drawn units' values are read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..records.rows import IntArray
from ..records.stored import StoredColumn, held_table
from ..runtime.cores import on_all_cores
from ..sampling.base import Plan
from .power_sums import Floats, PowerSums

if TYPE_CHECKING:
    from .scored_units import ScoredUnits

# Where a batch is a larger share of the population than this, counting how often each unit was drawn and multiplying
# the counts by the table costs less than taking the rows.
_HISTOGRAM_SHARE = 0.5
# Values of one metric that are held in memory at once: in all, by one thread, and while they stay in its core's cache.
BLOCK_VALUES = 2_000_000
_STRIPE_VALUES = 100_000
_CACHED_VALUES = 16_384
# Draws of fewer units are added up in one thread: several would wait for each other's interpreter lock, and 1,000 draws
# of 1,000 units would take half as long again.
_SHARED_UNITS = 20_000
# Draws that a thread is given at once, for handing them over costs time too.
_DRAWS_AT_ONCE = 4


def sums_of_draws(
    scored: ScoredUnits, terms_by_metric: dict[str, PowerSums], *, seed: int, draws: int
) -> dict[str, Floats]:
    """Return the sums of each metric's columns over each draw's units, by stratum.

    Parameters
    ----------
    scored : ScoredUnits
        The scored units and the plan.
    terms_by_metric : dict of str to PowerSums
        What is summed, by metric.
    seed, draws : int
        As for `draw_batches`.

    Returns
    -------
    dict of str to ndarray of float64, shape (draws, H, c)
    """
    if scored.is_large:
        return _gathered(scored, terms_by_metric, seed=seed, draws=draws)
    return by_metric(terms_by_metric, _sums(scored, table_of(terms_by_metric), seed=seed, draws=draws))


def table_of(terms_by_metric: dict[str, PowerSums]) -> Floats:
    """Return every metric's columns side by side, shape (units, columns)."""
    return np.column_stack([terms.columns for terms in terms_by_metric.values()])


def by_metric(terms_by_metric: dict[str, PowerSums], sums: Floats) -> dict[str, Floats]:
    """Split the sums of the table's columns by metric."""
    widths = np.cumsum([terms.columns.shape[1] for terms in terms_by_metric.values()])
    return dict(zip(terms_by_metric, np.split(sums, widths[:-1], axis=-1), strict=True))


def places(scored: ScoredUnits, seed: int, draw: int) -> IntArray:
    """Return the places of a draw's units among the scored ones."""
    indices = scored.plan.batch(seed, draw).indices
    return indices if scored.drawn is None else np.searchsorted(scored.drawn, indices)


def by_stratum(rows: Floats, plan: Plan, draws: int = 1) -> Floats:
    """Return the sums over the rows of each draw's strata, shape (draws, H, columns)."""
    starts = np.zeros(1, np.intp)
    if plan.strata is not None:
        starts = np.concatenate([starts, np.cumsum(plan.strata.drawn)[:-1]])
    starts = (np.arange(draws)[:, None] * plan.batch_size + starts).ravel()
    # Not `rows.sum(axis=0)`, which takes ten times as long where there are few columns.
    return np.add.reduceat(rows, starts, axis=0).reshape(draws, -1, rows.shape[1])


def _gathered(
    scored: ScoredUnits, terms_by_metric: dict[str, PowerSums], *, seed: int, draws: int
) -> dict[str, Floats]:
    """Read the drawn units' values alone, for many draws at once, so that the disk is read in few passes."""
    plan = scored.plan
    parts: dict[str, list[Floats]] = {metric: [] for metric in terms_by_metric}
    table = (
        held_table(scored.scores)
        if all(isinstance(terms.a, StoredColumn) for terms in terms_by_metric.values())
        else None
    )
    at_once = max(1, BLOCK_VALUES // plan.batch_size)
    for start in range(0, draws, at_once):
        indices = [places(scored, seed, i) for i in range(start, min(start + at_once, draws))]
        if table is None:
            at = np.stack(indices)
            found = {metric: terms.sums_at(at, plan) for metric, terms in terms_by_metric.items()}
        else:
            found = _looked_up(terms_by_metric, table, indices)
        for metric, sums in found.items():
            parts[metric].append(sums)
    return {metric: np.concatenate(part) for metric, part in parts.items()}


def _looked_up(
    terms_by_metric: dict[str, PowerSums], table: NDArray[Any], indices: list[IntArray]
) -> dict[str, Floats]:
    """Each draw's sums by metric, looked up in a table of the values, on all cores."""

    def look_up(some: list[IntArray]) -> list[list[Floats]]:
        # A plan draws valid indices, so mode="clip" only skips the bounds check, which takes a fifth of the time.
        drawn = (table.take(rows, axis=0, mode="clip").T.astype(np.float64, order="C") for rows in some)
        return [
            [terms.sums_of(a) for terms, a in zip(terms_by_metric.values(), columns, strict=True)] for columns in drawn
        ]

    at_once = max(1, _STRIPE_VALUES // len(indices[0]))
    stripes = [indices[start : start + at_once] for start in range(0, len(indices), at_once)]
    sums = [found for stripe in on_all_cores(look_up, stripes) for found in stripe]
    return {metric: np.concatenate([found[place] for found in sums]) for place, metric in enumerate(terms_by_metric)}


def _sums(scored: ScoredUnits, table: Floats, *, seed: int, draws: int) -> Floats:
    """Sums of the table's columns over each draw's units, by stratum, shape (draws, H, columns), on all cores."""
    plan = scored.plan
    # 0 times an infinite loss is nan, which would also reach batches without such a row.
    use_histogram = (
        scored.drawn is None
        and plan.strata is None
        and plan.batch_size > _HISTOGRAM_SHARE * plan.size
        and bool(np.isfinite(table).all())
    )
    together = max(1, _CACHED_VALUES // plan.batch_size)
    if use_histogram:
        # BLAS multiplies a vector by columns twice as fast as by rows.
        table, together = np.asfortranarray(table), 1

    def add_up(some: range) -> Floats:
        if use_histogram:
            counts = np.bincount(plan.batch(seed, some.start).indices, minlength=plan.size)
            return (counts.astype(np.float64)[None] @ table)[None]
        at = np.concatenate([places(scored, seed, draw) for draw in some])
        with np.errstate(invalid="ignore"):
            return by_stratum(table.take(at, axis=0), plan, len(some))

    def add_up_all(stripe: range) -> Floats:
        return np.concatenate([add_up(stripe[i : i + together]) for i in range(0, len(stripe), together)])

    at_once = _DRAWS_AT_ONCE if plan.batch_size >= _SHARED_UNITS else draws
    stripes = [range(start, min(start + at_once, draws)) for start in range(0, draws, at_once)]
    return np.concatenate(on_all_cores(add_up_all, stripes))
