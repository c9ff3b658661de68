"""The frame: what a design may know of the population, among it what a proxy guesses."""

from __future__ import annotations

import numpy as np

from ..data.base import Data
from ..model.base import Classifier
from ..records.rows import IntArray, Population
from ..records.scores import Scores
from ..runtime.memo import once
from ..sampling.frame import Frame, Guess
from ..sampling.units import Units
from ..scoring.rows import score
from .base import Proxy


def frame_of(dataset: Population, units: Units, classifier: Classifier, *, proxy: Proxy, data: Data) -> Frame:
    """Return what a design may know; nothing is evaluated until it is asked for.

    Parameters
    ----------
    dataset : Population
        The population.
    units : Units
        What is drawn.
    classifier : Classifier
        Judged, and asked for its confidence by some proxies.
    proxy : Proxy
        Guesses how hard each row is.
    data : Data
        Where the population came from; holds further columns.
    """
    key = f"guess {dataset.digest} {dataset.scale} {classifier.digest} {proxy!r} {data!r} {data.stamp()}"

    def guess() -> Guess:
        rows = once(key, lambda: proxy.guess(dataset, classifier, data=data))
        return rows if units.is_simple else _of_units(rows, units)

    def pilot(chosen: IntArray) -> Scores:
        return score(classifier, dataset, units.rows_of(chosen))

    def labels() -> IntArray | None:
        found = dataset.labels if units.starts is None else None
        return found if found is None or found.ndim == 1 else found.argmax(axis=1)

    return Frame(
        size=units.size,
        read_labels=labels,
        guess=guess,
        score=pilot,
        is_simple=units.is_simple,
    )


def _of_units(rows: Guess, units: Units) -> Guess:
    """The rows' guesses summed by unit, each with its weight."""
    return Guess(*(units.totals(np.asarray(part)) for part in (rows.difficulty, rows.loss, rows.accuracy)))
