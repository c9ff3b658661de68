"""The terms that are summed over a batch's units: powers and products of values, up to the third order."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..metric.columns import of_column
from ..records.batches import Batches
from ..records.rows import IntArray
from ..records.stored import StoredColumn
from ..sampling.base import Plan

Floats = NDArray[np.float64]

# Values of an array of which a few fit into a core's cache.
_CACHED = 16_384


@dataclass(frozen=True, eq=False)
class PowerSums:
    """The terms that are summed over a batch for one metric.

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
        Subtracted from every value before it is expanded, and added to the estimate: see `Metric.origin`.
    a, x : ndarray of float64, shape (units,)
        Of the scored units; `x` is None where there is none. `a` may lie on disk where `kind` is plain and `e` is None.
    kind : str
        ``plain``, ``ratio`` or ``difference``.
    centre : (float, float)
        Subtracted from `a` and `x` in `columns`, so that variances from sums of squares lose no digits.
    x_mean, x_most, x_spread : float
        Mean, largest value and variance of x over all N units, each with its chance to be drawn.
    e : ndarray of float64, shape (N,), or None
        The expansions.
    values : ndarray of float64, shape (units,)
        `a` before it was expanded.
    is_share : bool
        Whether a plain estimate's values are zeros and ones, whose powers are the values themselves.
    """

    origin: float
    a: Floats | StoredColumn
    x: Floats | None
    kind: str
    centre: tuple[float, float]
    x_mean: float
    x_most: float
    x_spread: float
    e: Floats | None
    values: Floats | StoredColumn
    is_share: bool

    @classmethod
    def of(
        cls,
        totals: Floats | StoredColumn,
        plan: Plan,
        *,
        metric: str,
        sizes: Floats | None = None,
        drawn: IntArray | None = None,
    ) -> PowerSums:
        """Return the terms of a metric.

        Parameters
        ----------
        totals : ndarray of float64, shape (units,)
            The scored units' values (sums of weight times value, where there are weights or groups). They may lie on
            disk where the plan's estimate is the plain mean and there are no `sizes`.
        plan : Plan
            How batches are drawn.
        metric : str
            Its column, such as ``loss`` or ``top_5``.
        sizes : ndarray of float64, shape (N,), or None
            What each unit of the population counts; None is 1 each.
        drawn : ndarray of int, shape (units,), or None
            Which units were scored; None is all.
        """
        if isinstance(totals, StoredColumn):
            return cls._stored(totals)
        expansion, auxiliary = plan.expansion, plan.auxiliary(metric)
        origin = of_column(metric).origin if expansion is not None else 0.0
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
        x_mean, x_spread = _mean_and_spread(x_all, expansion)
        # Zeros and ones are not centred: their sums are exact, so that a batch of ones has a variance of exactly 0. Nor
        # are errors that are expanded, most of which are 0.
        is_binary = _is_binary(a)
        centre = (0.0 if origin or is_binary else _finite_mean(a), 0.0 if x is None else float(x.mean()))
        return cls(
            origin=origin,
            a=a,
            x=x,
            kind=kind,
            centre=centre,
            x_mean=x_mean,
            x_most=1.0 if x_all is None else float(x_all.max()),
            x_spread=x_spread,
            e=expansion,
            values=values,
            is_share=is_binary and kind == "plain" and e is None,
        )

    @classmethod
    def _stored(cls, values: StoredColumn) -> PowerSums:
        mean = values.mean() if math.isfinite(values.mean()) else 0.0
        return cls(
            origin=0.0,
            a=values,
            x=None,
            kind="plain",
            centre=(0.0 if values.is_binary else mean, 0.0),
            x_mean=1.0,
            x_most=1.0,
            x_spread=0.0,
            e=None,
            values=values,
            is_share=values.is_binary,
        )

    @cached_property
    def columns(self) -> Floats:
        """The products that are summed, shape (units, c); not of values on disk."""
        assert not isinstance(self.a, StoredColumn)
        assert not isinstance(self.values, StoredColumn)
        return np.column_stack(self._products(self.a, self.x, self.values))

    def sums_at(self, at: IntArray, plan: Plan) -> Floats:
        """Return the columns' sums over each batch, by stratum, without the columns of all units being made.

        Parameters
        ----------
        at : ndarray of int, shape (m, n)
            Which of the scored units each batch holds.
        plan : Plan
            How they were drawn.

        Returns
        -------
        ndarray of float64, shape (m, H, c)
        """
        a = self.a.take(at)
        values = a if self.e is None else self.values.take(at)
        products = self._products(a, None if self.x is None else self.x.take(at), values)
        with np.errstate(invalid="ignore"):
            return np.stack([_by_stratum(product, plan) for product in products], axis=-1)

    def sums_of(self, a: Floats) -> Floats:
        """Return the columns' sums over one batch of values on disk, shape (1, 1, c)."""
        with np.errstate(invalid="ignore"):
            return np.array([[[product.sum() for product in self._products(a, None, a)]]])

    def _products(self, a: Floats, x: Floats | None, values: Floats) -> list[Floats]:
        """The terms of some units."""
        if self.is_share:
            return [a]
        products = _powers(a - self.centre[0], None if x is None else x - self.centre[1])
        if self.e is not None:
            # For the values' own spread over the population, which a superpopulation's interval needs.
            products += [a * values, a * values**2]
        return products

    def sums_by(self, n: int) -> Floats:
        """Return the columns' sums over the units n by n, of a plain estimate, shape (units / n, 1, 3).

        The columns are not made: blocks of units stay in the processor's cache.
        """
        assert not isinstance(self.a, StoredColumn)
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
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = a.mean(axis=1) / x.mean(axis=1)
        slope = slope_of(self, (off_a * off_x).mean(axis=1), (off_x**2).mean(axis=1), ratio)[:, None]
        values = a - slope * (x - self.x_mean) + self.origin
        if self.e is None:
            return replace(batches, values=values, expanded=values)
        # Without the correction, unequal chances leave an unbiased estimate of bounded values.
        return replace(batches, values=values, expanded=a + self.origin, bounds=(lowest, highest))


