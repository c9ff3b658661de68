"""Stratified sampling: the population is cut into parts, and each part is drawn from separately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.records import Batch, Frame, IntArray, Strata
from pipeline.sampling.allocation import allocate, fewest
from pipeline.sampling.base import Plan, Sampling, refuse_more_than_all
from pipeline.sampling.order import by_difficulty
from pipeline.stored import refuse_too_many

_CHOICES = {"by": ("label", "proxy"), "allocation": ("proportional", "neyman"), "metric": ("loss", "accuracy")}

# By simulation on a published network's losses on MNIST, deciles of confidence, b = 1,000: pilots of 200 and 500 rows
# reduce the variance 1.5 and 1.6 times (true deviations 2.4 times, proportional allocation 1.3 times); with no such
# rows they raise it ninefold and sevenfold, for an easy decile's rare large losses are not in them.
_PRIOR_ROWS = 10


@dataclass
class Stratified(Sampling):
    """Draw from each stratum without replacement; the estimate is the mean of the strata's means, weighted by size.

    It is unbiased, and pays where strata differ: what varies between them no longer adds to the error
    [Cochran 1977, Sampling Techniques, chapters 5 and 5A].

    Attributes
    ----------
    by : str
        ``label``: a stratum for each class that has rows. ``proxy``: groups of equal size by the proxy's difficulty.
    strata : int
        How many, at least 2, with ``by=proxy``; the labels say it themselves.
    allocation : str
        ``proportional`` to the strata's sizes, or ``neyman``: to size times standard deviation, which is best for
        `metric`. Either way at least two rows of each stratum (or its only one), and never more than it has.
    pilot : int
        Rows that are evaluated beforehand for ``neyman``, spread over the strata in proportion to their sizes; all
        their standard deviations are the true ones from N on. Else a stratum's variance is taken together with the
        pilot's within all strata, which counts as ten rows: that a few rows of a stratum are alike does not say that
        all are. Where the pilot varies in no stratum, the allocation is proportional.
    metric : str
        Whose spread ``neyman`` goes by: ``loss`` or ``accuracy``.
    seed : int
        Of the pilot alone, at least 0; it is the same for every draw and batch size.
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
        """Cut the population into strata, and share the batch out among them.

        Raises
        ------
        BadInput
            If the batch is larger than the population or smaller than the strata need, or there are no labels to go by.
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
        """Each stratum's standard deviation, from a pilot or from all rows, shape (H,)."""
        if not frame.is_simple:
            raise BadInput(
                "sampling.allocation=neyman must have rows that count alike; found data.group or data.weight: "
                "choose allocation=proportional"
            )
        is_all = self.pilot >= frame.size
        chosen = members if is_all else self._pilot(members, sizes)
        scores = frame.score(np.concatenate(chosen))
        values = scores.loss if self.metric == "loss" else scores.correct.astype(np.float64)
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
        # The spawn key keeps it apart from every draw's generator.
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(0,)))
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
        How many of each there are, and are drawn.
    by : str
        What they are made by, for people.
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
        """The strata, in whose order a batch's units stand."""
        return self.parts

    def draw(self, rng: np.random.Generator) -> Batch:
        """Draw one batch; each unit's probability is its stratum's sampled share."""
        sizes, drawn = self.parts.sizes, self.parts.drawn
        found, start = [], 0
        for size, n in zip(sizes.tolist(), drawn.tolist(), strict=True):
            found.append(start + (rng.choice(size, n, replace=False, shuffle=False) if n < size else np.arange(size)))
            start += size
        return Batch(self.members[np.concatenate(found)], np.repeat(drawn / sizes, drawn))

    def error_variance(self, values: NDArray[np.float64], metric: str) -> float:
        """Return Σ W² (1 - n/N) S²/n over the strata  [Cochran 1977, Sampling Techniques, eq. 5.6]."""
        sizes, n = self.parts.sizes, self.parts.drawn
        spread = _squares(values[self.members], sizes) / np.maximum(sizes - 1, 1)
        return float((self.parts.shares**2 * (1 - n / sizes) * spread / n).sum())


def _squares(values: NDArray[np.float64], sizes: IntArray) -> NDArray[np.float64]:
    """Sums of squares about each stratum's own mean, of values that stand stratum by stratum, shape (H,)."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(values, starts) / sizes
    return np.add.reduceat((values - np.repeat(means, sizes)) ** 2, starts)
