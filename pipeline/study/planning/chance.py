"""What of a design's variance ratio is chance: the pilot that it was made from, the order that it counts in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ...estimation.multiple_tests import holm
from ...estimation.scored_units import ScoredUnits
from ...report.designs import FEWEST
from ...sampling.base import Plan, Sampling
from ...sampling.frame import Frame
from ...sampling.streams import ORDERS, PILOTS, generator, seed_sequence
from ...sampling.systematic import SystematicPlan

Floats = NDArray[np.float64]

# Random orders that a systematic sample's order is held against, and how many of them may do as well.
_ORDERS, _AS_GOOD = 200, 0.05


@dataclass(frozen=True)
class Chance:
    """What a design's ratio owes to chance.

    Attributes
    ----------
    different : float
        Batches that it can draw and that are not nearly the same, at least 1; inf where they are too many to count.
    as_good : float
        Share of random orders in which a systematic sample's ratio is as large; nan of other designs.
    """

    different: float = math.inf
    as_good: float = math.nan

    @property
    def is_ranked(self) -> bool:
        """Whether the ratio may be held against those of other designs."""
        return self.different >= FEWEST and not self.as_good > _AS_GOOD


def plans_of(sampling: Sampling, frame: Frame, batch_size: int) -> list[Plan]:
    """Return the design's plans: one, or if a pilot of some of the rows makes it, 100 by pilots of their own.

    Pilots are as many as the different batches that a ranked design has at least; the first is the configured one.
    """
    first = sampling.plan(frame, batch_size)
    is_by_pilot = getattr(sampling, "allocation", "") == "neyman" and getattr(sampling, "pilot", 0) < frame.size
    if not is_by_pilot:
        return [first]
    own: Any = sampling
    return [first, *(replace(own, seed=seed).plan(frame, batch_size) for seed in seeds_of(own.seed, FEWEST)[1:])]


def seeds_of(seed: int, n: int) -> list[int]:
    """Return n seeds, the given one first; of the others, 64-bit numbers, none is a neighbouring seed's."""
    return [seed, *seed_sequence(PILOTS, seed).generate_state(n - 1, np.uint64).tolist()]


def chance_of(scored: ScoredUnits, metric: str, seed: int) -> Chance:
    """Count a design's different batches, and hold a systematic sample's order against random ones.

    A systematic sample from start r + k is the one from r but for one row, so k = ⌊N/b⌋ starts differ. In a random
    order the ratio is as large as in the order at hand with a chance that 200 of them, the same in every run, tell.
    """
    plan = scored.plan
    if not isinstance(plan, SystematicPlan):
        return Chance()
    if scored.is_large or plan.step == 1:
        return Chance(plan.step)
    found = scored.error_variance(metric)
    rng = generator(ORDERS, seed)
    others = [scored.error_variance(metric, replace(plan, order=rng.permutation(plan.size))) for _ in range(_ORDERS)]
    # Of so many orders and the one at hand.
    return Chance(plan.step, (1 + float(np.sum(np.array(others) <= found))) / (_ORDERS + 1))


def ratio_range(
    ratio: float, drawn: float, drawn_error: float, by_pilot: Floats, chance: Chance
) -> tuple[float, float]:
    """Return between what limits the ratio lies with 95 %, over the chance that the design has.

    Parameters
    ----------
    ratio : float
        From the population's scores.
    drawn, drawn_error : float
        From the draws, with its standard error.
    by_pilot : ndarray of float64, shape (p,)
        The ratio with each pilot; one where there is none.
    chance : Chance
        Of a systematic sample, whose k batches tell a variance with k - 1 degrees of freedom.
    """
    if math.isfinite(chance.different) and chance.different > 1:
        free = chance.different - 1
        low, high = ratio * scipy.special.chdtri(free, np.array([0.975, 0.025])) / free
        return float(low), float(high)
    if len(by_pilot) > 1:
        low, high = np.quantile(by_pilot, [0.025, 0.975])
        return float(low), float(high)
    factor = math.exp(1.96 * drawn_error / drawn) if drawn > 0 else math.nan
    return drawn / factor, drawn * factor


def bias_z(error: Floats) -> float:
    """Return how many standard errors the mean error is from 0, corrected for skewness; nan where nothing varies.

    A mean that is low for want of rare large errors has a low spread for the same want, so that mean over standard
    error is skewed. Hall's cubic transformation removes that to first order  [Hall 1992, JRSS B 54, 221-228].
    """
    spread, n = float(error.std()), len(error)
    if not (spread > 0 and math.isfinite(spread)):
        return math.nan
    z = float(error.mean()) / spread * math.sqrt(n)
    k = float(np.mean(((error - error.mean()) / spread) ** 3)) / math.sqrt(n)
    return z + k * z**2 / 3 + k**2 * z**3 / 27 + k / 6


def bias_p(z: Sequence[float]) -> Floats:
    """Return the p values of no bias, all tests judged together by Holm's method; nan where `z` is.

    Parameters
    ----------
    z : sequence of float
        As `bias_z` has them.
    """
    return holm(2 * scipy.special.ndtr(-np.abs(np.asarray(z, dtype=np.float64))))
