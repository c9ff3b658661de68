"""Intervals: 10,000 of each vectorised kind against their means alone, and the BCa bootstrap against SciPy's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.measuring import REPEATS, Row, Size, median_seconds
from pipeline.estimation.draws import batches_of
from pipeline.interval import accuracy, loss
from pipeline.interval.base import Interval
from pipeline.interval.loss.bca import Bca

BATCHES, SMALL_BATCHES, ROWS, CONFIDENCE = 10_000, 100, 100, 0.95


def rows(size: Size) -> Iterator[Row]:
    """Yield a ratio an interval, then those of the bootstrap."""
    repeats = 1 if size == "small" else REPEATS
    for metric, members in (("loss", loss.MEMBERS), ("accuracy", accuracy.MEMBERS)):
        yield from _of_moments(metric, members, SMALL_BATCHES if size == "small" else BATCHES, repeats)
    for n in (100,) if size == "small" else (100, 1_000):
        yield _bca(n, repeats)


def _of_moments(metric: str, members: dict[str, type], batches: int, repeats: int) -> Iterator[Row]:
    """From the values to the intervals, for those that need no more than moments."""
    losses = np.random.default_rng(0).lognormal(-2, 1.5, (batches, ROWS))
    values = losses if metric == "loss" else (losses < 1.0).astype(np.float64)
    intervals: dict[str, Interval] = {name: part() for name, part in members.items() if not part.needs_values}
    seconds = median_seconds(
        {"": lambda: values.mean(axis=1), **{name: _work(intervals[name], values) for name in intervals}},
        repeats=repeats,
    )
    what = f"{batches:,} intervals at b = {ROWS} from their values / the means alone"
    for name in intervals:
        yield Row(f"{metric} {name}: {what}", seconds[name] / seconds[""], 20.0)


def _work(interval: Interval, values: NDArray[np.float64]) -> Callable[[], object]:
    return lambda: interval.estimate(batches_of(values), CONFIDENCE)


def _bca(n: int, repeats: int) -> Row:
    """One batch, the same number of resamples on either side; checked once to give nearly the same interval."""
    values, ours = np.random.default_rng(n).lognormal(-2, 1.5, (1, n)), Bca()

    def batchscope() -> NDArray[np.float64]:
        found = ours.estimate(batches_of(values, with_values=True), CONFIDENCE)
        return np.array([found.low[0], found.high[0]])

    def scipys() -> NDArray[np.float64]:
        found = stats.bootstrap(
            (values[0],), np.mean, n_resamples=ours.resamples, confidence_level=CONFIDENCE, method="BCa", rng=n
        )
        return np.array([found.confidence_interval.low, found.confidence_interval.high])

    mine, theirs = batchscope(), scipys()
    if np.abs(mine - theirs).max() > 0.1 * (theirs[1] - theirs[0]):
        raise ValueError(f"SciPy must find such an interval as ours; found {theirs} and {mine}")
    seconds = median_seconds({"ours": batchscope, "scipy": scipys}, repeats=repeats)
    what = f"BCa of one batch of {n:,}, {ours.resamples:,} resamples / SciPy's"
    return Row(what, seconds["ours"] / seconds["scipy"], 1.0)
