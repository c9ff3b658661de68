"""A gate of two Parquet files, from the files to the verdict, against reading both; and a league of fifty models."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from pyarrow import parquet as pq

import pipeline as bs
from benchmarks.measuring import Row, Size, median_seconds
from benchmarks.predictions import CLASSES, write
from benchmarks.processes import context
from pipeline.estimation.league import league_of

# Rows and row groups of the files; models and rows of the league.
N, GROUP, SMALL_N = 10**6, 10**5, 4_000
MODELS, LEAGUE_N = 50, 100_000
MARGIN = {"loss": 0.02, "accuracy": 0.01}


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios to reading, then the league's seconds."""
    n, repeats = (SMALL_N, 1) if size == "small" else (N, 7)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, f"{name}.parquet") for name in ("old", "new")]
        for seed, path in enumerate(files):
            write(path, n, "wide", max(n // 10, min(n, GROUP)), seed=seed, labels_seed=0)
        yield from _of_files(files, n, repeats, size)
    yield _of_a_league(size)


def judged(files: list[Path], *, check: bool = False) -> bs.Verdict:
    """Open, read, check and score both files, and give the verdict on loss and accuracy."""
    old, new = (bs.scores(path) for path in files)
    return bs.gate(old, new, margin=MARGIN, check=check)


def read(files: list[Path]) -> None:
    """Read all columns of both."""
    for path in files:
        pq.read_table(path)


def _of_files(files: list[Path], n: int, repeats: int, size: Size) -> Iterator[Row]:
    what = f"the gate of two Parquet files of {n:,} rows × {CLASSES} logits"
    if size != "small":
        ratio = _first_ratio(files, repeats, size)
        yield Row(f"{what} / pyarrow's read_table of both, each the first of its process", ratio, 1.5)
    works: dict[str, Callable[[], object]] = {
        "judged": lambda: judged(files),
        "checked": lambda: judged(files, check=True),
        "read": lambda: read(files),
    }
    taken_again = median_seconds(works, repeats=repeats)
    yield Row(
        f"{what} / the same, with memory left from reading", taken_again["judged"] / taken_again["read"], math.nan
    )
    yield Row(f"{what} and an A/A check / the same", taken_again["checked"] / taken_again["read"], math.nan)


def _first_ratio(files: list[Path], repeats: int, size: Size) -> float:
    """The verdict against reading, each in a process of its own: as a command does it, which reads its files once."""
    first: dict[str, list[float]] = {"judged": [], "read": []}
    with ProcessPoolExecutor(1, mp_context=context(size), max_tasks_per_child=1) as pool:
        for _ in range(repeats):
            for name, taken in first.items():
                taken.append(pool.submit(_first_seconds, name, files).result())
    return statistics.median(first["judged"]) / statistics.median(first["read"])


def _first_seconds(name: str, files: list[Path]) -> float:
    work: Callable[[list[Path]], object] = judged if name == "judged" else read
    with tempfile.TemporaryDirectory() as folder:
        # What is imported or built when first used is no part of it.
        small = [Path(folder, path.name) for path in files]
        for seed, path in enumerate(small):
            write(path, 1_000, "wide", 1_000, seed=seed, labels_seed=0)
        work(small)
    start = time.perf_counter()
    work(files)
    return time.perf_counter() - start


def _of_a_league(size: Size) -> Row:
    models, n = (6, 2_000) if size == "small" else (MODELS, LEAGUE_N)
    rng = np.random.default_rng(0)
    common = rng.exponential(size=n)
    values = np.array([common + rng.normal(0.002 * model, 0.3, n) for model in range(models)])
    seconds = median_seconds(
        {"": lambda: league_of(values, is_better_low=True, confidence=0.95)}, repeats=1 if size == "small" else 5
    )[""]
    return Row(f"a league of {models} models on {n:,} rows: seconds", seconds, 5.0)
