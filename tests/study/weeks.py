"""Files of predictions by date, and stages on one of them."""

import numpy as np

from tests.study.predicted import stages_from, write

DAYS = ("2026-10-05", "2026-10-12", "2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09")


def week(path, accuracy, *, rows=400, seed=0, classes=4, **extra):
    """Write logits that are right with that probability, and the labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    logits = rng.normal(0, 1, (rows, classes))
    is_right = rng.random(rows) < accuracy
    said = np.where(is_right, labels, (labels + 1) % classes)
    logits[np.arange(rows), said] = logits.max(axis=1) + rng.exponential(2, rows)
    return write(path, logits=logits, label=labels, **extra)


def weeks(folder, accuracies, **changes):
    """Write a file for each accuracy, a week apart; return their paths."""
    folder.mkdir(exist_ok=True)
    return [
        week(folder / f"{day}.parquet", accuracy, seed=i, **changes)
        for i, (day, accuracy) in enumerate(zip(DAYS, accuracies, strict=False))
    ]


def stages_on(stages_of, path, **changes):
    """Stages on one of the files."""
    return stages_from(stages_of, path, batch_size=10, **changes)
