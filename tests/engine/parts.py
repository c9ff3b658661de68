"""Data whose shards fail as a test asks (kill their worker, fail once, are damaged), and runs of engines over them."""

import os
import signal
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline import engine
from pipeline.data.base import Data
from pipeline.data.streamed import Streamed
from pipeline.errors import BadInput, Failed
from pipeline.records.rows import Block, Dataset
from pipeline.runtime import memo
from pipeline.scoring.cache import cached_scores
from pipeline.scoring.job import Job

WIDTH, CLASSES = 10, 5


@dataclass
class Made(Data):
    """Rows by a fixed seed; `folder` takes the marks ``SHARD-…`` of every shard that was begun.

    `cannot_load` and `dies_loading` hold the id of the one process that can load the rows.
    """

    name: str = "made"
    shards: int = 6
    rows_each: int = 3000
    folder: str = ""
    is_in_memory: bool = False
    kills_once: list[int] = field(default_factory=list)
    kills: list[int] = field(default_factory=list)
    fails_once: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    seconds: float = 0.0
    cannot_load: str = ""
    dies_loading: str = ""

    def load_split(self, split):
        if self.cannot_load and os.getpid() != int(self.cannot_load):
            raise BadInput("the rows must be here; found none")
        if self.dies_loading and os.getpid() != int(self.dies_loading):
            os.kill(os.getpid(), signal.SIGKILL)
        bounds = np.arange(self.shards + 1) * self.rows_each
        if self.is_in_memory:
            blocks = [_block(shard, self.rows_each) for shard in range(self.shards)]
            inputs, labels = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
            return Dataset(inputs, labels, CLASSES, 1.0, "made", "made in memory")
        return Streamed(
            "made", f"made {self.shards}", CLASSES, 1.0, WIDTH, bounds, self._read, None, lambda row: f"row {row}"
        )

    def _read(self, shard):
        begun = self.begun().count(shard)
        Path(self.folder, f"{shard}-{uuid.uuid4().hex}").touch()
        if shard in self.kills or (shard in self.kills_once and not begun):
            os.kill(os.getpid(), signal.SIGKILL)
        if shard in self.fails_once and not begun:
            raise ConnectionResetError("the store went away")
        if shard in self.damaged:
            raise BadInput(f"shard {shard} must be whole; found half of it")
        time.sleep(self.seconds)
        yield _block(shard, self.rows_each)

    def begun(self):
        """The shards that were begun, one entry a time."""
        return [int(path.name.partition("-")[0]) for path in Path(self.folder).iterdir()]


def _block(shard, rows):
    rng = np.random.default_rng(shard)
    return Block(rng.normal(size=(rows, WIDTH)).astype(np.float32), rng.integers(0, CLASSES, rows))


def write_weights(path):
    """Write a network for these rows."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (WIDTH, 32), "b1": (32,), "W2": (32, CLASSES), "b2": (CLASSES,)}
    np.savez(path, **{name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()})
    return str(path)


def engines(*counts):
    return [engine.MEMBERS["threads"](), *(engine.MEMBERS["local"](workers=count) for count in counts)]


def run(part, data, model):
    """Score all shards; return what was kept, and what was said."""
    found, said = {}, None
    population = data.rows("test")
    try:
        part.run(Job(data, "test", model, None), range(len(population.bounds) - 1), found.__setitem__)
    except (BadInput, Failed) as error:
        said = error
    return found, said


def files_of(part, data, model, folder, monkeypatch):
    """The bytes of the score file that an engine leaves."""
    monkeypatch.setenv("BATCHSCOPE_MLRUNS", str(folder))
    monkeypatch.setattr(memo, "_KEPT", type(memo._KEPT)())
    population = data.rows("test")
    classifier = model.build(data)
    job = Job(data, "test", model, None)
    cached_scores(classifier, population, run=part.run, is_here=part.is_here, job=job, make=lambda: None)
    (scores,) = (folder / "cache" / "scores").iterdir()
    return {name: (scores / name).read_bytes() for name in ("loss", "accuracy", "done", "metrics.json")}
