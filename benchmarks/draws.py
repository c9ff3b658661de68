"""Draws from scores on disk: against the drawing of the indices alone, and the memory that it takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row, Size, median_seconds
from benchmarks.processes import context
from pipeline.estimation.draws import draw_batches
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.records.scores import Scores
from pipeline.sampling.base import Plan
from pipeline.sampling.units import Units
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan

N, BATCH, DRAWS, REPEATS = 10_000_000, 10_000, 1_000, 3
MANY = 100_000_000
SMALL_N, SMALL_BATCH, SMALL_DRAWS = 100_000, 1_000, 20
# Rows that are written together.
_AT_ONCE = 1 << 22


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios of the time, then those of the memory."""
    is_small = size == "small"
    n, batch, draws = (SMALL_N, SMALL_BATCH, SMALL_DRAWS) if is_small else (N, BATCH, DRAWS)
    with tempfile.TemporaryDirectory() as folder:
        scores = stored_scores(Path(folder), n)
        for plan in (IndependentPlan(n, batch), SimplePlan(n, batch)):
            name = "with" if isinstance(plan, IndependentPlan) else "without"
            claim = f"{draws:,} draws of {batch:,} from {n:,} stored scores, {name} replacement / the indices alone"
            yield Row(claim, _ratio(scores, plan, draws, repeats=1 if is_small else REPEATS), 4.0)
    few, many = n // 10, n if is_small else MANY
    peaks = [peak_of(rows, batch=batch, draws=draws, size=size)[0] for rows in (few, many)]
    what = f"peak memory of {draws:,} draws from {many:,} stored scores"
    yield Row(f"{what} / from {few:,}", peaks[1] / peaks[0], 1.5)
    yield Row(f"{what} / 1 GiB", peaks[1] / (1 << 30), 1.0)


def stored_scores(folder: Path, size: int) -> Scores:
    """Write made-up scores to a folder, as `pipeline.scoring.score_file` keeps them, and open them."""
    rng = np.random.default_rng(0)
    with (folder / "loss").open("wb") as loss, (folder / "accuracy").open("wb") as accuracy:
        for start in range(0, size, _AT_ONCE):
            values = rng.lognormal(-2, 1.5, min(_AT_ONCE, size - start)).astype(np.float32)
            loss.write(values.data)
            accuracy.write((values < 1).data)
    return Scores(
        np.memmap(folder / "loss", np.float32, "r+", shape=(size,)),
        np.memmap(folder / "accuracy", np.bool_, "r+", shape=(size,)),
    )


def peak_of(n: int, *, batch: int, draws: int, size: Size) -> tuple[float, float]:
    """Return the peak memory, bytes, and the seconds of a process of its own that draws from stored scores."""
    with tempfile.TemporaryDirectory() as folder:
        stored_scores(Path(folder), n)
        receive, send = context(size).Pipe(duplex=False)
        process = context(size).Process(target=_draw, args=(folder, n, batch, draws, send))
        process.start()
        # Else the end of a process that was killed would go unnoticed.
        send.close()
        with receive:
            found: tuple[float, float] = receive.recv()
        process.join()
    return found


def _draw(folder: str, size: int, batch: int, draws: int, send: Connection) -> None:
    path = Path(folder)
    scores = Scores(
        np.memmap(path / "loss", np.float32, "r+", shape=(size,)),
        np.memmap(path / "accuracy", np.bool_, "r+", shape=(size,)),
    )
    start = time.perf_counter()
    scored = ScoredUnits(scores, Units(size), SimplePlan(size, batch))
    draw_batches(scored, seed=0, draws=draws)
    for metric in scored.metrics:
        scored.mean(metric)
        scored.error_variance(metric)
    seconds = time.perf_counter() - start
    # Not `resource.getrusage`, which knows the parent's peak too.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    send.send((1024.0 * int(status.split("VmHWM:")[1].split()[0]), seconds))


def _ratio(scores: Scores, plan: Plan, draws: int, *, repeats: int) -> float:
    scored = ScoredUnits(scores, Units(len(scores)), plan)

    def indices() -> None:
        for i in range(draws):
            plan.batch(0, i)

    works = {"ours": lambda: draw_batches(scored, seed=0, draws=draws), "indices": indices}
    # The mean of all rows is found out once for all draws.
    draw_batches(scored, seed=0, draws=1)
    seconds = median_seconds(works, repeats=repeats)
    return seconds["ours"] / seconds["indices"]
