"""Two local workers against one on a model whose forward pass dominates: after their start, and with it."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row, Size, save_network
from pipeline.data.base import Data
from pipeline.data.streamed import Streamed
from pipeline.engine.base import Engine
from pipeline.engine.local import Local
from pipeline.model.npz import Npz
from pipeline.records.rows import Block
from pipeline.records.scores import Scores
from pipeline.scoring.job import Job

SHARDS, SMALL_SHARDS, ROWS = 48, 4, 8192
LAYERS = (784, 512, 512, 10)
REPEATS = 3


@dataclass
class Pixels(Data):
    """Rows that cost nothing to read: the same 8,192 in every shard."""

    name: str = "pixels"
    shards: int = SHARDS

    def load_split(self, split: str) -> Streamed:
        """Make one shard's rows."""
        rng = np.random.default_rng(0)
        block = Block(rng.integers(0, 256, (ROWS, LAYERS[0]), np.uint8), rng.integers(0, LAYERS[-1], ROWS))

        def read(shard: int) -> Iterator[Block]:
            yield block

        return Streamed(
            name="pixels",
            digest="pixels",
            n_classes=LAYERS[-1],
            scale=1 / 255,
            width=LAYERS[0],
            bounds=np.arange(self.shards + 1) * ROWS,
            read_shard=read,
            read_labels=None,
            row_name=str,
        )


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio of the work, then that with the start of the workers."""
    shards, repeats = (SMALL_SHARDS, 1) if size == "small" else (SHARDS, REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        save_network(path, LAYERS)
        job = Job(Pixels(shards=shards), "test", Npz(path=str(path), activation="relu"), None)
        engines: dict[str, Engine] = {"one": Local(workers=1), "two": Local(workers=2)}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
        # In turn, so that what disturbs the machine disturbs both.
        for _ in range(repeats):
            for name, engine in engines.items():
                taken[name].append(_seconds(engine, job, shards))
    steady, whole = ({name: statistics.median(t[i] for t in times) for name, times in taken.items()} for i in (0, 1))
    what = f"{shards * ROWS:,} rows through 784-512-512-10"
    yield Row(f"{what}: two local workers / one, once they work", steady["two"] / steady["one"], 1 / 1.7)
    yield Row(f"{what}: the same with their start", whole["two"] / whole["one"], math.nan)


def _seconds(engine: Engine, job: Job, shards: int) -> tuple[float, float]:
    """Seconds a run of all shards takes at the rate at which they come once every worker works, and with its start."""
    at: list[float] = []

    def keep(shard: int, scores: Scores) -> None:
        at.append(time.perf_counter())

    started = time.perf_counter()
    engine.run(job, range(shards), keep)
    whole = time.perf_counter() - started
    # By then each worker has had its first shard, in which libraries warm up.
    early = shards // 4
    return (at[-1] - at[early]) / (shards - 1 - early) * shards, whole
