"""How long a piece of work takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

_BUDGET = 0.05
# Seconds that the longer of two pieces of work may take in all, its warm-up included.
_BUDGET_OF_TWO = 0.4
_MOST_OF_TWO = 9


@dataclass(frozen=True)
class TwoTimes:
    """The seconds that two pieces of work took, measured in turn.

    Attributes
    ----------
    short, long : list of float
        Seconds, one a call, as many of one as of the other.
    """

    short: list[float]
    long: list[float]

    @property
    def share(self) -> float | None:
        """The median of the short one as a share of the long one's; None where their middle halves overlap."""
        # Of fewer than four calls each, the extremes stand for the quartiles.
        ends = statistics.quantiles(self.short, n=4) if len(self.short) > 3 else sorted(self.short)
        others = statistics.quantiles(self.long, n=4) if len(self.long) > 3 else sorted(self.long)
        if ends[-1] >= others[0]:
            return None
        return statistics.median(self.short) / statistics.median(self.long)


def in_turn(short: Callable[[], object], long: Callable[[], object], *, expected: float) -> TwoTimes | None:
    """Time two pieces of work in turn, each after a warm-up, so that both meet the same state of the machine.

    Parameters
    ----------
    short, long : callable
        What is timed.
    expected : float
        Seconds that a call of `long` took before. None is returned if fewer than two calls fit into 0.4 s.
    """
    calls = min(int(_BUDGET_OF_TWO / max(expected, 1e-9)) - 1, _MOST_OF_TWO)
    if calls < 2:
        return None
    short()
    long()
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(calls):
        for work, seconds in zip((short, long), taken, strict=True):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return TwoTimes(*taken)


def median_seconds(work: Callable[[], object], *, at_least: int = 3, at_most: int = 25) -> float:
    """Return the median of `seconds_taken`."""
    return statistics.median(seconds_taken(work, at_least=at_least, at_most=at_most))


def seconds_taken(work: Callable[[], object], *, at_least: int = 3, at_most: int = 25) -> list[float]:
    """Return the wall times, in seconds, of as many calls as fit into some 50 ms, within bounds.

    Parameters
    ----------
    work : callable
        What is timed.
    at_least, at_most : int
        Calls; with `at_least` above 1, work that takes more than a second is called once all the same.
    """
    taken: list[float] = []
    while len(taken) < at_least or (len(taken) < at_most and sum(taken) < _BUDGET):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
        if at_least > 1 and taken[0] > 1.0:
            break  # A slow model is not called again for the sake of a median.
    return taken
