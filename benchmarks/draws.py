"""Draws from scores on disk: against the drawing of the indices alone, and the memory that it takes."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from benchmarks.scoring import Row, median_seconds
from pipeline.draws import Scored, draw_batches
from pipeline.records import Scores
from pipeline.sampling.base import Plan
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.sampling.without_replacement import SimplePlan
from pipeline.units import Units

N, BATCH, DRAWS, REPEATS = 10_000_000, 10_000, 1_000, 3
MANY = 100_000_000
# Rows that are written together.
_AT_ONCE = 1 << 22


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        scores = stored_scores(Path(folder), N)
        for plan in (IndependentPlan(N, BATCH), SimplePlan(N, BATCH)):
            name = "with" if isinstance(plan, IndependentPlan) else "without"
            claim = f"{DRAWS:,} draws of {BATCH:,} from {N:,} stored scores, {name} replacement / the indices alone"
            found.append((claim, _ratio(scores, plan), 4.0))
    few, many = (peak_of(size)[0] for size in (N // 10, MANY))
    found.append((f"peak memory of {DRAWS:,} draws from {MANY:,} stored scores / from {N // 10:,}", many / few, 1.5))
    found.append((f"peak memory of {DRAWS:,} draws from {MANY:,} stored scores / 1 GiB", many / (1 << 30), 1.0))
    return found


def stored_scores(folder: Path, size: int) -> Scores:
    """Write made-up scores to a folder, as `pipeline.score_file` keeps them, and open them."""
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


def peak_of(size: int, *, draws: int = DRAWS) -> tuple[float, float]:
    """Return the peak memory, bytes, and the seconds of a process of its own that draws from stored scores."""
    with tempfile.TemporaryDirectory() as folder:
        stored_scores(Path(folder), size)
        context = multiprocessing.get_context("spawn")
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=_draw, args=(folder, size, draws, send))
        process.start()
        found: tuple[float, float] = receive.recv()
        process.join()
    return found


def _draw(folder: str, size: int, draws: int, send: Connection) -> None:
    path = Path(folder)
    scores = Scores(
        np.memmap(path / "loss", np.float32, "r+", shape=(size,)),
        np.memmap(path / "accuracy", np.bool_, "r+", shape=(size,)),
    )
    start = time.perf_counter()
    scored = Scored(scores, Units(size), SimplePlan(size, BATCH))
    draw_batches(scored, seed=0, draws=draws)
    for metric in scored.metrics:
        scored.mean(metric)
        scored.error_variance(metric)
    seconds = time.perf_counter() - start
    # Not `resource.getrusage`, which knows the parent's peak too.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    send.send((1024.0 * int(status.split("VmHWM:")[1].split()[0]), seconds))


def _ratio(scores: Scores, plan: Plan) -> float:
    scored = Scored(scores, Units(N), plan)

    def indices() -> None:
        for i in range(DRAWS):
            plan.batch(0, i)

    works = {"ours": lambda: draw_batches(scored, seed=0, draws=DRAWS), "indices": indices}
    # The mean of all rows is found out once for all draws.
    draw_batches(scored, seed=0, draws=1)
    seconds = median_seconds(works, repeats=REPEATS)
    return seconds["ours"] / seconds["indices"]
