"""Tango's score interval for the difference of two paired shares."""

from __future__ import annotations

import math

import scipy


def score_interval(gained: int, lost: int, n: int, confidence: float) -> tuple[float, float]:
    """Return the differences of two paired shares that a score test does not reject.

    Solves ``(b - c - nΔ)² = z² n (2q + Δ(1 - Δ))`` for Δ, with q the share lost that is likeliest for a given Δ: the
    root of ``2n q² + (-b - c + (2n - b + c)Δ) q - cΔ(1 - Δ) = 0``  [Tango 1998, Statistics in Medicine 17,
    891-908]. At Δ = 0 it is McNemar's test; it stays within -1 … 1, and has a width where nothing flips: ± z²/(n + z²).

    Parameters
    ----------
    gained, lost : int
        Rows that the second model alone gets right, b, and that the first alone does, c.
    n : int
        All rows.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float
        Around (b - c)/n.
    """
    z = float(scipy.special.ndtri((1 + confidence) / 2))
    return -_score_limit(lost, gained, n, z), _score_limit(gained, lost, n, z)


def _score_limit(gained: int, lost: int, n: int, z: float) -> float:
    """The upper limit; where all rows or none are discordant one way, the equation has its root written out."""
    from scipy.optimize import brentq

    if gained == n:
        return 1.0
    if lost == n:
        return (z**2 - n) / (z**2 + n)
    if gained + lost == 0:
        return z**2 / (n + z**2)

    def beyond(delta: float) -> float:
        spread = 2 * _likeliest_lost(delta, gained, lost, n) + delta * (1 - delta)
        return float((gained - lost - n * delta) ** 2 - z**2 * n * spread)

    return float(brentq(beyond, (gained - lost) / n, 1.0))


def _likeliest_lost(delta: float, gained: int, lost: int, n: int) -> float:
    linear = -gained - lost + (2 * n - gained + lost) * delta
    constant = -lost * delta * (1 - delta)
    root = math.sqrt(max(linear**2 - 8 * n * constant, 0.0))
    # Of the two forms of the root, the one that adds numbers of one sign.
    return -2 * constant / (linear + root) if linear > 0 else (root - linear) / (4 * n)
