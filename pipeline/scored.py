"""The population's scores, made once on a machine: workers that run beside each other share them through the cache."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from pipeline import files
from pipeline.kept import once
from pipeline.locks import held
from pipeline.model.base import Classifier
from pipeline.records import Dataset, Scores

_is_fresh = False


def scored(
    classifier: Classifier, dataset: Dataset, loss_cap: float | None, make: Callable[[], tuple[Scores, float]]
) -> tuple[Scores, float]:
    """Return the scores of all rows, and the seconds that scoring them took.

    Parameters
    ----------
    classifier, dataset : Classifier, Dataset
        Known by their digests.
    loss_cap : float or None
        Losses above it count as it, nats.
    make : callable
        Makes both where they are neither in this process nor in the cache; the others wait for it.
    """
    shaping = f"{dataset.digest} {dataset.scale} {classifier.digest} {loss_cap} numpy {np.__version__}"
    name = files.content_digest(shaping.encode(), files.source_digest().encode())
    return once(f"scores {name} {_is_fresh}", lambda: make() if _is_fresh else _shared(name, make))


@contextmanager
def fresh() -> Iterator[None]:
    """Let nothing be taken from the cache: what is said to be the same must have been made twice."""
    global _is_fresh
    before, _is_fresh = _is_fresh, True
    try:
        yield
    finally:
        _is_fresh = before


def _shared(name: str, make: Callable[[], tuple[Scores, float]]) -> tuple[Scores, float]:
    path = files.cache("scores") / f"{name}.npz"
    with held(f"scores-{name}"):
        kept = _read(path)
        if kept is not None:
            return kept
        scores, seconds = make()
        counts = np.array([scores.ties, scores.capped])
        # Without room for it there is no cache, and no harm.
        with suppress(OSError):
            files.write_beside(
                path,
                lambda file: np.savez(
                    file,
                    allow_pickle=False,
                    loss=scores.loss,
                    correct=scores.correct,
                    counts=counts,
                    seconds=np.array(seconds),
                ),
            )
        return scores, seconds


def _read(path: Path) -> tuple[Scores, float] | None:
    """What the cache has; None where it has nothing, or nothing whole."""
    try:
        # Opened here, for NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            ties, capped = found["counts"].tolist()
            return Scores(found["loss"], found["correct"], ties=ties, capped=capped), float(found["seconds"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
