"""From sums over a batch's units to the estimate and the moments of its error, by one formula for every design."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..records.batches import Batches, Strata
from ..records.rows import IntArray
from ..sampling.base import Plan
from .power_sums import Floats, PowerSums, slope_of

# Errors that are added to those of a batch drawn with unequal chances, and groups to a batch of groups.
_UNSEEN = 2.0
_UNSEEN_GROUPS = 1.0


def to_batches(terms: PowerSums, sums: Floats, plan: Plan, *, target: str = "population") -> Batches:
    """Turn sums over each batch (each stratum of it) into estimates and their errors' moments.

    Parameters
    ----------
    terms : PowerSums
        What was summed.
    sums : ndarray of float64, shape (m, H, c)
        Of ``terms.columns``.
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
        mean, first, second, third = _residuals(terms, sums / n[:, None], share)
        lost = 1 if terms.kind == "difference" else 0
        spread = _spread(second, strata, is_finite=plan.is_finite, lost=lost)
        left = 1 - n / strata.sizes if plan.is_finite else np.ones(len(n))
        parts = share**2 * left * spread / n
        variance = parts.sum(axis=1)
        unit_variance = plan.batch_size * (share**2 * spread / n).sum(axis=1)
        if len(n) > 1:
            # The third moment is corrected for its bias, which is large where a stratum has few rows; with n ≤ 2 rows
            # it cannot be estimated, and is 0.
            third = third * np.where(n > 2, n**2 / np.maximum((n - 1) * (n - 2), 1), 0.0)
        error_third = (share**3 * left * (2 * left - 1) * third / n**2).sum(axis=1)
        unit_third = plan.batch_size**2 * (share**3 * third / n**2).sum(axis=1)
        degrees = _degrees(parts, n, lost=lost)
        if target == "superpopulation":
            own, own_third = _of_world(terms, sums, first, spread, third, plan, strata)
            error_third = error_third + 3 * variance * own_third / np.where(own > 0, own, 1) / plan.size
            error_third = error_third + own_third / plan.size**2
            variance = variance + own / plan.size
    return Batches(
        n=plan.batch_size,
        mean=mean,
        error_variance=variance,
        error_third=error_third,
        unit_variance=unit_variance,
        unit_third=unit_third,
        degrees=degrees,
        effective=_effective(terms, sums, mean, variance, plan, target),
        most_weight=_most_weight(terms, plan),
        population_size=plan.size if plan.is_finite and target == "population" else None,
        target=target,
        design=_in_words(plan, terms, target),
        is_simple=plan.is_simple and terms.kind == "plain",
        strata=plan.strata,
    )


