"""The score interval for losses: Wilson's idea with the losses' own variance function."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...metric.base import Metric
from ...records.batches import Batches, Estimate
from ..base import Interval, around, standard_error
from .hall import Hall
from .t import t_quantile

Floats = NDArray[np.float64]

# What E[l³] E[l] / E[l²]² is for exponential losses, 6 · 1 / 2². More shows a tail that a batch sees too little of.
_EXPONENTIAL = 1.5
# By how much of each further unit of it the variance is enlarged, chosen by simulation.
_HEAVY = 2.0


@dataclass
class Score(Interval):
    """The means μ that a score test at the batch's mean does not reject, with the variance that losses have at μ.

    Wilson's interval for a share solves (p̂ - μ)² = z² (μ - μ²)/n, with the variance at μ in place of the batch's. For
    losses that variance is cμ - μ² with c = E[l²]/E[l], which is 1 for zeros and ones. So the ends are the roots of
    (ȳ - μ)² = q² (cμ - μ²)/n with Student's quantile q, and c alone is borrowed:

    1. To the batch's n rows come up to ``unseen`` rows of ``surprise`` nats, or as large as the largest ones of the
       batch (E[l³]/E[l²]) if that is more: the rare rows that a small batch mostly lacks. Each counts for 1 - n_eff/n
          of a row, with n_eff = (Σl)²/Σl²: nothing where all losses are equal.
    2. c - ȳ, which is the variance over ȳ, is enlarged by 1/√n_eff for its own error, and for a tail heavier than an
       exponential one by 2 (E[l³] E[l]/E[l²]² - 1.5).

    Both steps are our own, by simulation on generated populations (`make run ARGS="+experiment=battery"`). Under
    strata, unequal chances, groups or weights a row is the design's unit, whose variance is n times the estimate's, and
    an added row counts as much as the one that counts most (``Batches.most_weight``).

    For one row, or a batch with an infinite loss, it is all numbers; for the whole population it has no width. For
    a batch of losses that are all 0 it reaches up to what the unseen rows allow.

    Attributes
    ----------
    unseen : float
        How many rows are added to a batch, at least 0.
    surprise : float
        The least loss of such a row, nats, at least 0.
    """

    name: str = "score"
    unseen: float = 2.0
    surprise: float = 5.0

    from_zero: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for key in ("unseen", "surprise"):
            found = getattr(self, key)
            if not (found >= 0 and math.isfinite(found)):
                raise BadInput(f"interval.loss.{key} must be a number of at least 0; found {found}")

    def suited(self, metric: Metric) -> Interval:
        """Return the interval for a metric: no surprise is above its bound; Hall's for values without a bound."""
        if metric.takes_loss_cap:
            return self
        if metric.least == 0 and math.isfinite(metric.most):
            return replace(self, surprise=min(self.surprise, metric.most))
        return Hall()

    def estimate(self, batches: Batches, confidence: float) -> Estimate:
        """Put the score interval around the estimate of each batch."""
        low, high = self.ends(batches, confidence)
        below, above = np.maximum(batches.mean - low, 0.0), np.maximum(high - batches.mean, 0.0)
        return around(batches, below, above, "score", confidence=confidence)

    def ends(self, batches: Batches, confidence: float) -> tuple[Floats, Floats]:
        """Return both roots, each of shape (m,); Student's ends where a proxy made an estimate negative."""
        q, mean = t_quantile(batches, confidence), batches.mean
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            low, high = score_ends(mean, sizes(batches), q, self.borrowed(batches))
            reach = q * standard_error(batches)
            return np.where(mean < 0, mean - reach, low), np.where(mean < 0, mean + reach, high)

    def borrowed(self, batches: Batches) -> Floats:
        """Return c of each batch, shape (m,)."""
        mean, n = batches.mean, batches.n
        second, third = raw_moments(batches)
        varies = second > 0
        safe = np.where(varies, second, 1.0)
        alike = np.where(varies, mean**2 / safe, 0.0)
        added = self.unseen / n * (1 - np.minimum(alike, 1.0))
        row = np.maximum(self.surprise * batches.most_weight, np.where(varies, third / safe, 0.0))
        total, squares = mean + added * row, second + added * row**2
        is_any = total > 0
        total = np.where(is_any, total, 1.0)
        own_error = np.where(is_any, np.sqrt(squares / n) / total, 0.0)
        heavy = _HEAVY * np.maximum(np.where(varies, third * mean / safe**2, 0.0) - _EXPONENTIAL, 0.0)
        return mean + np.maximum(squares / total - mean, 0.0) * (1 + own_error + heavy)


def score_ends(mean: Floats, n: Floats, q: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Return the roots μ of (mean - μ)² = q² (cμ - μ²)/n, for means of at least 0; with c = 1 Wilson's ends.

    Parameters
    ----------
    mean, n, q, c : ndarray of float64, shape (m,)
        The estimate, the rows of a simple random sample with replacement, the quantile and E[l²]/E[l]. Both roots are
        the mean if n is infinite.
    """
    ratio = q * q / n
    middle = mean + ratio * c / 2
    reach = np.sqrt(np.maximum(middle**2 - (1 + ratio) * mean**2, 0.0))
    # The roots' product is mean²/(1 + ratio), which gives the smaller one without cancellation.
    return np.where(mean > 0, mean**2 / np.where(mean > 0, middle + reach, 1.0), 0.0), (middle + reach) / (1 + ratio)


def sizes(batches: Batches) -> Floats:
    """Return the rows of a simple sample with replacement that would be as sure as each batch, shape (m,)."""
    if batches.is_simple:
        return batches.effective
    none_known = np.inf if batches.population_size == batches.n else float(batches.n)
    varies = batches.unit_variance > 0
    return np.where(varies, batches.unit_variance / np.where(varies, batches.error_variance, 1.0), none_known)


def raw_moments(batches: Batches) -> tuple[Floats, Floats]:
    """Return E[l²] and E[l³] of one unit as each batch has them, each of shape (m,) and at least 0."""
    mean, spread = batches.mean, batches.unit_variance * (batches.n - 1) / batches.n
    third = batches.unit_third + 3 * mean * spread + mean**3
    return spread + mean**2, np.maximum(third, 0.0)
