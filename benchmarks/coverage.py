"""How often every interval holds, over seven batch sizes of 60,000 scores: against two minutes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row, Size, book, composed

SIZES, SMALL_SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000), (30,)
DRAWS, SMALL_DRAWS = 2_000, 10
SECONDS = 120


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio."""
    sizes, draws = (SMALL_SIZES, SMALL_DRAWS) if size == "small" else (SIZES, DRAWS)
    with tempfile.TemporaryDirectory() as folder:
        overrides = [*book(size, Path(folder)), "study=coverage", f"draws={draws}"]
        experiments = [composed(*overrides, f"batch_size={batch_size}") for batch_size in sizes]
        start = time.perf_counter()
        for experiment in experiments:
            experiment.study.answer(experiment.prepare())
        seconds = time.perf_counter() - start
        n = len(experiments[0].data.load())
    claim = f"coverage of {n:,} scores, {len(sizes)} sizes × {draws:,} draws × every interval / two minutes"
    yield Row(claim, seconds / SECONDS, 1.0)
