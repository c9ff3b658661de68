"""How often every interval holds, over seven batch sizes of 60,000 scores: against two minutes."""

from __future__ import annotations

import time

from benchmarks.scoring import DATA, Row
from pipeline.data.mnist import Mnist
from pipeline.experiment import Experiment
from pipeline.interval.accuracy.wilson import Wilson
from pipeline.interval.by_metric import ByMetric
from pipeline.interval.loss.hall import Hall
from pipeline.model.npz import Npz
from pipeline.proxy.confidence import Confidence
from pipeline.sampling.with_replacement import WithReplacement
from pipeline.study.coverage import Coverage
from pipeline.tracking import Tracking

SIZES = (10, 30, 100, 300, 1_000, 3_000, 10_000)
DRAWS, SECONDS = 2_000, 120


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most."""
    start = time.perf_counter()
    for size in SIZES:
        experiment = Experiment(
            seed=0,
            batch_size=size,
            draws=DRAWS,
            confidence=0.95,
            data=Mnist(split="train", root=str(DATA / "mnist")),
            model=Npz(path=str(DATA / "book_network" / "weights.npz")),
            proxy=Confidence(),
            sampling=WithReplacement(),
            interval=ByMetric(Hall(), Wilson()),
            study=Coverage(),
            tracking=Tracking(),
        )
        experiment.study.answer(experiment.prepare())
    seconds = time.perf_counter() - start
    claim = f"coverage of 60,000 scores, {len(SIZES)} sizes × {DRAWS:,} draws × every interval / two minutes"
    return [(claim, seconds / SECONDS, 1.0)]
