"""Two local workers against one on a model whose forward pass dominates: after their start, and with it."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.data.base import Data
from pipeline.data.streamed import Streamed
from pipeline.engine.base import Engine, Job
from pipeline.engine.local import Local
from pipeline.model.npz import Npz
from pipeline.records import Block, Scores

SHARDS, ROWS = 48, 8192
LAYERS = (784, 512, 512, 10)
REPEATS = 3

Row = tuple[str, float, float]


@dataclass
class Pixels(Data):
    """Rows that cost nothing to read: the same 8,192 in every shard."""

    name: str = "pixels"

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
            bounds=np.arange(SHARDS + 1) * ROWS,
            read_shard=read,
            read_labels=None,
            row_name=str,
        )


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most."""
    with tempfile.TemporaryDirectory() as folder:
        model = Npz(path=str(_weights(Path(folder))), activation="relu")
        job = Job(Pixels(), "test", model, None, {})
        engines: dict[str, Engine] = {"one": Local(workers=1), "two": Local(workers=2)}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
        # In turn, so that what disturbs the machine disturbs both.
        for _ in range(REPEATS):
            for name, engine in engines.items():
                taken[name].append(_seconds(engine, job))
    steady, whole = ({name: statistics.median(t[i] for t in times) for name, times in taken.items()} for i in (0, 1))
    what = f"{SHARDS * ROWS:,} rows through 784-512-512-10"
    return [
        (f"{what}: two local workers / one, once they work", steady["two"] / steady["one"], 1 / 1.7),
        (f"{what}: the same with their start", whole["two"] / whole["one"], float("inf")),
    ]


def _seconds(engine: Engine, job: Job) -> tuple[float, float]:
    """Seconds a run of all shards takes at the rate at which they come once every worker works, and with its start."""
    at: list[float] = []

    def keep(shard: int, scores: Scores) -> None:
        at.append(time.perf_counter())

    started = time.perf_counter()
    engine.run(job, range(SHARDS), keep)
    whole = time.perf_counter() - started
    # By then each worker has had its first shard, in which libraries warm up.
    early = SHARDS // 4
    return (at[-1] - at[early]) / (SHARDS - 1 - early) * SHARDS, whole


def _weights(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    arrays = {}
    for i, (inputs, units) in enumerate(pairwise(LAYERS), start=1):
        arrays[f"W{i}"] = rng.normal(0, inputs**-0.5, (inputs, units)).astype(np.float32)
        arrays[f"b{i}"] = np.zeros(units, np.float32)
    path = folder / "weights.npz"
    np.savez(path, **arrays)
    return path
