"""Guaranteed intervals for every design that allows them: values are scaled to [0, 1], and strata are combined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..records.batches import Batches, Estimate, Strata
from ..sampling.base import Plan
from .base import Interval, described, standard_error

Floats = NDArray[np.float64]
# The type of `capital.fixed_interval` and `capital.sequence_interval`.
IntervalOfValues = Callable[..., tuple[Floats, Floats]]


@dataclass
class Capped(Interval):
    """An interval whose coverage is guaranteed for losses that are at most a cap.

    Attributes
    ----------
    cap : float or None
        The largest possible loss, nats, above 0; None takes ``study.loss_cap``.
    """

    cap: float | None = None

    needs_values: ClassVar[bool] = True
    is_guaranteed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.cap is not None and not (self.cap > 0 and np.isfinite(self.cap)):
            raise BadInput(f"interval.loss.cap must be above 0 nats and finite, or null; found {self.cap}")

    def check(self, plan: Plan, target: str) -> None:
        """Check that there is a cap, and that the guarantee holds under the design and the target."""
        self.known_cap()
        refuse_unbounded(plan, target, metric="loss", interval=self.name)

    def with_cap(self, cap: float | None) -> Interval:
        """Return the interval with this cap, if it has none of its own."""
        return replace(self, cap=cap) if self.cap is None else self

    def known_cap(self) -> float:
        """Return the cap.

        Raises
        ------
        BadInput
            If it is not set.
        """
        if self.cap is None:
            raise BadInput(
                f"interval.loss.cap must be the most that a loss can be, in nats, for interval/loss={self.name}; "
                "found null: set it, or study.loss_cap"
            )
        return self.cap


def refuse_unbounded(plan: Plan, target: str, *, metric: str, interval: str) -> None:
    """Refuse a design or a target under which the coverage is not guaranteed.

    Raises
    ------
    BadInput
        If the units are not in random order, if a proxy corrects the estimate, or if the target is the superpopulation
        and the design is not a simple random sample without replacement.
    """
    key = f"interval/{metric}={interval}"
    if not plan.is_exchangeable:
        raise BadInput(f"{key} must have rows in random order; this sampling gives none: choose another one")
    # With unequal chances the values that are bounded are those before the correction.
    if plan.auxiliary(metric) is not None and plan.expansion is None:
        raise BadInput(
            f"{key} must have the batch's own mean; this sampling corrects it by a proxy: choose another sampling"
        )
    if target == "superpopulation" and not (plan.is_finite and plan.is_simple):
        raise BadInput(_simple_only(key))


def bounded_estimate(
    batches: Batches, confidence: float, interval_of: IntervalOfValues, *, cap: float, key: str, words: str
) -> Estimate:
    """Put a guaranteed interval around the estimate of each batch.

    Each of H strata has an interval at the confidence 1 - α/H, and the ends are weighted by the strata's shares
    (Bonferroni). With weights, groups or unequal chances the interval is made from ``Batches.expanded``, which are
    bounded and unbiased. If the estimate, a ratio, is outside that interval, the nearer end is moved to it.

    Parameters
    ----------
    batches : Batches
        With values.
    confidence : float
        In (0, 1).
    interval_of : callable
        From values in [0, 1], shape (m, n), to the ends of m intervals.
    cap : float
        The largest possible value of a row; the smallest is 0.
    key : str
        The configured choice, for errors: ``interval/loss=betting``.
    words : str
        The method, for display.

    Raises
    ------
    BadInput
        If a value is above the cap, or the target is the superpopulation and the rows have groups or weights.
    ValueError
        If the batches have no values.
    """
    if batches.expanded is None:
        raise ValueError("bounded_estimate must have the units' values; found batches without")
    if batches.target == "superpopulation" and not batches.is_simple:
        raise BadInput(_simple_only(key))
    lowest, highest = (cap * bound for bound in batches.bounds)
    _refuse_above(batches.expanded, highest, cap, key)
    values = np.clip((batches.expanded - lowest) / (highest - lowest), 0.0, 1.0)
    low, high = _over_strata(values, batches, confidence, interval_of)
    low, high = (np.clip(lowest + (highest - lowest) * end, 0.0, cap) for end in (low, high))
    low, high = np.minimum(low, batches.mean), np.maximum(high, batches.mean)
    if batches.population_size == batches.n:
        low, high = batches.mean, batches.mean
    return Estimate(batches.mean, standard_error(batches), low, high, batches.n, described(words, batches, confidence))


def _over_strata(
    values: Floats, batches: Batches, confidence: float, interval_of: IntervalOfValues
) -> tuple[Floats, Floats]:
    """The ends of each batch, shape (m,): those of the strata, weighted by their shares."""
    is_finite = batches.population_size is not None
    size = batches.population_size or batches.n
    strata = batches.strata or Strata(np.array([batches.n]), np.array([size]))
    low, high = np.zeros(len(values)), np.zeros(len(values))
    each = 1 - (1 - confidence) / len(strata.drawn)
    limits = pairwise([0, *np.cumsum(strata.drawn)])
    for (start, stop), share, size in zip(limits, strata.shares, strata.sizes, strict=True):
        ends = interval_of(values[:, start:stop], confidence=each, population_size=int(size) if is_finite else None)
        low += share * ends[0]
        high += share * ends[1]
    return low, high


def _refuse_above(expanded: Floats, highest: float, cap: float, key: str) -> None:
    most = float(expanded.max())
    # Written with `not`, so that nan is refused too. The tolerance is for rounding in the expanded values.
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
