"""The power of Student's t test, by the noncentral t distribution, and the fewest rows with which it has one."""

from __future__ import annotations

import math

import scipy

# From so many rows on the normal formula is right within two or three of them.
_MANY = 100
_FEWEST = 2
# Beyond it nothing changes, but the distribution is no longer computed.
_MOST_SPREADS = 1e6
# Where no number below it suffices: of tests whose level is next to 0.
_MOST = 2_000


def t_power(n: int, spreads: float, *, significance: float, samples: int = 1) -> float:
    """Return the chance that a two-sided t test of n normal values sees their mean.

    T has the noncentral t distribution with ``samples (n - 1)`` degrees of freedom and the noncentrality δ √n / σ
    [Johnson & Welch 1940, Biometrika 31, 362-389]; the test sees the mean where T is beyond a quantile of the usual t.

    Parameters
    ----------
    n : int
        Values of each sample, at least 2.
    spreads : float
        δ/σ, at least 0: the mean in standard deviations, of two separate samples the root of their variances' sum.
    significance : float
        In (0, 1).
    samples : int
        1: paired differences; 2: two separate samples of n each.

    Examples
    --------
    >>> round(t_power(3, 1.68, significance=0.05), 2)
    0.37
    """
    degrees, centre = samples * (n - 1), min(spreads, _MOST_SPREADS) * math.sqrt(n)
    # The lower quantile, for 1 - α/2 would lose the digits of a small α.
    beyond = -float(scipy.special.stdtrit(degrees, significance / 2))
    above = 1 - float(scipy.special.nctdtr(degrees, centre, beyond))
    below = float(scipy.special.nctdtr(degrees, centre, -beyond))
    # Where T hardly comes there, SciPy has no number.
    return above + (0.0 if math.isnan(below) else below)


def rows_for_t(spreads: float, *, about: float, power: float, significance: float, samples: int = 1) -> float:
    """Return the fewest rows with which a t test has the power, where they are few; else what the normal formula says.

    Parameters
    ----------
    spreads, significance, samples
        As `t_power` has them.
    about : float
        The normal formula's number, which is kept from 100 on.
    power : float
        Asked for, in (0, 1).

    Examples
    --------
    >>> rows_for_t(4.4, about=2, power=0.8, significance=0.05)
    3.0
    """
    if about >= _MANY:
        return about
    tried = range(_FEWEST, _MOST)
    found = (n for n in tried if t_power(n, spreads, significance=significance, samples=samples) >= power)
    return float(next(found, _MOST))
