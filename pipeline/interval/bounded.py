"""Guaranteed intervals for every design they can be made for: its values brought to [0, 1], and stratum by stratum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.interval.base import Interval, in_words, standard_error
from pipeline.records import Batches, Estimate, Strata
from pipeline.sampling.base import Plan

Floats = NDArray[np.float64]
# `capital.fixed_interval` and its like.
Capital = Callable[..., tuple[Floats, Floats]]


@dataclass
class Capped(Interval):
    """An interval that is guaranteed for losses of which none is above a cap.

    Attributes
    ----------
    cap : float or None
        What no loss is above, nats; None takes ``study.loss_cap``.
    """

    cap: float | None = None

    needs_values: ClassVar[bool] = True
    is_guaranteed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.cap is not None and not (self.cap > 0 and np.isfinite(self.cap)):
            raise BadInput(f"interval.loss.cap must be above 0 nats and finite, or null; found {self.cap}")

    def check(self, plan: Plan, target: str) -> None:
        """Refuse to go without a cap, and a design or target that the game is not fair under."""
        self.known_cap()
        refuse_unbounded(plan, target, metric="loss", interval=self.name)

    def with_cap(self, cap: float | None) -> Interval:
        """Return the interval with this cap where it has none of its own."""
        return replace(self, cap=cap) if self.cap is None else self

    def known_cap(self) -> float:
        """Return the cap.

        Raises
        ------
        BadInput
            If there is none.
        """
        if self.cap is None:
            raise BadInput(
                f"interval.loss.cap must be the most that a loss can be, in nats, for interval/loss={self.name}; "
                "found null: set it, or study.loss_cap"
            )
        return self.cap


def refuse_unbounded(plan: Plan, target: str, *, metric: str, interval: str) -> None:
    """Refuse a design or a target under which nothing is guaranteed.

    Raises
    ------
    BadInput
        If the units do not come in random order, if a proxy corrects the estimate, or if the world is asked about by
        rows that repeat, or by the shares and chances that these N rows have.
    """
    key = f"interval/{metric}={interval}"
    if not plan.is_exchangeable:
        raise BadInput(f"{key} must have rows in random order; this sampling gives none: choose another one")
    if plan.auxiliary(metric) is not None:
        raise BadInput(
            f"{key} must have the batch's own mean; this sampling corrects it by a proxy: choose another sampling"
        )
    if target == "superpopulation" and not (plan.is_finite and plan.is_simple):
        raise BadInput(_simple_only(key))


def bounded_estimate(
    batches: Batches, confidence: float, capital: Capital, *, cap: float, key: str, words: str
) -> Estimate:
    """Put a guaranteed interval around the estimate of each batch.

    Strata have an interval each, at the confidence 1 - α/H, and their ends are weighted by the strata's shares
    (Bonferroni). Weights, groups and unequal chances give values that are bounded and right on average
    (``Batches.expanded``). Where their estimate, a ratio, is outside the interval, the nearer end is moved to it.

    Parameters
    ----------
    batches : Batches
        With values.
    confidence : float
        In (0, 1).
    capital : callable
        From values in [0, 1], shape (m, n), to the ends.
    cap : float
        What the rows' values lie below; they are at least 0.
    key : str
        What is configured, for errors: ``interval/loss=betting``.
    words : str
        The method, for people.

    Raises
    ------
    BadInput
        If a value is above the cap, or the world is asked about by weights or groups.
    """
    if batches.expanded is None:
        raise ValueError("bounded_estimate must have the units' values; found batches without")
    if batches.target == "superpopulation" and not batches.is_simple:
        raise BadInput(_simple_only(key))
    lowest, highest = (cap * bound for bound in batches.bounds)
    _refuse_above(batches.expanded, highest, cap, key)
    values = np.clip((batches.expanded - lowest) / (highest - lowest), 0.0, 1.0)
    low, high = _over_strata(values, batches, confidence, capital)
    low, high = (np.clip(lowest + (highest - lowest) * end, 0.0, cap) for end in (low, high))
    low, high = np.minimum(low, batches.mean), np.maximum(high, batches.mean)
    if batches.population_size == batches.n:
        low, high = batches.mean, batches.mean
    return Estimate(batches.mean, standard_error(batches), low, high, batches.n, in_words(words, batches, confidence))


def _over_strata(values: Floats, batches: Batches, confidence: float, capital: Capital) -> tuple[Floats, Floats]:
    is_finite = batches.population_size is not None
    size = batches.population_size or batches.n
    strata = batches.strata or Strata(np.array([batches.n]), np.array([size]))
    low, high = np.zeros(len(values)), np.zeros(len(values))
    each = 1 - (1 - confidence) / len(strata.drawn)
    limits = pairwise([0, *np.cumsum(strata.drawn)])
    for (start, stop), share, size in zip(limits, strata.shares, strata.sizes, strict=True):
        ends = capital(values[:, start:stop], confidence=each, population_size=int(size) if is_finite else None)
        low += share * ends[0]
        high += share * ends[1]
    return low, high


def _refuse_above(expanded: Floats, highest: float, cap: float, key: str) -> None:
    most = float(expanded.max())
    # Not `>`, which nan would pass; rounding in the expansions is no loss above the cap.
    if not most <= highest * (1 + 1e-9) + 1e-12:
        raise BadInput(
            f"interval.loss.cap must be at least every loss; found a loss of {most / highest * cap:.6g} nats "
            f"and a cap of {cap:g} for {key}: raise it, or set study.loss_cap, which cuts losses to it"
        )


def _simple_only(key: str) -> str:
    return (
        f"{key} with interval.target=superpopulation must have a simple random sample of rows, none of them twice; "
        "found another design, groups or weights: choose sampling=without_replacement, or interval.target=population"
    )
