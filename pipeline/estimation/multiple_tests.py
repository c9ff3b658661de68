"""p values of several tests, adjusted so that the chance of any false claim is that of one test."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return p values adjusted by Holm's method  [Holm 1979, Scandinavian Journal of Statistics 6, 65–70].

    The i-th smallest of m is multiplied by m − i + 1, and none may be below a smaller one's. Rejecting those below α
    makes a false claim with a chance of at most α, however the tests depend on each other.

    Parameters
    ----------
    p : array_like of float, any shape
        In [0, 1]; nan stands for a test that could not be made, and counts for none.

    Returns
    -------
    ndarray of float64, of the shape of `p`
        At most 1; nan where `p` is.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    found = np.asarray(p, dtype=np.float64)
    flat = found.ravel()
    order = np.argsort(flat, kind="stable")[: np.count_nonzero(~np.isnan(flat))]
    adjusted = np.full(len(flat), np.nan)
    steps = flat[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted.reshape(found.shape)


def e_bh(e: ArrayLike, alpha: float) -> NDArray[np.bool_]:
    """Return which hypotheses e-BH rejects: those with the k largest e-values, if the smallest is at least K/(kα).

    k is the largest number for which that holds. The expected share of false rejections is then at most α, however the
    e-values depend on each other  [Wang & Ramdas 2022, Journal of the Royal Statistical Society B 84, 822-852]. It
    holds for e-values at one time, fixed or a stopping time that is common to all; for running maxima it does not.

    Parameters
    ----------
    e : array_like of float, shape (K,)
        At least 0.
    alpha : float
        In (0, 1).

    Examples
    --------
    >>> e_bh([120, 60, 41, 3, 0.5], 0.05).tolist()
    [True, True, True, False, False]
    """
    found = np.asarray(e, dtype=np.float64)
    total = len(found)
    order = np.argsort(-found, kind="stable")
    reached = np.flatnonzero(found[order] * np.arange(1, total + 1) * alpha >= total)
    rejected = np.zeros(total, dtype=np.bool_)
    rejected[order[: reached[-1] + 1 if len(reached) else 0]] = True
    return rejected
