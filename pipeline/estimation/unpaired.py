"""Two samples of different rows: the difference of their shares or means, with its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import scipy


@dataclass(frozen=True)
class Difference:
    """The second sample's share or mean minus the first's.

    Attributes
    ----------
    value, low, high : float
        In the values' unit. The interval is all numbers where the samples give none; `value` is ``nan`` where it is
        ∞ - ∞.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Moments:
    """What Welch's interval takes of a sample.

    Attributes
    ----------
    n : int
        Rows, at least 1.
    mean : float
        May be infinite.
    variance : float
        With the divisor n; ``nan`` where the mean is infinite.
    """

    n: int
    mean: float
    variance: float


def share_difference(first: tuple[int, int], second: tuple[int, int], confidence: float) -> Difference:
    """Return the difference of two shares of separate samples with Newcombe's hybrid score interval.

    With Wilson's limits l, u of each share p, the second minus the first has the limits
    ``p₂ - p₁ - sqrt((p₂ - l₂)² + (u₁ - p₁)²)`` and ``p₂ - p₁ + sqrt((u₂ - p₂)² + (p₁ - l₁)²)``  [Newcombe 1998,
    Statistics in Medicine 17, 873-890, method 10]. It stays within -1 … 1, and has a width where both shares are 1.

    Parameters
    ----------
    first, second : (int, int)
        Rows that are right, and rows, at least 1.
    confidence : float
        In (0, 1).

    Examples
    --------
    >>> found = share_difference((48, 80), (56, 70), 0.95)
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    (l1, u1), (l2, u2) = share_interval(first, confidence), share_interval(second, confidence)
    p1, p2 = first[0] / first[1], second[0] / second[1]
    value = p2 - p1
    return Difference(value, value - math.hypot(p2 - l2, u1 - p1), value + math.hypot(u2 - p2, p1 - l1))


def mean_difference(first: Moments, second: Moments, confidence: float) -> Difference:
    """Return the difference of two means of separate samples with Welch's interval.

    ``x̄₂ - x̄₁ ± t sqrt(s₁²/n₁ + s₂²/n₂)``, with Satterthwaite's degrees of freedom  [Welch 1947, Biometrika 34,
    28-35]. For a sample of one row, or an infinite mean, it is all numbers.
    """
    with_inf = math.isinf(first.mean) and math.isinf(second.mean)
    value = math.nan if with_inf else second.mean - first.mean
    if min(first.n, second.n) < 2 or not math.isfinite(value):
        return Difference(value, -math.inf, math.inf)
    # The squared standard errors: s² has the divisor n - 1.
    errors = [sample.variance / (sample.n - 1) for sample in (first, second)]
    total = sum(errors)
    if total == 0:
        return Difference(value, value, value)
    shares = [error / total for error in errors]
    degrees = 1 / sum(share**2 / (sample.n - 1) for share, sample in zip(shares, (first, second), strict=True))
    reach = float(scipy.special.stdtrit(degrees, (1 + confidence) / 2)) * math.sqrt(total)
    return Difference(value, value - reach, value + reach)


def share_interval(sample: tuple[int, int], confidence: float) -> tuple[float, float]:
    """Return Wilson's interval of a share, of which (rows that are right, rows) are given  [Wilson 1927]."""
    right, n = sample
    z, share = float(scipy.special.ndtri((1 + confidence) / 2)), right / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At none and at all right one end is the share, rounding apart.
    return 0.0 if right == 0 else centre - reach, 1.0 if right == n else centre + reach


def mean_interval(sample: Moments, confidence: float) -> tuple[float, float]:
    """Return Student's t interval of a mean; all numbers for one row or an infinite mean."""
    if sample.n < 2 or not math.isfinite(sample.mean):
        return -math.inf, math.inf
    error = math.sqrt(sample.variance / (sample.n - 1))
    reach = float(scipy.special.stdtrit(sample.n - 1, (1 + confidence) / 2)) * error
    return sample.mean - reach, sample.mean + reach
