"""McNemar's test of the rows that one of two models alone gets right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..records.stored import BLOCK, let_go


def discordant(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int]:
    """Count the rows that the second model alone gets right (gained), and those that the first alone does (lost)."""
    gained = lost = 0
    for start in range(0, len(first), BLOCK):
        before, after = first[start : start + BLOCK], second[start : start + BLOCK]
        gained += int(np.count_nonzero(after & ~before))
        lost += int(np.count_nonzero(before & ~after))
        let_go(first)
        let_go(second)
    return gained, lost


def mcnemar(gained: int, lost: int) -> float:
    """Return the exact two-sided p value of gained and lost being equally likely; 1 if there are none of either.

    The flipped rows are `gained` heads of a fair coin  [McNemar 1947, Psychometrika 12, in its binomial form].

    Examples
    --------
    >>> mcnemar(5, 0)
    0.0625
    """
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def mcnemar_mid_p(gained: int, lost: int) -> float:
    """Return the mid-p value of McNemar's test: outcomes that are as likely as the one at hand count half.

    The exact test is conservative, for few rows turn; the mid-p value is nearly exact, and does not promise its level
    [Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13, 91].

    Examples
    --------
    >>> round(mcnemar(10, 2), 4), round(mcnemar_mid_p(10, 2), 4)
    (0.0386, 0.0225)
    """
    from scipy.stats import binom

    if not gained + lost:
        return 1.0
    # The outcome that is turned over is as likely; at equal numbers it is the same one.
    as_likely = float(binom.pmf(gained, gained + lost, 0.5)) * (1 if gained == lost else 2)
    return mcnemar(gained, lost) - as_likely / 2
