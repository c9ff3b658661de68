"""Many batches from scores: each draw's moments, without touching the model again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Moments, Scores
from pipeline.sampling.base import Sampling, generator

# Above this share of the population a histogram of the indices times the table of values costs less than taking rows.
_HISTOGRAM_SHARE = 0.15


@dataclass(frozen=True, eq=False)
class Draws:
    """The moments of both metrics in each of m batches."""

    loss: Moments
    accuracy: Moments


def draw_moments(
    scores: Scores,
    sampling: Sampling,
    *,
    seed: int,
    batch_size: int,
    draws: int,
    rows: NDArray[np.intp] | None,
    size: int,
) -> Draws:
    """Draw the batches and give each one's mean and variance of loss and of correctness.

    Parameters
    ----------
    scores : Scores
        Of the whole population, or of `rows` alone.
    sampling : Sampling
        The design.
    seed, batch_size, draws : int
        Draw i takes its generator from ``SeedSequence((seed, batch_size, i))``.
    rows : ndarray of int, sorted, or None
        The rows that were scored; None when all were.
    size : int
        N, the rows in the population.

    Returns
    -------
    Draws
        Arrays of shape (draws,); variances have the divisor b - 1 and are ``nan`` for b = 1.
    """
    centre = float(scores.loss.mean())
    if not np.isfinite(centre):
        centre = 0.0
    # Centred first, so that the variance from sums of squares loses no digits.
    centred = scores.loss - centre
    table = np.column_stack([centred, centred * centred, scores.correct.astype(np.float64)])
    # 0 times an infinite loss is nan, so a histogram would spoil batches that hold no such row.
    use_histogram = rows is None and batch_size > _HISTOGRAM_SHARE * size and bool(np.isfinite(table).all())
    sums = np.empty((draws, 3))
    for i in range(draws):
        indices = sampling.draw(size, batch_size, generator(seed, batch_size, i)).indices
        if use_histogram:
            sums[i] = np.bincount(indices, minlength=size).astype(np.float64) @ table
        else:
            at = indices if rows is None else np.searchsorted(rows, indices)
            sums[i] = table.take(at, axis=0).sum(axis=0)
    return _moments(sums, centre, batch_size, sampling.correction(size))


def drawn_rows(sampling: Sampling, *, seed: int, batch_size: int, draws: int, size: int) -> NDArray[np.intp]:
    """Every row that the draws need, sorted, once each."""
    needed = np.zeros(size, dtype=bool)
    for i in range(draws):
        needed[sampling.draw(size, batch_size, generator(seed, batch_size, i)).indices] = True
    return np.flatnonzero(needed)


def _moments(sums: NDArray[np.float64], centre: float, n: int, population_size: int | None) -> Draws:
    share = sums[:, 2] / n
    with np.errstate(invalid="ignore"):
        mean = centre + sums[:, 0] / n
        spread = np.maximum(sums[:, 1] - sums[:, 0] ** 2 / n, 0.0)
    undefined = np.full(len(sums), np.nan)
    return Draws(
        loss=Moments(n, mean, spread / (n - 1) if n > 1 else undefined, population_size),
        accuracy=Moments(n, share, share * (1 - share) * n / (n - 1) if n > 1 else undefined, population_size),
    )
