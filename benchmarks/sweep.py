"""A whole sweep of batch sizes: against the literal way, against drawing alone, its memory, and its start."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.scoring import DATA, Row, median_seconds
from pipeline.data.mnist import Mnist
from pipeline.draws import Scored, estimate_draws
from pipeline.interval.accuracy.wilson import Wilson
from pipeline.interval.loss.hall import Hall
from pipeline.model.network import Network
from pipeline.model.npz import Npz
from pipeline.records import Dataset
from pipeline.sampling.base import generator
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.scoring import score
from pipeline.units import Units

SIZES = (1, 10, 100, 1_000, 10_000, 60_000)
DRAWS = 1_000
LITERAL_DRAWS = 5
ROOT = Path(__file__).resolve().parents[1]
# A process is charged with the peak of the one it was forked from; so the measured one is forked from a small one.
_WATCH = """
import os, subprocess, sys, time
start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(time.perf_counter() - start, usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
IMPORTS = "import hydra, mlflow, sklearn, sklearn.datasets, matplotlib.pyplot"


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most."""
    return [*_statistics(), _memory(), _start()]


def _statistics() -> list[Row]:
    dataset = Mnist(split="train", root=str(DATA / "mnist")).load()
    network = Npz(path=str(DATA / "book_network" / "weights.npz")).build(Mnist())
    seconds = median_seconds(
        {
            "ours": lambda: _ours(network, dataset),
            "indices": lambda: _indices(len(dataset)),
            "literal": lambda: _literal(network, dataset),
        },
        repeats=5,
    )
    literal = seconds["literal"] * DRAWS / LITERAL_DRAWS
    what = f"sweep of {len(SIZES)} sizes, {DRAWS:,} draws each"
    return [
        (f"{what} / drawing, forwarding and scoring every batch", seconds["ours"] / literal, 1 / 300),
        (f"{what} / drawing the random indices alone", seconds["ours"] / seconds["indices"], 3.0),
    ]


def _ours(network: Network, dataset: Dataset) -> None:
    scores = score(network, dataset)
    for size in SIZES:
        scored = Scored(scores, Units(len(dataset)), IndependentPlan(len(dataset), size))
        intervals = {"loss": Hall(), "accuracy": Wilson()}
        estimate_draws(scored, intervals, seed=0, draws=DRAWS, confidence=0.95)


def _indices(population: int) -> None:
    for size in SIZES:
        for i in range(DRAWS):
            generator(0, size, i).choice(population, size)


def _literal(network: Network, dataset: Dataset) -> None:
    """Draw a batch, forward it, score it, for every draw, as the textbook does it."""
    for size in SIZES:
        for i in range(LITERAL_DRAWS):
            chosen = generator(0, size, i).choice(len(dataset), size)
            x, t = dataset.inputs[chosen].astype(np.float32) / np.float32(255), dataset.labels[chosen]
            for weights, bias in network.layers[:-1]:
                x = 1 / (1 + np.exp(-(x @ weights + bias)))
            a = x @ network.layers[-1][0] + network.layers[-1][1]
            e = np.exp(a - a.max(axis=1, keepdims=True))
            y = e / e.sum(axis=1, keepdims=True)
            loss, correct = -np.log(y[np.arange(size), t]), y.argmax(axis=1) == t
            loss.mean(), loss.std(), correct.mean()


def _memory() -> Row:
    book = [f"data.root={DATA / 'mnist'}", "model=npz", f"model.path={DATA / 'book_network' / 'weights.npz'}"]
    with tempfile.TemporaryDirectory() as folder:
        _, megabytes = _measured("-m", "pipeline", "--multirun", "+experiment=sweep", "data=mnist", *book, home=folder)
    return "peak memory of the MNIST sweep / 600 MB", megabytes / 600, 1.0


def _start() -> Row:
    sweep = ("-m", "pipeline", "--multirun", "+experiment=sweep")
    with tempfile.TemporaryDirectory() as folder:
        _measured(*sweep, home=folder)  # Brings the store up and trains the network.
        times = [(_measured(*sweep, home=folder)[0], _measured("-c", IMPORTS, home=folder)[0]) for _ in range(5)]
    ours, imports = (statistics.median(side) for side in zip(*times, strict=True))
    return "make sweep on digits / importing hydra, mlflow, scikit-learn and matplotlib", ours / imports, 2.5


def _measured(*arguments: str, home: str) -> tuple[float, float]:
    """Run Python to its end; wall seconds, and its peak memory in megabytes (10⁶ bytes)."""
    environment = {**os.environ, "BATCHSCOPE_MLRUNS": home, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _WATCH, sys.executable, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    seconds, kilobytes = done.stdout.split()
    return float(seconds), int(kilobytes) * 1024 / 1e6
