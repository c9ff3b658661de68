"""The exact power of McNemar's test, and the rows that it takes."""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Beyond so many turned rows the normal formula with a continuity correction is as good.
_MOST_TURNED = 20_000
# Numbers of turned rows farther than so many standard deviations from the expected one count for nothing.
_FAR = 8.0


def mcnemar_power(n: float, gained: float, lost: float, *, significance: float, is_mid: bool = False) -> float:
    """Return the power of McNemar's exact test with n rows, or of its mid-p version: no simulation, no normal formula.

    The rows that turn are D ~ Bin(n, gained + lost), and of D those gained are Bin(D, gained/(gained + lost)). The test
    rejects where twice the smaller tail of Bin(D, ½), less the outcome's own chance for mid-p, is at most the
    significance  [Connett, Smith & McHugh 1987, Statistics in Medicine 6, 163-169; Fagerland, Lydersen & Laake 2013].

    Parameters
    ----------
    n : float
        A whole number of at least 1.
    gained, lost : float
        The chances that a row is right under the second model alone, and under the first alone; their sum is above 0
        and at most 1.
    significance : float
        Of the two-sided test, in (0, 1).
    is_mid : bool
        Whether outcomes as likely as the one at hand count half.

    Returns
    -------
    float
        In [0, 1]: the share of samples in which the test rejects, on either side.

    Examples
    --------
    >>> round(mcnemar_power(300, 0.10, 0.04, significance=0.05), 3)
    0.767
    """
    turned = min(gained + lost, 1.0)
    middle, reach = n * turned, _FAR * math.sqrt(n * turned * (1 - turned)) + 1
    counts = np.arange(max(0, math.floor(middle - reach)), min(n, math.ceil(middle + reach)) + 1, dtype=np.float64)
    chances = _binomial(counts, n, turned)
    most = _critical(counts, significance / 2, is_mid=is_mid)
    few = np.maximum(most, 0.0)
    theta = gained / turned
    either = _at_most(few, counts, theta) + _at_most(few, counts, 1 - theta)
    return float(chances @ np.where(most >= 0, either, 0.0))


def rows_for_mcnemar(gained: float, lost: float, *, power: float, significance: float, about: float) -> float:
    """Return the fewest rows with which McNemar's exact test has the power.

    Where more than 20,000 rows turn, it is the normal formula's number and 2/|gained - lost| more: the exact test takes
    a gain of nδ rows for nδ - 1, as the continuity correction does.

    Over the random number of turned rows the jumps of the test's level cancel where gained + lost is below about 0.8,
    so that the power grows with n but for ripples of less than 0.001 where some ten rows turn. Where nearly all rows
    turn they do not cancel, and the power falls by up to 0.06 from one n to the next.

    Parameters
    ----------
    gained, lost : float
        As for `mcnemar_power`; not equal.
    power, significance : float
        In (0, 1).
    about : float
        What the normal formula gives, at least 2; inf where they are equal.

    Returns
    -------
    float
        A whole number, or inf.
    """
    if not about * (gained + lost) <= _MOST_TURNED:
        return about if math.isinf(about) else float(math.ceil(about + 2 / abs(gained - lost)))

    def is_enough(n: float) -> bool:
        return mcnemar_power(n, gained, lost, significance=significance) >= power

    low, high = 1.0, about
    while not is_enough(high):
        low, high = high, math.ceil(1.1 * high) + 1
    while high - low > 1:
        middle = math.floor((low + high) / 2)
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return float(high)


def _binomial(k: Floats, n: Floats | float, p: float) -> Floats:
    """The chances of k of n."""
    gammaln = scipy.special.gammaln
    logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.exp(logs + scipy.special.xlogy(k, p) + scipy.special.xlog1py(n - k, -p))


def _at_most(k: Floats, n: Floats, p: float) -> Floats:
    """P(X ≤ k) of n, k at least 0."""
    return np.where(k < n, scipy.special.betaincc(k + 1, np.maximum(n - k, 1.0), p), 1.0)


def _critical(turned: Floats, tail: float, *, is_mid: bool) -> Floats:
    """The largest count of D tosses of a fair coin that is rejected as too few, -1 where none is."""

    def of(k: Floats) -> Floats:
        held = np.maximum(k, 0.0)
        below = _at_most(held, turned, 0.5)
        return np.where(k < 0, 0.0, below - _binomial(held, turned, 0.5) / 2 if is_mid else below)

    most = np.floor(turned / 2 + scipy.special.ndtri(tail) * np.sqrt(turned) / 2)
    most = np.clip(most, -1.0, None)
    for _ in range(50):
        too_many = (most >= 0) & (of(most) > tail)
        more = ~too_many & (of(most + 1) <= tail) & (2 * (most + 1) < turned)
        if not (too_many.any() or more.any()):
            break
        most = most - too_many + more
    return most
