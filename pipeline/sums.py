"""Sums over each draw's units, from a table of all units or from the drawn ones' values alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.cores import on_all_cores
from pipeline.joint import Floats, Joint
from pipeline.records import IntArray
from pipeline.sampling.base import Plan
from pipeline.stored import Stored, held_table

if TYPE_CHECKING:
    from pipeline.draws import Scored

# Above this share of the population a histogram of the indices times the table of values costs less than taking rows.
_HISTOGRAM_SHARE = 0.15
# Values of one metric that are held at once.
BLOCK_VALUES = 2_000_000
# And by one thread.
_STRIPE_VALUES = 100_000


def sums_of_draws(scored: Scored, joints: dict[str, Joint], *, seed: int, draws: int) -> dict[str, Floats]:
    """Return the sums of each metric's columns over each draw's units, by stratum.

    Parameters
    ----------
    scored : Scored
        The scored units and the plan.
    joints : dict of str to Joint
        What is summed, by metric.
    seed, draws : int
        As for `draw_batches`.

    Returns
    -------
    dict of str to ndarray of float64, shape (draws, H, c)
    """
    if scored.is_large:
        return _gathered(scored, joints, seed=seed, draws=draws)
    return by_metric(joints, _sums(scored, table_of(joints), seed=seed, draws=draws))


def table_of(joints: dict[str, Joint]) -> Floats:
    """Return every metric's columns side by side, shape (units, columns)."""
    return np.column_stack([joint.columns for joint in joints.values()])


def by_metric(joints: dict[str, Joint], sums: Floats) -> dict[str, Floats]:
    """Cut the sums of the table's columns into those of each metric."""
    widths = np.cumsum([joint.columns.shape[1] for joint in joints.values()])
    return dict(zip(joints, np.split(sums, widths[:-1], axis=-1), strict=True))


def places(scored: Scored, seed: int, draw: int) -> IntArray:
    """Where a draw's units stand among the scored ones."""
    indices = scored.plan.batch(seed, draw).indices
    return indices if scored.drawn is None else np.searchsorted(scored.drawn, indices)


def by_stratum(rows: Floats, plan: Plan) -> Floats:
    """Sums over the rows of each stratum, shape (H, columns)."""
    if plan.strata is None:
        return rows.sum(axis=0, keepdims=True)
    return np.add.reduceat(rows, np.concatenate([[0], np.cumsum(plan.strata.drawn)[:-1]]), axis=0)


def _gathered(scored: Scored, joints: dict[str, Joint], *, seed: int, draws: int) -> dict[str, Floats]:
    """From the drawn units' values alone: many draws at once where values are read from disk for them."""
    plan = scored.plan
    parts: dict[str, list[Floats]] = {metric: [] for metric in joints}
    table = held_table(scored.scores) if all(isinstance(joint.a, Stored) for joint in joints.values()) else None
    at_once = max(1, BLOCK_VALUES // plan.batch_size)
    for start in range(0, draws, at_once):
        indices = [places(scored, seed, i) for i in range(start, min(start + at_once, draws))]
        if table is None:
            at = np.stack(indices)
            found = {metric: joint.sums_at(at, plan) for metric, joint in joints.items()}
        else:
            found = _looked_up(joints, table, indices)
        for metric, sums in found.items():
            parts[metric].append(sums)
    return {metric: np.concatenate(part) for metric, part in parts.items()}


def _looked_up(joints: dict[str, Joint], table: NDArray[Any], indices: list[IntArray]) -> dict[str, Floats]:
    """Each draw's sums by metric from a table of the values themselves, on all cores."""

    def look_up(some: list[IntArray]) -> list[list[Floats]]:
        # Rows that a plan drew are rows there are: to look at each again costs a fifth of the time.
        drawn = (table.take(rows, axis=0, mode="clip").T.astype(np.float64, order="C") for rows in some)
        return [[joint.sums_of(a) for joint, a in zip(joints.values(), columns, strict=True)] for columns in drawn]

    at_once = max(1, _STRIPE_VALUES // len(indices[0]))
    stripes = [indices[start : start + at_once] for start in range(0, len(indices), at_once)]
    sums = [found for stripe in on_all_cores(look_up, stripes) for found in stripe]
    return {metric: np.concatenate([found[place] for found in sums]) for place, metric in enumerate(joints)}


def _sums(scored: Scored, table: Floats, *, seed: int, draws: int) -> Floats:
    """Sums of the table's columns over each draw's units, by stratum, shape (draws, H, columns)."""
    plan = scored.plan
    # 0 times an infinite loss is nan, so a histogram would spoil batches that hold no such row.
    use_histogram = (
        scored.drawn is None
        and plan.strata is None
        and plan.batch_size > _HISTOGRAM_SHARE * plan.size
        and bool(np.isfinite(table).all())
    )
    n_strata = 1 if plan.strata is None else len(plan.strata.drawn)
    sums = np.empty((draws, n_strata, table.shape[1]))
    for i in range(draws):
        if use_histogram:
            counts = np.bincount(plan.batch(seed, i).indices, minlength=plan.size)
            sums[i, 0] = counts.astype(np.float64) @ table
        else:
            with np.errstate(invalid="ignore"):
                sums[i] = by_stratum(table.take(places(scored, seed, i), axis=0), plan)
    return sums
