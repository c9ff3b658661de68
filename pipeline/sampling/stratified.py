"""Stratified sampling: the population is divided into strata, and each stratum is sampled separately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batch, Strata
from ..records.rows import IntArray
from ..records.stored import refuse_too_many
from .allocation import allocate, fewest
from .base import Plan, Sampling, refuse_more_than_all
from .difficulty_order import by_difficulty
from .frame import Frame
from .streams import PILOT, generator

_CHOICES = {"by": ("label", "proxy"), "allocation": ("proportional", "neyman"), "metric": ("loss", "accuracy")}

# How many rows the variance pooled over the strata counts as. Simulated on a published network's losses on MNIST, with
# deciles of confidence and b = 1,000: with 10, pilots of 200 and 500 rows reduce the variance 1.5 and 1.6 times (true
# standard deviations 2.4 times, proportional allocation 1.3 times). With 0 they raise it nine and seven times, because
# a pilot misses the rare large losses of an easy decile.
_PRIOR_ROWS = 10


@dataclass
class Stratified(Sampling):
    """Draw from each stratum without replacement; the estimate is the mean of the strata's means, weighted by size.

    The estimate is unbiased. It gains where the strata differ, because the variance between them no longer adds to the
    error  [Cochran 1977, Sampling Techniques, chapters 5 and 5A].

    Attributes
    ----------
    by : str
        ``label``: a stratum for each class that has rows. ``proxy``: strata of equal size by the proxy's difficulty.
    strata : int
        The number of strata with ``by=proxy``, at least 2; ignored with ``by=label``.
    allocation : str
        ``proportional`` to the strata's sizes, or ``neyman``: to size times standard deviation, which is best for
        `metric`. Either way at least two rows of each stratum (or its only one), and never more than it has.
    pilot : int
        Rows that are evaluated beforehand for ``neyman``, at least 1, spread over the strata in proportion to their
        sizes. From N on, the standard deviations are the true ones. Below, a stratum's variance is pooled with the
        variance within all strata, which counts as ten rows, because a few equal rows do not show that all rows of the
        stratum are equal. If the pilot varies in no stratum, the allocation is proportional.
    metric : str
        The metric whose standard deviations ``neyman`` uses: ``loss`` or ``accuracy``.
    seed : int
        Of the pilot alone, at least 0; the pilot is the same for every draw and batch size.
    """

    name: str = "stratified"
    by: str = "label"
    strata: int = 10
    allocation: str = "proportional"
    pilot: int = 500
    metric: str = "loss"
    seed: int = 0

    def __post_init__(self) -> None:
        for key, choices in _CHOICES.items():
            if getattr(self, key) not in choices:
                raise BadInput(f"sampling.{key} must be one of {', '.join(choices)}; found {getattr(self, key)!r}")
        for key, least in (("strata", 2), ("pilot", 1), ("seed", 0)):
            if getattr(self, key) < least:
                raise BadInput(f"sampling.{key} must be a whole number of at least {least}; found {getattr(self, key)}")

    def plan(self, frame: Frame, batch_size: int) -> Plan:
        """Divide the population into strata, and allocate the batch to them.

        Raises
        ------
        BadInput
            If the batch is larger than the population or smaller than the strata need, or ``by=label`` has no labels.
        """
        refuse_more_than_all(frame.size, batch_size)
        refuse_too_many(frame.size, "sampling=stratified")
        members = self._members(frame)
        sizes = np.array([len(stratum) for stratum in members])
        needed = int(fewest(sizes).sum())
        if batch_size < needed:
            instead = "fewer strata" if self.by == "proxy" else "another design"
            raise BadInput(
                f"batch_size must be at least {needed:,}, two for each of the {len(sizes):,} strata by {self.by}; "
                f"found {batch_size:,}: choose a larger one, or {instead}"
            )
        weights = sizes.astype(np.float64)
        if self.allocation == "neyman":
            weights = sizes * self._deviations(frame, members, sizes)
        return StratifiedPlan(
            frame.size,
            batch_size,
            np.concatenate(members),
            Strata(allocate(weights, sizes, batch_size), sizes),
            self.by,
        )

    def _members(self, frame: Frame) -> list[IntArray]:
        if self.by == "proxy":
            if self.strata > frame.size:
                raise BadInput(
                    f"sampling.strata must be at most the population's {frame.size:,} rows; found {self.strata:,}"
                )
            return np.array_split(by_difficulty(frame), self.strata)
        if frame.labels is None:
            raise BadInput(
                "sampling.by=label must have a label for each unit; found none, as with data.group, blocks, or "
                "scores alone: choose sampling.by=proxy, or leave data.group out"
            )
        counts = np.unique(frame.labels, return_counts=True)[1]
        return np.split(np.argsort(frame.labels, kind="stable"), np.cumsum(counts)[:-1])

    def _deviations(self, frame: Frame, members: list[IntArray], sizes: IntArray) -> NDArray[np.float64]:
        """The standard deviation of each stratum, from a pilot or from all rows, shape (H,)."""
        if not frame.is_simple:
            raise BadInput(
                "sampling.allocation=neyman must have single rows of equal weight; found data.group or data.weight: "
                "choose allocation=proportional"
            )
        is_all = self.pilot >= frame.size
        chosen = members if is_all else self._pilot(members, sizes)
        scores = frame.score(np.concatenate(chosen))
        values = scores.values(self.metric)
        if not np.isfinite(values).all():
            raise BadInput(
                f"sampling.allocation=neyman must have finite losses to go by; found {np.isinf(values).sum():,} "
                "infinite ones: choose sampling.metric=accuracy or sampling.allocation=proportional"
            )
        n = np.array([len(part) for part in chosen])
        squares, free = _squares(values, n), np.maximum(n - 1, 0)
        if not is_all:
            pooled = squares.sum() / max(free.sum(), 1)
            squares, free = squares + _PRIOR_ROWS * pooled, free + _PRIOR_ROWS
        return np.sqrt(squares / np.maximum(free, 1))

    def _pilot(self, members: list[IntArray], sizes: IntArray) -> list[IntArray]:
        needed = int(fewest(sizes).sum())
        if self.pilot < needed:
            raise BadInput(
                f"sampling.pilot must be at least {needed:,}, two rows for each of the {len(sizes):,} strata; found "
                f"{self.pilot:,}"
            )
        rng = generator(PILOT, self.seed)
        spread_out = allocate(sizes.astype(np.float64), sizes, self.pilot)
        return [rng.choice(part, n, replace=False) for part, n in zip(members, spread_out, strict=True)]


@dataclass(frozen=True, eq=False)
class StratifiedPlan(Plan):
    """A simple random sample without replacement of each stratum.

    Attributes
    ----------
    members : ndarray of int, shape (N,)
        The units, stratum by stratum.
    parts : Strata
        The sizes of the strata, and how many units are drawn from each.
    by : str
        What the strata are made by, for display.
    """

    members: IntArray
    parts: Strata
    by: str

    is_finite: ClassVar[bool] = True

    @property
    def words(self) -> str:
        """How the design shapes the error."""
        return f"{len(self.parts.sizes):,} strata by {self.by}"

    @property
    def strata(self) -> Strata:
        """The strata; the units of a batch stand in their order."""
        return self.parts

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch, stratum by stratum."""
        sizes, drawn = self.parts.sizes, self.parts.drawn
        found, start = [], 0
        for size, n in zip(sizes.tolist(), drawn.tolist(), strict=True):
            found.append(start + (rng.choice(size, n, replace=False, shuffle=False) if n < size else np.arange(size)))
            start += size
        return Batch(self.members[np.concatenate(found)])

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return Σ W² (1 - n/N) S²/n over the strata  [Cochran 1977, Sampling Techniques, eq. 5.6]."""
        sizes, n = self.parts.sizes, self.parts.drawn
        spread = _squares(values[self.members], sizes) / np.maximum(sizes - 1, 1)
        return float((self.parts.shares**2 * (1 - n / sizes) * spread / n).sum())


def _squares(values: NDArray[np.float64], sizes: IntArray) -> NDArray[np.float64]:
    """Sums of squared deviations from each stratum's mean, of values in the order of the strata, shape (H,)."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(values, starts) / sizes
    return np.add.reduceat((values - np.repeat(means, sizes)) ** 2, starts)
