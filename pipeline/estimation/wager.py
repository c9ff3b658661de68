"""Bets on the mean of values in [-1, 1] that come in random order: evidence that holds at any look.

Against the hypothesis that the mean of values x in [-1, 1] is at most m, a gambler bets that x will be above it. With
stakes λ_t that depend on the past alone, a capital of 1 becomes

    K_t = Π (1 + λ_i (x_i - m_i)),  i ≤ t,  0 ≤ λ_i ≤ 1/(1 + m_i).

No factor is negative, and while the hypothesis is true none is above 1 on average, so K is a nonnegative
supermartingale: it ever reaches 1/e with a chance of at most e, however often one looks (Ville's inequality). That the
mean is at least m is tried by the same bets on -x  [Waudby-Smith & Ramdas 2023, JRSS B 86, 1-27].

Of N rows, drawn without replacement, m is the mean of all N, and m_t what the hypothesis leaves for the rows to come,
m_t = (N m - Σ_{i<t} x_i)/(N - t + 1)  [Waudby-Smith & Ramdas 2020, NeurIPS 33]. As a sample of the world, m_t = m.

The capital is shared out among gamblers with constant stakes κ, and K is their sum: whichever stake suits the true mean
and spread, its gambler wins, and the sharing costs a factor. Without replacement each plays
λ_t = min(κ N/(N - t + 1), 1/(1 + m_t)), for m_t moves N/(N - t + 1) times as fast as m: towards the deadline N bets
grow, as what is still unknown shrinks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Factors that are multiplied before a logarithm is taken. None is above 2/_LEAST_ROOM, so the product does not
# overflow; one that underflows makes the capital smaller, which keeps the promise.
_CHUNK = 16
_LEAST_ROOM = 1e-15
# Minus a logarithm of a capital that is none.
NOTHING = 1e6
# Gamblers of `even_stakes`: sums over them are exact integrals while fewer than 64 rows differ.
_EVEN = 32
# The next gambler's stake over the one before in `spread_stakes`; one between two loses little by either.
_RATIO = 2.0
# Values that are worked on together (rows times gamblers), few enough for a processor's cache.
_AT_ONCE = 1 << 15
# Of means of values in [-1, 1].
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Stakes:
    """The gamblers: their stakes in [0, 1], and the share of the capital that each has at first; both of shape (k,)."""

    sizes: Floats
    shares: Floats


def even_stakes() -> Stakes:
    """Return stakes that are uniform on (0, 1), by Gauss and Legendre's rule.

    With x of -1, 0 and 1, m = 0 and rows of the world, the mean of the capitals of both sides is then

        e = B(1 + s, 1 + f)/B(1, 1) · 2^(s + f)

    after s rows of 1 and f of -1: the Beta mixture over the discordant pairs.
    """
    points, weights = np.polynomial.legendre.leggauss(_EVEN)
    return Stakes((1 + points) / 2, weights / 2)


def spread_stakes(rows: int, error: float) -> Stakes:
    """Return stakes from the smallest that can ever reach 1/`error` in so many rows up to 1, in equal ratios.

    The j-th from the top, beginning with 1, has a share in proportion to 1/j². The largest stake suits most pairs of
    models: the best one is μR/σ² (in units of R), which is above 1 as soon as the range R is wide beside the spread of
    the differences, σ² < μR. Its gambler then needs no more than the others cost him, log 1.6 beside log 1/e. And the
    smallest stake keeps a share of 1/k², where a share that falls faster would be as good as none.

    Parameters
    ----------
    rows : int
        The most rows that there will be, at least 1.
    error : float
        In (0, 1).
    """
    # The best stake for a mean that is just seen, μ = σ √(2 log(1/e)/n), is μ/σ²; and σ is at most 1.
    least = min(1.0, math.sqrt(-2 * math.log(error) / rows))
    count = 1 + math.ceil(-math.log(least) / math.log(_RATIO))
    shares = 1 / np.arange(count, 0, -1.0) ** 2
    return Stakes(np.geomspace(least, 1.0, count), shares / shares.sum())


def log_growth(values: Floats, stakes: Stakes, at: Floats, *, seen: Floats, start: int, size: int | None) -> Floats:
    """Return by how much the logarithm of each gambler's capital grows over some rows, shape (m, k).

    Parameters
    ----------
    values : ndarray of float64, shape (m, n) or (1, n)
        In [-1, 1], in the order in which they come.
    stakes : Stakes
        k gamblers.
    at : ndarray of float64, shape (m,)
        The hypothesis: the mean is at most this.
    seen : ndarray of float64, shape (m,) or (1,)
        The sum of the values before these.
    start : int
        How many there were.
    size : int or None
        N, or None for rows of the world.
    """
    length = max(_CHUNK, _AT_ONCE // (max(len(values), len(at)) * len(stakes.sizes)) // _CHUNK * _CHUNK)
    grown = np.zeros((max(len(values), len(at)), len(stakes.sizes)))
    for first in range(0, values.shape[1], length):
        part = values[:, first : first + length]
        if size is None:
            mean, speed = at[:, None], np.ones(part.shape[1])
        else:
            left = size - start - first - np.arange(part.shape[1])
            before = np.cumsum(part, axis=1)
            mean, speed = (size * at[:, None] - seen[:, None] - before + part) / left, size / left
            seen = seen + before[:, -1]
        grown += _grown(part, stakes.sizes, mean, speed)
    return grown


def _grown(values: Floats, sizes: Floats, mean: Floats, speed: Floats) -> Floats:
    # A mean below -1 is impossible: it is taken as just above, which is to test less than was asked.
    room = np.maximum(1 + mean, _LEAST_ROOM)
    gained = (values + 1) - room
    stakes = np.minimum(sizes[:, None] * speed, (1 / room)[:, None, :])
    factors = np.multiply(stakes, gained[:, None, :], out=np.empty((len(gained), *stakes.shape[1:])))
    factors += 1
    m, k, n = factors.shape
    whole = n - n % _CHUNK
    # Rounding may leave a factor that is 0 just below it.
    np.maximum(factors, 0.0, out=factors)
    with np.errstate(divide="ignore", under="ignore"):
        grown = np.log(factors[..., :whole].reshape(m, k, -1, _CHUNK).prod(axis=3)).sum(axis=2)
        if whole < n:
            grown = grown + np.log(factors[..., whole:].prod(axis=2))
    return np.asarray(grown)


def least_mean(total: Floats, n: int, size: int | None) -> Floats:
    """Return the least that the mean can be after n values with this sum, but for rounding; -1 of the world.

    Parameters
    ----------
    total : ndarray of float64, shape (m,)
    n : int
    size : int or None
        N, or None for rows of the world.
    """
    if size is None:
        return np.full(len(total), -1.0)
    return np.asarray((total - (size - n)) / size - _ROUNDING)


def log_capital(logs: Floats, stakes: Stakes) -> Floats:
    """Return the logarithm of all gamblers' capital, shape (m,), from that of each one's growth, shape (m, k)."""
    # The floor is of gamblers who lost all.
    most = np.maximum(logs.max(axis=1), -NOTHING)
    with np.errstate(divide="ignore", under="ignore"):
        return np.asarray(most + np.log(np.exp(logs - most[:, None]) @ stakes.shares))
