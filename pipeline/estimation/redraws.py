"""Samples of a known true gain, made from the rows at hand: how often a gate, or a rule, is wrong on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..metric.base import Metric
from ..records.verdict import UNDECIDED, WORSE
from .bounded_gain import BoundedGain
from .evidence import Floats, Gain
from .gain import ShareGain, differences, sign_of
from .mean_gain import MeanGain
from .unseen import assumed, reach_of
from .verdict import decide

# Values that are drawn for one check, and the fewest and the most samples that these make.
_VALUES, _FEWEST, _MOST = 3_000_000, 200, 2_000
# Rows of a sample that is drawn value by value; of more rows, the mean is as good as normal.
MOST_DRAWN = _VALUES // _FEWEST
_AT_ONCE = 1 << 20


def against_itself(
    columns: Sequence[tuple[Metric, NDArray[Any]]], rng: np.random.Generator, *, bound: float | None = None
) -> list[Gain]:
    """Return the gains of one model over itself: two samples of its rows, each drawn anew, row by row.

    Nothing is better or worse, so every verdict but *undecided* and *not worse* is a false one. The rows of the two
    samples are not the same, so the differences vary more than two alike models' would on the same rows.

    Parameters
    ----------
    columns : sequence of (Metric, ndarray of shape (N,))
        The model's values of each metric, of a share as booleans, or a number for each group of rows; of more than
        `MOST_DRAWN` rows, that many are taken at random.
    rng : Generator
    bound : float or None
        As `gain.gain_of` has it.

    Returns
    -------
    list of Gain
        By metric, of the same 200 to 2,000 samples of as many rows.
    """
    size = len(columns[0][1])
    rows = np.arange(size) if size <= MOST_DRAWN else np.sort(rng.choice(size, MOST_DRAWN, replace=False))
    values = [sign_of(metric) * np.asarray(column[rows], dtype=np.float64) for metric, column in columns]
    # The groups' values of a share are none of 0 and 1.
    shares = [metric.is_share and _is_share(column) for metric, column in columns]
    n, draws = len(rows), n_draws(len(rows))
    bounded = [metric.takes_loss_cap and bound is not None for metric, _ in columns]
    parts: list[list[Any]] = [[] for _ in columns]
    for block in _blocks(n, draws):
        one, other = rng.integers(0, n, (2, block, n), dtype=np.int32)
        for own, column, is_share, is_bounded in zip(parts, values, shares, bounded, strict=True):
            apart = column.take(other)
            apart -= column.take(one)
            own.append((apart,) if is_bounded else _counts(apart) if is_share else _moments(apart))
    made = [[np.concatenate(part) for part in zip(*own, strict=True)] for own in parts]
    return [_gain(n, own, metric, bound) for own, (metric, _) in zip(made, columns, strict=True)]


def _gain(n: int, own: list[Any], metric: Metric, bound: float | None) -> Gain:
    if len(own) == 1:
        assert bound is not None
        return BoundedGain(n, own[0], bound)
    return ShareGain(n, *own) if len(own) == 2 else _mean_gain(n, own, metric)


def _mean_gain(n: int, own: list[Any], metric: Metric) -> MeanGain:
    """Return the gain from mean, central moments and largest value of each sample."""
    *moments, largest = own
    reach = reach_of(metric)
    return MeanGain(n, *moments, unseen=0.0 if reach is None else assumed(largest, reach))


def n_draws(n: int) -> int:
    """Return how many samples of n rows are drawn for a check."""
    return int(np.clip(_VALUES // n, _FEWEST, _MOST))


@dataclass(frozen=True, eq=False)
class Rates:
    """How often a rule and the gate say what, by the true gain; arrays of shape (points,).

    Attributes
    ----------
    gain : ndarray of float64
        The true gains.
    fails : ndarray of float64
        Share of the samples in which the point estimate is below minus the rule's threshold.
    worse, undecided : ndarray of float64
        Share in which the gate, with the threshold as its margin and this metric alone, gives these verdicts.
    draws : int
        Samples at each point.
    """

    gain: Floats
    fails: Floats
    worse: Floats
    undecided: Floats
    draws: int


def rates_of_rule(
    metric: Metric,
    columns: tuple[NDArray[Any], NDArray[Any]],
    *,
    threshold: float,
    true_gains: Floats,
    confidence: float,
    rng: np.random.Generator,
) -> Rates:
    """Return how often "fail if the gain found is below -threshold" fails, and what the gate says, by the true gain.

    The samples have as many rows as there are. Of a mean they are the paired differences at hand, drawn anew with
    replacement and moved to the true gain; of a share, rows that turn right or wrong with the chances that give the
    true gain and, if it leaves room for that, as many turning rows as there are.

    Parameters
    ----------
    metric : Metric
    columns : (ndarray, ndarray) of shape (N,)
        The two models' values.
    threshold : float
        At least 0, in the metric's own unit.
    true_gains : ndarray of float64, shape (points,)
    confidence : float
        Of the gate.
    rng : Generator
    """
    n = len(columns[0])
    draws = n_draws(min(n, MOST_DRAWN))
    is_share = metric.is_share and all(_is_share(column) for column in columns)
    samples = _shares(columns, draws, rng) if is_share else _means(metric, columns, draws, rng)
    fails, worse, undecided = [], [], []
    for true in true_gains.tolist():
        sample = samples(true)
        codes = decide([sample], [threshold], confidence).codes[0]
        # A sum of ±1 over n may miss a round threshold by the last bit.
        fails.append(float(np.mean(sample.value < -threshold - 1e-12)))
        worse.append(float(np.mean(codes == WORSE)))
        undecided.append(float(np.mean(codes == UNDECIDED)))
    return Rates(true_gains, np.array(fails), np.array(worse), np.array(undecided), draws)


def _shares(columns: tuple[NDArray[Any], NDArray[Any]], draws: int, rng: np.random.Generator) -> Any:
    n = len(columns[0])
    turning = sum(int(np.count_nonzero(block)) for block in differences(*columns)) / n

    def sample(true: float) -> Gain:
        # At least one row in n turns, for two models that never differ are no two models.
        both = max(turning, abs(true), 1 / n)
        chances = [(both + true) / 2, (both - true) / 2, 1 - both]
        counts = rng.multinomial(n, chances, draws).astype(np.float64)
        return ShareGain(n, counts[:, 0], counts[:, 1])

    return sample


def _means(metric: Metric, columns: tuple[NDArray[Any], NDArray[Any]], draws: int, rng: np.random.Generator) -> Any:
    n = len(columns[0])
    own = sign_of(metric) * np.concatenate(list(differences(*columns)))
    own -= own.mean()
    if n <= MOST_DRAWN:
        blocks = [_moments(own.take(rng.integers(0, n, (block, n), dtype=np.int32))) for block in _blocks(n, draws)]
        mean, *central, largest = (np.concatenate(part) for part in zip(*blocks, strict=True))
    else:
        central = [np.full(draws, float(np.mean(own**power))) for power in (2, 3, 4)]
        mean, largest = rng.normal(0.0, np.sqrt(central[0] / n)), np.full(draws, np.abs(own).max())
    return _mean_gain(n, [mean, *central, largest], metric).shifted


def _is_share(column: NDArray[Any]) -> bool:
    return column.dtype == np.bool_


def _blocks(n: int, draws: int) -> Iterator[int]:
    at_once = max(1, _AT_ONCE // n)
    for start in range(0, draws, at_once):
        yield min(at_once, draws - start)


def _counts(differences: Floats) -> tuple[Floats, Floats]:
    """Return how many values are above 0 and how many below, of each row; shape (m,) each."""
    gained, lost = (np.count_nonzero(is_so, axis=1) for is_so in (differences > 0, differences < 0))
    return gained.astype(np.float64), lost.astype(np.float64)


def _moments(values: Floats) -> tuple[Floats, ...]:
    """Return of each row mean, second to fourth central moment, and the largest value without its sign, shape (m,).

    The values are overwritten.
    """
    mean, largest = values.mean(axis=1), np.maximum(values.max(axis=1), -values.min(axis=1))
    values -= mean[:, None]
    squares = values * values
    n = values.shape[1]
    third, fourth = (np.einsum("ij,ij->i", squares, other) / n for other in (values, squares))
    return mean, squares.mean(axis=1), third, fourth, largest
