"""The gate's sequence over 100,000 paired rows in blocks of 100, a verdict after each: seconds, and the interval's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.measuring import Row, Size, median_seconds
from pipeline.estimation.sequential_pair import SequentialGain

N, SMALL_N, BLOCK, ERROR = 100_000, 2_000, 100, 0.0125


def rows(size: Size) -> Iterator[Row]:
    """Yield the seconds for the rows as they are, and as a sample of the world."""
    n = SMALL_N if size == "small" else N
    # Nothing is decided before the end: the slowest case.
    gains = np.random.default_rng(0).normal(-0.01, 0.4, (1, n))
    for whose, of in (("all rows", n), ("the world", None)):
        seconds = median_seconds({"": lambda of=of: _sequence(gains, of)}, repeats=1 if size == "small" else 5)  # type: ignore[misc]
        yield Row(f"the gate's sequence, {n:,} rows in blocks of {BLOCK}, for {whose}: seconds", seconds[""], 1.0)


def _sequence(gains: np.ndarray, size: int | None) -> None:
    gain = SequentialGain(0.02, gains.shape[1], ERROR, reach=2.0, size=size)
    for start in range(0, gains.shape[1], BLOCK):
        gain.take(gains[:, start : start + BLOCK])
        if gain.is_above(0.0, ERROR) and gain.is_above(-0.02, ERROR) and gain.is_below(-0.02, ERROR):
            raise ValueError("a gain cannot be on both sides of the margin")