def _residuals(terms: PowerSums, means: Floats, share: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The estimates (m,), and each stratum's first raw and central second and third moments of z, (m, H)."""
    a0, x0 = terms.centre
    if terms.kind == "plain":
        first, raw2, raw3 = (means[..., min(i, means.shape[-1] - 1)] for i in range(3))
        mean = terms.origin + a0 + first @ share
    else:
        a, x, aa, ax, xx, aaa, aax, axx, xxx = (means[..., i] for i in range(9))
        if terms.kind == "ratio":
            middle = x0 + x @ share
            mean = (a0 + a @ share) / middle
            alpha, beta = (1 / middle)[:, None], (-mean / middle)[:, None]
        else:
            slope = slope_of(terms, ax - a * x, xx - x * x, (a0 + a) / (x0 + x))
            mean = terms.origin + a0 + a @ share - slope[:, 0] * (x0 + x @ share - terms.x_mean)
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


def _of_world(
    terms: PowerSums, sums: Floats, first: Floats, spread: Floats, third: Floats, plan: Plan, strata: Strata
) -> tuple[Floats, Floats]:
    """Estimated variance and third central moment of a unit of the world that the population is a sample of, (m,)."""
    if terms.kind == "difference":
        # The proxy is known for the N units only, so their own sampling error is that of the plain values.
        plain = replace(terms, kind="plain")
        _, first, second, third = _residuals(plain, sums[..., [0, 2, 5]] / strata.drawn[:, None], strata.shares)
        spread = _spread(second, strata, is_finite=plan.is_finite, lost=0)
    own, own_third = _of_population(terms, sums, first, spread, third, strata)
    if plan.size == 1:
        # One unit is the whole population, and still tells nothing of how the world varies.
        own = np.full_like(own, np.nan)
    return own, own_third


def _of_population(
    terms: PowerSums, sums: Floats, first: Floats, spread: Floats, third: Floats, strata: Strata
) -> tuple[Floats, Floats]:
    """Estimated variance and third central moment of the units' values over the population, (m,)."""
    share = strata.shares
    if terms.e is not None:
        n = strata.drawn.sum()
        mean = terms.centre[0] + first @ share
        raw2, raw3 = sums[:, 0, -2] / n, sums[:, 0, -1] / n
        return np.maximum(raw2 - mean**2, 0.0), raw3 - 3 * mean * raw2 + 2 * mean**3
    off = first - (first @ share)[:, None]
    return (spread + off**2) @ share, (third + 3 * spread * off + off**3) @ share


def _most_weight(terms: PowerSums, plan: Plan) -> float:
    """How much more than in a simple sample a row may count."""
    if terms.e is not None:
        return float(terms.e.max())
    strata = plan.strata
    return 1.0 if strata is None else float((strata.shares / strata.drawn).max()) * plan.batch_size


def _with_unseen(terms: PowerSums, sums: Floats, n: int, effect: Floats) -> Floats:
    """The design effect on a share under unequal chances, with two errors more that count the most.

    The errors of a batch are mostly those that the chances were made for, and the ones that they were not made for
    count more. E[z²]/E[z] of the expanded errors z is what it is with two errors added that count the most.
    """
    assert terms.e is not None
    first, second = -sums[:, 0, 0] / n, sums[:, 0, 2 if terms.kind == "difference" else 1] / n
    most, added = float(terms.e.max()), _UNSEEN / n
    is_any = first > 0
    seen = second / np.where(is_any, first, 1.0)
    more = (second + added * most**2) / (first + added * most)
    return np.where(is_any, effect * np.maximum(more / np.where(seen > 0, seen, 1.0), 1.0), most)


def _of_unseen_groups(terms: PowerSums, means: Floats, n: int, p: Floats) -> Floats:
    """By how much the design effect on a share of groups grows with one group more that holds many errors.

    Of few groups the ones that hold many errors (or right rows, where these are fewer) are mostly missing, and the
    variance with them. As for the losses (`interval/loss/score.py`), E[z²]/E[z] of the groups' errors z is what it is
    with one more of E[z³]/E[z²], or of half an average group if that is more; it counts the less the more alike the
    groups are.
    """
    a, x, aa, ax, xx, aaa, aax, axx, xxx = (means[:, i] for i in range(9))
    a0, x0 = terms.centre
    few_wrong = p >= 0.5
    # z is the groups' wrong rows x - a, or their right rows a.
    centre = np.where(few_wrong, x0 - a0, a0)
    m1 = np.where(few_wrong, x - a, a)
    m2 = np.where(few_wrong, xx - 2 * ax + aa, aa)
    m3 = np.where(few_wrong, xxx - 3 * axx + 3 * aax - aaa, aaa)
    first = m1 + centre
    second = m2 + 2 * centre * m1 + centre**2
    third = m3 + 3 * centre * m2 + 3 * centre**2 * m1 + centre**3
    is_any = (first > 0) & (second > 0)
    first, second = np.where(is_any, first, 1.0), np.where(is_any, second, 1.0)
    row = np.maximum(third / second, (x + x0) / 2)
    added = _UNSEEN_GROUPS / n * np.maximum(1 - first**2 / second, 0.0)
    grown = (second + added * row**2) / (first + added * row) / (second / first)
    return np.where(is_any, np.maximum(grown, 1.0), 1.0)


def _effective(terms: PowerSums, sums: Floats, mean: Floats, variance: Floats, plan: Plan, target: str) -> Floats:
    """Size of a simple random sample with replacement that gives a share the same variance."""
    n, size = plan.batch_size, plan.size
    if target == "superpopulation":
        simple = float(n) if plan.is_finite else 1 / (1 / n + 1 / size)
    elif plan.is_finite:
        simple = n * (size - 1) / (size - n) if n < size else np.inf
    else:
        simple = float(n)
    if plan.is_simple and terms.kind == "plain":
        return np.full(len(mean), simple)
    p = np.clip(mean, 0.0, 1.0)
    binomial = p * (1 - p) / max(n - 1, 1)
    known = (binomial > 0) & (variance > 0)
    # The design effect  [Kish 1965]; where nothing varies it is not known, and taken to be 1.
    effect = np.where(known, variance / np.where(known, binomial, 1), 1.0)
    if terms.kind == "ratio" and plan.strata is None:
        return np.where(known, n / (effect * _of_unseen_groups(terms, sums[:, 0] / n, n, p)), simple)
    if terms.e is None or not terms.origin:
        return np.where(known, n / effect, simple)
    return n / _with_unseen(terms, sums, n, effect)


def _in_words(plan: Plan, terms: PowerSums, target: str) -> str:
    parts = [plan.words]
    if terms.kind == "ratio":
        parts.append("ratio of weighted sums")
    if target == "superpopulation":
        parts.append("of the world the population came from")
    elif plan.is_finite:
        parts.append("finite-population correction")
    return ", ".join(filter(None, parts))
