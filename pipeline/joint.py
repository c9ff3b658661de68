"""One estimate for every design: sums over a batch's units to the estimate and the moments of its error."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Batches, IntArray, Strata
from pipeline.sampling.base import Plan

# An estimate is counted from it: where rows have unequal chances, most of them right, it is errors that are counted.
_ORIGIN = {"accuracy": 1.0}


def origin_of(metric: str) -> float:
    """Return what a metric's values are counted from."""
    return _ORIGIN.get(metric, 0.0)


Floats = NDArray[np.float64]

# Values of which a few arrays stay in a core's cache.
_CACHED = 16_384


@dataclass(frozen=True, eq=False)
class Joint:
    """What is summed over a batch for one metric.

    The estimate of every design is made of the means of one or two quantities over the batch (over each stratum):
    ``a``, the unit's value times its expansion, and ``x``, which is what the unit counts (a ratio: the estimate is ā/x̄)
    or what a proxy says of it (a difference: ā - λ(x̄ - X̄) with λ = S_ax/S_xx, S_xx being the larger of the batch's and
    the population's, so that a batch in which x hardly varies does not give any λ at all). Its error's moments are
    those of the residuals z = αa + βx: α = 1, β = 0 where there is no x; (a - R x)/x̄ for a ratio; a - λx for a
    difference  [Cochran 1977, Sampling Techniques, chapters 6, 7 and 9A]. So sums of a, x and their products up to the
    third order are all that is needed.

    Attributes
    ----------
    origin : float
        Taken off every value before it is expanded, and added to the estimate.
    a, x : ndarray of float64, shape (units,)
        Of the scored units; `x` is None where there is none.
    kind : str
        ``plain``, ``ratio`` or ``difference``.
    centre : (float, float)
        Taken off `a` and `x` in `columns`, so that variances from sums of squares lose no digits.
    x_mean, x_most, x_spread : float
        Mean, largest value and variance of x over all N units.
    e : ndarray of float64, shape (N,), or None
        The expansions.
    values : ndarray of float64, shape (units,)
        `a` before it was expanded.
    is_share : bool
        Whether a plain estimate's values are zeros and ones, whose powers are the values themselves.
    """

    origin: float
    a: Floats
    x: Floats | None
    kind: str
    centre: tuple[float, float]
    x_mean: float
    x_most: float
    x_spread: float
    e: Floats | None
    values: Floats
    is_share: bool

    @classmethod
    def of(
        cls, totals: Floats, plan: Plan, *, metric: str, sizes: Floats | None = None, drawn: IntArray | None = None
    ) -> Joint:
        """Return what is summed for a metric.

        Parameters
        ----------
        totals : ndarray of float64, shape (units,)
            The scored units' values (sums of weight times value, where there are weights or groups).
        plan : Plan
            How batches are drawn.
        metric : str
            ``loss`` or ``accuracy``.
        sizes : ndarray of float64, shape (N,), or None
            What each unit of the population counts; None is 1 each.
        drawn : ndarray of int, shape (units,), or None
            Which units were scored; None is all.
        """
        expansion, auxiliary = plan.expansion, plan.auxiliary(metric)
        origin = origin_of(metric) if expansion is not None else 0.0
        kind, x_all = "plain", None
        if sizes is not None:
            kind, x_all = "ratio", sizes
        elif auxiliary is not None:
            kind, x_all = "difference", auxiliary
        e = None if expansion is None else (expansion if drawn is None else expansion[drawn])
        a = totals - origin
        values = a
        a = a if e is None else a * e
        x = None if x_all is None else (x_all if drawn is None else x_all[drawn])
        # Zeros and ones are summed exactly as they are, so that a batch of ones has a variance of exactly 0; and where
        # it is errors that are expanded, most are 0, and are to stay so.
        is_binary = _is_binary(a)
        centre = (0.0 if origin or is_binary else _finite_mean(a), 0.0 if x is None else float(x.mean()))
        return cls(
            origin=origin,
            a=a,
            x=x,
            kind=kind,
            centre=centre,
            x_mean=1.0 if x_all is None else float(x_all.mean()),
            x_most=1.0 if x_all is None else float(x_all.max()),
            x_spread=0.0 if x_all is None else float(x_all.var()),
            e=expansion,
            values=values,
            is_share=is_binary and kind == "plain" and e is None,
        )

    @cached_property
    def columns(self) -> Floats:
        """The products that are summed, shape (units, c)."""
        if self.is_share:
            return self.a[:, None]
        columns = _columns(self.a - self.centre[0], None if self.x is None else self.x - self.centre[1])
        if self.e is None:
            return columns
        # For the values' own spread over the population, which a superpopulation's interval needs.
        return np.column_stack([columns, self.a * self.values, self.a * self.values**2])

    def sums_by(self, n: int) -> Floats:
        """Return the columns' sums over the units n by n, of a plain estimate, shape (units / n, 1, 3).

        The columns are not made: blocks of units stay in the processor's cache.
        """
        rows = self.a.reshape(-1, n)
        sums = np.empty((len(rows), 1, 3))
        at_once = max(1, _CACHED // n)
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(0, len(rows), at_once):
                a, found = rows[start : start + at_once] - self.centre[0], sums[start : start + at_once, 0]
                squares = a * a
                found[:, 0], found[:, 1] = a.sum(axis=1), squares.sum(axis=1)
                squares *= a
                found[:, 2] = squares.sum(axis=1)
        return sums

    def with_values(self, batches: Batches, at: IntArray, plan: Plan) -> Batches:
        """Add the units' values to what is known of the batches.

        Parameters
        ----------
        batches : Batches
            Of m batches.
        at : ndarray of int, shape (m, n)
            Which of the scored units each batch holds.
        plan : Plan
            How they were drawn.
        """
        a = self.a.take(at)
        lowest = self.origin * (1.0 - (float(self.e.max()) if self.e is not None else 1.0))
        highest = self.origin if self.origin else (float(self.e.max()) if self.e is not None else 1.0)
        if self.x is None:
            values = a + self.origin if self.origin else a
            return replace(batches, values=values, expanded=values, bounds=(lowest, highest))
        x = self.x.take(at)
        if self.kind == "ratio":
            shares = _unit_shares(plan, at.shape[1])
            middle = (x * shares).sum(axis=1, keepdims=True)
            ratio = batches.mean[:, None]
            values = ratio + (a - ratio * x) / middle
            return replace(batches, values=values, expanded=a / self.x_mean, bounds=(0.0, self.x_most / self.x_mean))
        off_a, off_x = a - a.mean(axis=1, keepdims=True), x - x.mean(axis=1, keepdims=True)
        slope = _slope(self, (off_a * off_x).mean(axis=1), (off_x**2).mean(axis=1))[:, None]
        values = a - slope * (x - self.x_mean)
        return replace(batches, values=values, expanded=values)


def to_batches(joint: Joint, sums: Floats, plan: Plan, *, target: str = "population") -> Batches:
    """Turn sums over each batch (each stratum of it) into estimates and their errors' moments.

    Parameters
    ----------
    joint : Joint
        What was summed.
    sums : ndarray of float64, shape (m, H, c)
        Of ``joint.columns``.
    plan : Plan
        How the batches were drawn.
    target : str
        ``population``, or ``superpopulation``: then the error of the population itself, as a sample of N from the world
        it came from, is added, and there is no finite-population correction left at any n.

    Returns
    -------
    Batches
        Arrays of shape (m,).
    """
    strata = plan.strata or Strata(np.array([plan.batch_size]), np.array([plan.size]))
    n, share = strata.drawn, strata.shares
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        mean, first, second, third = _residuals(joint, sums / n[:, None], share)
        lost = 1 if joint.kind == "difference" else 0
        spread = _spread(second, strata, is_finite=plan.is_finite, lost=lost)
        left = 1 - n / strata.sizes if plan.is_finite else np.ones(len(n))
        parts = share**2 * left * spread / n
        variance = parts.sum(axis=1)
        if len(n) > 1:
            # Of a few rows the third moment comes out small, and a batch of many strata has but a few of each. Of two
            # rows nothing is known of it.
            third = third * np.where(n > 2, n**2 / np.maximum((n - 1) * (n - 2), 1), 0.0)
        error_third = (share**3 * left * (2 * left - 1) * third / n**2).sum(axis=1)
        degrees = _degrees(parts, n, lost=lost)
        if target == "superpopulation":
            if joint.kind == "difference":
                # The proxy says nothing of the world beyond the N units: their own error is that of the values.
                plain = replace(joint, kind="plain")
                _, first, second, third = _residuals(plain, sums[..., [0, 2, 5]] / n[:, None], share)
                spread = _spread(second, strata, is_finite=plan.is_finite, lost=0)
            own, own_third = _of_population(joint, sums, first, spread, third, strata)
            error_third = error_third + 3 * variance * own_third / np.where(own > 0, own, 1) / plan.size
            error_third = error_third + own_third / plan.size**2
            variance = variance + own / plan.size
    return Batches(
        n=plan.batch_size,
        mean=mean,
        error_variance=variance,
        error_third=error_third,
        degrees=degrees,
        effective=_effective(joint, mean, variance, plan, target),
        population_size=plan.size if plan.is_finite and target == "population" else None,
        target=target,
        design=_in_words(plan, joint, target),
        is_simple=plan.is_simple and joint.kind == "plain",
        strata=plan.strata,
    )


def _is_binary(values: Floats) -> bool:
    """Whether all values are 0 or 1."""
    parts = (values[start : start + _CACHED] for start in range(0, len(values), _CACHED))
    with np.errstate(over="ignore"):
        return all(np.array_equal(part, part * part) and bool(np.isfinite(part).all()) for part in parts)


def _finite_mean(values: Floats) -> float:
    mean = float(values.mean())
    return mean if np.isfinite(mean) else 0.0


def _columns(a: Floats, x: Floats | None) -> Floats:
    """The powers and products up to the third order."""
    with np.errstate(invalid="ignore"):
        if x is None:
            return np.column_stack([a, a * a, a * a * a])
        return np.column_stack([a, x, a * a, a * x, x * x, a**3, a * a * x, a * x * x, x**3])


def _residuals(joint: Joint, means: Floats, share: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The estimates (m,), and each stratum's first raw and central second and third moments of z, (m, H)."""
    a0, x0 = joint.centre
    if joint.kind == "plain":
        first, raw2, raw3 = (means[..., min(i, means.shape[-1] - 1)] for i in range(3))
        mean = joint.origin + a0 + first @ share
    else:
        a, x, aa, ax, xx, aaa, aax, axx, xxx = (means[..., i] for i in range(9))
        if joint.kind == "ratio":
            middle = x0 + x @ share
            mean = (a0 + a @ share) / middle
            alpha, beta = (1 / middle)[:, None], (-mean / middle)[:, None]
        else:
            slope = _slope(joint, ax - a * x, xx - x * x)
            mean = a0 + a @ share - slope[:, 0] * (x0 + x @ share - joint.x_mean)
            alpha, beta = np.ones_like(slope), -slope
        first = alpha * a + beta * x
        raw2 = alpha**2 * aa + 2 * alpha * beta * ax + beta**2 * xx
        raw3 = alpha**3 * aaa + 3 * alpha**2 * beta * aax + 3 * alpha * beta**2 * axx + beta**3 * xxx
    second = np.maximum(raw2 - first**2, 0.0)
    return mean, first, second, raw3 - 3 * first * raw2 + 2 * first**3


def _spread(second: Floats, strata: Strata, *, is_finite: bool, lost: int) -> Floats:
    """Sample variances with divisor n - 1, less those `lost` to a slope, (m, H).

    Of too few units ``nan``, or 0 where they are the whole stratum.
    """
    n = strata.drawn
    free = n - 1 - lost
    spread = second * n / np.where(free > 0, free, 1)
    is_all = is_finite & (strata.sizes == n)
    alone = (free <= 0) & ~is_all
    return np.where(alone, np.nan, spread)


def _degrees(parts: Floats, n: IntArray, *, lost: int) -> Floats:
    """Degrees of freedom; by Satterthwaite over strata  [Cochran 1977, eq. 5.16]."""
    m, n_strata = parts.shape
    if n_strata == 1:
        return np.full(m, max(float(n[0]) - 1 - lost, 0.0))
    total = parts.sum(axis=1)
    known = total > 0
    squares = (parts**2 / np.maximum(n - 1, 1)).sum(axis=1)
    return np.where(known, total**2 / np.where(known, squares, 1), float(n.sum() - n_strata))


def _of_population(
    joint: Joint, sums: Floats, first: Floats, spread: Floats, third: Floats, strata: Strata
) -> tuple[Floats, Floats]:
    """Estimated variance and third central moment of the units' values over the population, (m,)."""
    share = strata.shares
    if joint.e is not None:
        n = strata.drawn.sum()
        mean = joint.centre[0] + first @ share
        raw2, raw3 = sums[:, 0, -2] / n, sums[:, 0, -1] / n
        return np.maximum(raw2 - mean**2, 0.0), raw3 - 3 * mean * raw2 + 2 * mean**3
    off = first - (first @ share)[:, None]
    return (spread + off**2) @ share, (third + 3 * spread * off + off**3) @ share


def _effective(joint: Joint, mean: Floats, variance: Floats, plan: Plan, target: str) -> Floats:
    """Rows of a simple random sample with replacement that would tell as much of a share."""
    n, size = plan.batch_size, plan.size
    if target == "superpopulation":
        simple = float(n) if plan.is_finite else 1 / (1 / n + 1 / size)
    elif plan.is_finite:
        simple = n * (size - 1) / (size - n) if n < size else np.inf
    else:
        simple = float(n)
    if plan.is_simple and joint.kind == "plain":
        return np.full(len(mean), simple)
    p = np.clip(mean, 0.0, 1.0)
    binomial = p * (1 - p) / max(n - 1, 1)
    known = (binomial > 0) & (variance > 0)
    # The design effect  [Kish 1965]; where nothing varies it is not known, and taken to be 1.
    effect = np.where(known, variance / np.where(known, binomial, 1), 1.0)
    return np.where(known, n / effect, simple)


def _unit_shares(plan: Plan, n: int) -> Floats:
    """What each place of a batch counts in the estimate, shape (n,)."""
    if plan.strata is None:
        return np.full(n, 1 / n)
    return np.repeat(plan.strata.shares / plan.strata.drawn, plan.strata.drawn)


def _slope(joint: Joint, together: Floats, spread: Floats) -> Floats:
    """λ from each batch's covariance of a and x, and its variance of x."""
    if not joint.x_spread > 0:
        return np.zeros_like(together)
    return together / np.maximum(spread, joint.x_spread)


def _in_words(plan: Plan, joint: Joint, target: str) -> str:
    parts = [plan.words]
    if joint.kind == "ratio":
        parts.append("ratio of weighted sums")
    if target == "superpopulation":
        parts.append("of the world the population came from")
    elif plan.is_finite:
        parts.append("finite-population correction")
    return ", ".join(filter(None, parts))
