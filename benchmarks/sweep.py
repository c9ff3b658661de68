"""A whole sweep of batch sizes: against the literal way, against drawing alone, and its memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measuring import Row, Size, book, composed, median_seconds
from benchmarks.processes import commands
from pipeline.estimation.draws import estimate_draws
from pipeline.estimation.scored_units import ScoredUnits
from pipeline.interval.accuracy.wilson import Wilson
from pipeline.interval.loss.hall import Hall
from pipeline.model.network import Network
from pipeline.records.rows import Dataset
from pipeline.sampling.streams import DRAW, generator
from pipeline.sampling.units import Units
from pipeline.sampling.with_replacement import IndependentPlan
from pipeline.scoring.rows import score


@dataclass(frozen=True)
class Form:
    """Batch sizes, and draws of each; the literal way is timed on few draws and its time scaled up."""

    sizes: tuple[int, ...]
    draws: int
    literal_draws: int
    repeats: int


FULL = Form((1, 10, 100, 1_000, 10_000, 60_000), draws=1_000, literal_draws=5, repeats=5)
SMALL = Form((1, 10, 100), draws=100, literal_draws=5, repeats=1)


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios of the time, then that of the memory."""
    with tempfile.TemporaryDirectory() as folder:
        overrides = book(size, Path(folder))
        yield from _statistics(overrides, SMALL if size == "small" else FULL)
        yield _memory(overrides, size)


def _statistics(overrides: list[str], form: Form) -> Iterator[Row]:
    experiment = composed(*overrides)
    dataset, network = experiment.data.load(), experiment.model.built(experiment.data)
    seconds = median_seconds(
        {
            "ours": lambda: _ours(network, dataset, form),
            "indices": lambda: _indices(len(dataset), form),
            "literal": lambda: _literal(network, dataset, form),
        },
        repeats=form.repeats,
    )
    literal = seconds["literal"] * form.draws / form.literal_draws
    what = f"sweep of {len(form.sizes)} sizes, {form.draws:,} draws each"
    yield Row(f"{what} / drawing, forwarding and scoring every batch", seconds["ours"] / literal, 1 / 400)
    yield Row(f"{what} / drawing the random indices alone", seconds["ours"] / seconds["indices"], 1.9)


def _ours(network: Network, dataset: Dataset, form: Form) -> None:
    scores = score(network, dataset)
    for size in form.sizes:
        scored = ScoredUnits(scores, Units(len(dataset)), IndependentPlan(len(dataset), size))
        intervals = {"loss": Hall(), "accuracy": Wilson()}
        estimate_draws(scored, intervals, seed=0, draws=form.draws, confidence=0.95)


def _indices(population: int, form: Form) -> None:
    for size in form.sizes:
        for i in range(form.draws):
            generator(DRAW, 0, batch_size=size, draw=i).choice(population, size)


def _literal(network: Network, dataset: Dataset, form: Form) -> None:
    """Draw a batch, forward it, score it, for every draw, as the textbook does it."""
    for size in form.sizes:
        for i in range(form.literal_draws):
            chosen = generator(DRAW, 0, batch_size=size, draw=i).choice(len(dataset), size)
            x, t = dataset.inputs[chosen].astype(np.float32) / np.float32(255), dataset.labels[chosen]
            for weights, bias in network.layers[:-1]:
                x = 1 / (1 + np.exp(-(x @ weights + bias)))
            a = x @ network.layers[-1][0] + network.layers[-1][1]
            e = np.exp(a - a.max(axis=1, keepdims=True))
            y = e / e.sum(axis=1, keepdims=True)
            loss, correct = -np.log(y[np.arange(size), t]), y.argmax(axis=1) == t
            loss.mean(), loss.std(), correct.mean()


def _memory(overrides: list[str], size: Size) -> Row:
    run = commands(size)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        few = ["draws=20", "batch_size=10"] if size == "small" else []
        if size == "small":
            run.prepare(home)
        spent = run.run("-m", "pipeline", "--multirun", "+experiment=sweep", *overrides, *few, home=home)
    return Row("peak memory of the whole sweep / 600 MB", spent.peak / 600e6, 1.0)
