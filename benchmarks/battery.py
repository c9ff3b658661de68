"""The battery: every interval on 33 generated populations and the losses at hand, against ten minutes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row, Size, book, composed

SECONDS = 600


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio."""
    small = ["study.sizes=[100]", "study.rows=[30]", "draws=10"] if size == "small" else ["draws=4000"]
    with tempfile.TemporaryDirectory() as folder:
        experiment = composed(*book(size, Path(folder)), "study=battery", *small)
        start = time.perf_counter()
        experiment.study.answer(experiment.prepare())
        seconds = time.perf_counter() - start
    yield Row("every interval on the battery's populations, 4,000 draws / ten minutes", seconds / SECONDS, 1.0)