def _is_binary(values: Floats) -> bool:
    """Whether all values are 0 or 1."""
    parts = (values[start : start + _CACHED] for start in range(0, len(values), _CACHED))
    with np.errstate(over="ignore"):
        return all(np.array_equal(part, part * part) and bool(np.isfinite(part).all()) for part in parts)


def _mean_and_spread(x: Floats | None, expansion: Floats | None) -> tuple[float, float]:
    """Mean and variance of x over what is drawn: all units alike, or those of a greater expansion less often."""
    if x is None:
        return 1.0, 0.0
    if expansion is None:
        return float(x.mean()), float(x.var())
    mean = float((x / expansion).mean())
    return mean, float(((x - mean) ** 2 / expansion).mean())


def _finite_mean(values: Floats) -> float:
    mean = float(values.mean())
    return mean if np.isfinite(mean) else 0.0


def _by_stratum(products: Floats, plan: Plan) -> Floats:
    """Sums over the units of each stratum, from (m, n) to (m, H)."""
    if plan.strata is None:
        return products.sum(axis=-1, keepdims=True)
    return np.add.reduceat(products, np.concatenate([[0], np.cumsum(plan.strata.drawn)[:-1]]), axis=-1)


def _powers(a: Floats, x: Floats | None) -> list[Floats]:
    """The powers and products up to the third order."""
    with np.errstate(invalid="ignore"):
        if x is None:
            squares = a * a
            return [a, squares, squares * a]
        return [a, x, a * a, a * x, x * x, a**3, a * a * x, a * x * x, x**3]


def _unit_shares(plan: Plan, n: int) -> Floats:
    """What each place of a batch counts in the estimate, shape (n,)."""
    if plan.strata is None:
        return np.full(n, 1 / n)
    return np.repeat(plan.strata.shares / plan.strata.drawn, plan.strata.drawn)


def slope_of(terms: PowerSums, together: Floats, spread: Floats, ratio: Floats | float = 0.0) -> Floats:
    """λ from each batch's covariance of a and x, its variance of x, and ā/x̄.

    With unequal chances a slope that is held back is so towards the ratio, not towards 0: then equal values, of which a
    is x times the value, have no error.
    """
    if not terms.x_spread > 0:
        return np.zeros_like(together)
    start = 0.0 if terms.e is None else ratio
    return start + (together - start * spread) / np.maximum(spread, terms.x_spread)
