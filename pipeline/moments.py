"""One estimate for every design: sums over a batch's units to the estimate and the moments of its error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.joint import Floats, Joint, slope_of
from pipeline.records import Batches, IntArray, Strata
from pipeline.sampling.base import Plan


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
            slope = slope_of(joint, ax - a * x, xx - x * x)
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


def _in_words(plan: Plan, joint: Joint, target: str) -> str:
    parts = [plan.words]
    if joint.kind == "ratio":
        parts.append("ratio of weighted sums")
    if target == "superpopulation":
        parts.append("of the world the population came from")
    elif plan.is_finite:
        parts.append("finite-population correction")
    return ", ".join(filter(None, parts))
