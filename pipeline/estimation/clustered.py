"""Means of rows that belong together: groups count as what is independent, and a mean is a ratio of their sums."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from ..sampling.units import Units

Floats = NDArray[np.float64]

# Up to so many groups all flips of signs are counted out; of more, this many are drawn.
_MOST_COUNTED, _DRAWN = 14, 9_999
# A tie between two sums that rounding alone tells apart.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class ClusteredMean:
    """A mean over rows in G groups.

    Attributes
    ----------
    value : float
        ``Σ T_g / Σ n_g``, of the groups' sums and sizes.
    influence : ndarray of float64, shape (G,)
        ``(T_g - value · n_g) / n̄``: their mean is 0, and the mean of their squares over G - 1 is the variance of
        `value` to first order (cluster-robust)  [Cochran 1977, Sampling Techniques, §6.3 and 9A].
    totals : ndarray of float64, shape (G,)
        T_g.
    """

    value: float
    influence: Floats
    totals: Floats

    @property
    def error(self) -> float:
        """The standard error; nan of one group."""
        free = len(self.influence) - 1
        return float(np.sqrt(np.mean(self.influence**2) / free)) if free else float("nan")

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return ``value ± t s`` with G - 1 degrees of freedom; all numbers of one group."""
        free = len(self.influence) - 1
        if not free:
            return -np.inf, np.inf
        reach = float(scipy.special.stdtrit(free, (1 + confidence) / 2)) * self.error
        return self.value - reach, self.value + reach

    @property
    def p(self) -> float:
        """The two-sided p value of a mean of 0 by the same t; nan of one group, 1 where nothing differs."""
        free = len(self.influence) - 1
        if not free:
            return float("nan")
        if self.error == 0:
            return 1.0 if self.value == 0 else 0.0
        return float(2 * scipy.special.stdtr(free, -abs(self.value) / self.error))


def clustered_mean(values: Floats, units: Units) -> ClusteredMean:
    """Return the mean of rows in groups, with what each group does to it.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Finite.
    units : Units
        The groups of these rows, or the rows themselves; with their weights, if they have any.
    """
    totals, sizes = units.totals(values), units.sizes()
    if sizes is None:
        sizes = np.ones(len(totals))
    value = float(totals.sum() / sizes.sum())
    return ClusteredMean(value, (totals - value * sizes) / sizes.mean(), totals)


def sign_flip_p(totals: Floats, seed: int = 0) -> float:
    """Return the two-sided p value of groups whose sums are as likely of either sign, by flipping their signs.

    It needs no normal mean, so it holds for few groups; with G of them it is at least ``2 / 2^G``. Up to 14 groups all
    flips are counted  [Fisher 1935, The Design of Experiments, §21]; of more, 9,999 are drawn, and the sums at hand
    count as one of them  [Phipson & Smyth 2010].

    Parameters
    ----------
    totals : ndarray of float64, shape (G,)
        The sum of each group's paired differences.
    seed : int
        Of the flips that are drawn.

    Examples
    --------
    >>> sign_flip_p(np.array([1.0, 2.0, 3.0]))
    0.25
    """
    n, found = len(totals), abs(float(totals.sum()))
    least = found - _ROUNDING * float(np.abs(totals).sum())
    if n <= _MOST_COUNTED:
        # The first sign stays, for turning all signs over gives the same size.
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=n - 1))).reshape(2 ** (n - 1), n - 1)
        return float(np.mean(np.abs(totals[0] + signs @ totals[1:]) >= least))
    rng = np.random.default_rng(seed)
    reached = 0
    for start in range(0, _DRAWN, 1_000):
        signs = 2.0 * rng.integers(0, 2, (min(1_000, _DRAWN - start), n)) - 1.0
        reached += int(np.count_nonzero(np.abs(signs @ totals) >= least))
    return (1 + reached) / (1 + _DRAWN)
