"""Labels: choosing 100 of a million rows without labels, against one pass of the softmax over their logits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.measuring import REPEATS, Row, Size, median_seconds
from pipeline import data, engine, interval, model, proxy, sampling, study
from pipeline.experiment import Experiment, Stages
from pipeline.interval import accuracy, loss
from pipeline.model.base import Classifier, unchanged
from pipeline.proxy.frame import frame_of
from pipeline.records.rows import Dataset
from pipeline.sampling.units import units_of
from pipeline.study.labelling.population import Unlabelled
from pipeline.tracking.mlflow import Tracking

ROWS, SMALL_ROWS, CLASSES, CHOSEN, LABELLED = 1_000_000, 5_000, 10, 100, 1_000


class _AsGiven(Classifier):
    """Rows are logits already."""

    n_inputs, n_classes, digest = CLASSES, CLASSES, "as given"

    def logits(self, inputs):  # type: ignore[no-untyped-def]
        return inputs

    def from_stored(self, scale):  # type: ignore[no-untyped-def]
        return unchanged


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio, and the seconds themselves, whose target is one."""
    n, repeats = (SMALL_ROWS, 1) if size == "small" else (ROWS, REPEATS)
    rng = np.random.default_rng(0)
    logits = np.ascontiguousarray(3 * rng.standard_normal((CLASSES, n), dtype=np.float32)).T
    labels = rng.integers(0, CLASSES, n)
    test = _unlabelled(Dataset(logits, None, CLASSES, 1.0, "rows", "rows")).test(uniform=0.2)  # type: ignore[arg-type]
    test.fill(labels[test.choose(min(LABELLED, n // 2), rng).rows])

    def choose() -> None:
        test.choose(CHOSEN, rng)
        # The same choice once more: a round without labels is taken back.
        test.rounds.pop()

    def softmax() -> None:
        powers = np.exp(logits.T - logits.T.max(axis=0))
        powers /= powers.sum(axis=0)

    seconds = median_seconds({"ours": choose, "softmax": softmax}, repeats=repeats)
    what = f"{CHOSEN} of {n:,} rows chosen to be labelled, calibration included"
    yield Row(f"{what} / a softmax of their logits", seconds["ours"] / seconds["softmax"], 8.0)
    yield Row(f"{what}, seconds", seconds["ours"], 1.0)


def _unlabelled(dataset: Dataset) -> Unlabelled:
    classifier, units = _AsGiven(), units_of(dataset)
    experiment = Experiment(
        seed=0,
        batch_size=1,
        draws=1,
        confidence=0.95,
        data=data.MEMBERS["digits"](),
        model=model.MEMBERS["mlp"](),
        proxy=proxy.MEMBERS["confidence"](),
        sampling=sampling.MEMBERS["with_replacement"](),
        interval=interval.MEMBERS["by_metric"](loss.MEMBERS["t"](), accuracy.MEMBERS["wilson"]()),
        engine=engine.MEMBERS["threads"](),
        study=study.MEMBERS["label"](),
        tracking=Tracking(),
    )
    frame = frame_of(dataset, units, classifier, proxy=experiment.proxy, data=experiment.data)
    return Unlabelled(Stages(experiment, dataset, classifier, units, frame, experiment.sampling.plan(frame, 1)))
