"""The anytime-valid interval at every count of 10,000 values: Batchscope against confseq, or the literal way."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.scoring import Row, median_seconds
from pipeline.interval.capital import sequence_at

N, CANDIDATES, CONFIDENCE = 10_000, 1_000, 0.95

Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most."""
    values = np.minimum(np.random.default_rng(0).lognormal(-3, 1.5, N), 1.0)
    other, peer = f"a loop over {CANDIDATES:,} candidates (confseq is not installed)", _literal
    if importlib.util.find_spec("confseq") is not None:
        other, peer = "confseq's betting_cs", _confseq
    works: dict[str, Callable[[], object]] = {
        "batchscope": lambda: sequence_at(values, np.arange(1, N + 1), confidence=CONFIDENCE),
        "peer": lambda: peer(values),
    }
    _refuse_difference(sequence_at(values, np.arange(1, N + 1), confidence=CONFIDENCE), peer(values))
    seconds = median_seconds(works, repeats=5)
    return [(f"betting sequence at every t of {N:,} values / {other}", seconds["batchscope"] / seconds["peer"], 0.1)]


def _refuse_difference(ours: Ends, theirs: Ends) -> None:
    """The stakes are cut in other ways, and the peer's candidates are a grid: the widths may differ, if not by much."""
    for count in (100, 1_000, N):
        mine, yours = (float(high[count - 1] - low[count - 1]) for low, high in (ours, theirs))
        if not 0.6 < mine / yours < 1.2:
            raise ValueError(f"the peer must find such an interval as ours at n = {count}; found {mine} and {yours}")


def _literal(values: NDArray[np.float64]) -> Ends:
    """As the paper has it  [Waudby-Smith & Ramdas 2023, theorem 3, eq. 26], a candidate at a time over all t."""
    mark = math.log(2 / (1 - CONFIDENCE))
    t = np.arange(1, N + 1)
    mean = (0.5 + np.cumsum(values)) / (t + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (t + 1)
    stake = np.sqrt(2 * mark / (np.append(0.25, variance[:-1]) * t * np.log(t + 1)))
    grid = np.linspace(0, 1, CANDIDATES)
    low, high = np.zeros(N), np.ones(N)
    for m in grid:
        for ends, sign, most in ((low, 1, 0.5 / max(m, 1e-12)), (high, -1, 0.5 / max(1 - m, 1e-12))):
            refused = np.cumsum(np.log1p(sign * np.minimum(stake, most) * (values - m))) >= mark
            if refused.any():
                first = int(refused.argmax())
                ends[first:] = np.maximum(low[first:], m) if sign > 0 else np.minimum(high[first:], m)
    return low, high


def _confseq(values: NDArray[np.float64]) -> Ends:
    from confseq.betting import betting_cs  # type: ignore[import-not-found]

    low, high = betting_cs(values, alpha=1 - CONFIDENCE, breaks=CANDIDATES, running_intersection=True)
    return np.asarray(low), np.asarray(high)
