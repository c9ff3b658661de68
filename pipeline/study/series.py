"""The files of a series, read and scored one after the other; what is kept of each are a few figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ..data.base import Data
from ..data.formats.locations import is_remote
from ..errors import BadInput
from ..estimation import change
from ..estimation.draws import estimate_all
from ..estimation.scored_units import ScoredUnits
from ..estimation.unpaired import Moments, mean_interval, share_interval
from ..experiment import Stages
from ..interval.base import Interval
from ..metric.base import Metric
from ..metric.chosen import MAIN, known_of
from ..model.base import Classifier
from ..records.rows import Population
from ..records.scores import Scores
from ..records.stored import StoredColumn, is_large
from ..runtime import files
from ..runtime.memo import once
from ..runtime.progress import Bar
from ..sampling.units import Units, units_of
from ..sampling.without_replacement import SimplePlan
from .dated_files import DatedFile
from .paired.predictions import scores_of

# Up to so many rows an interval is made from all values: resamples of more would fill memory.
_MOST_RESAMPLED = 10_000


@dataclass(frozen=True, eq=False)
class Figures:
    """What is kept of a metric in one file.

    Attributes
    ----------
    value, low, high : float
        The mean of all rows, and its interval for the world that they are a sample of.
    moments : Moments
        For the difference of two means.
    sample : Sample or None
        For the test of a change; None where a value is infinite.
    """

    value: float
    low: float
    high: float
    moments: Moments
    sample: change.Sample | None

    @property
    def right(self) -> tuple[int, int]:
        """Of a share: rows that are right, and rows."""
        return round(self.value * self.moments.n), self.moments.n


# Rows whose values are hashed, at most: it takes some 50 bytes a row.
_MOST_HASHED = 10_000_000


@dataclass(frozen=True, eq=False)
class ScoredFile:
    """What is kept of one file.

    Attributes
    ----------
    file : DatedFile
        Which file.
    n : int
        Rows.
    digest : str
        Of the rows and how they are read.
    capped : int
        Losses above the cap.
    unordered : str
        A digest of the rows' values that their order does not change; empty where these tell no rows apart, or there
        are more than 10⁷.
    figures : dict of str to Figures
        By metric.
    """

    file: DatedFile
    n: int
    digest: str
    capped: int
    unordered: str
    figures: dict[str, Figures]


def scored(stages: Stages, series: list[DatedFile], *, loss_cap: float | None) -> list[ScoredFile]:
    """Read and score the files in their order; once in a process.

    Raises
    ------
    BadInput
        If a file cannot be read, or has other classes or fewer metrics than the data.
    """
    experiment = stages.experiment
    stamps = [(file, files.stamp_of(file.path)) for file in series]
    asked = (experiment.data, stages.metrics, experiment.interval, experiment.confidence, experiment.seed, loss_cap)
    key = f"series {stages.rows.digest} {stages.classifier.digest} {stamps!r} {asked!r}"
    return once(key, lambda: _all_scored(stages, series, loss_cap))


def _all_scored(stages: Stages, series: list[DatedFile], loss_cap: float | None) -> list[ScoredFile]:
    found = []
    with Bar("Files", len(series), unit="files", yields=True) as progress:
        for file in series:
            found.append(_scored(stages, file, loss_cap))
            progress.advance()
    return found


def path_of_data(data: Data) -> str:
    """Return the path of the data's own file, absolute; an address in an object store stays as it is."""
    path = str(getattr(data, "path", ""))
    return path if is_remote(path) else files.absolute(path)


def _scored(stages: Stages, file: DatedFile, loss_cap: float | None) -> ScoredFile:
    data, rows, classifier = stages.experiment.data, stages.rows, stages.classifier
    try:
        if file.path != path_of_data(data):
            data = replace(data, path=file.path)  # type: ignore[call-arg]
            rows = data.rows(data.split)
            classifier = stages.experiment.model.built(data)
    except BadInput as error:
        raise _of(file, error) from error
    _check_alike(stages, rows, classifier, file)
    try:
        scores = scores_of(stages, data, rows, classifier, loss_cap=loss_cap)
    except BadInput as error:
        raise _of(file, error) from error
    digest = files.digest_of(rows.digest, classifier.digest)
    return summed(stages, file, scores, units_of(rows), digest=digest, loss_cap=loss_cap)


def summed(
    stages: Stages, file: DatedFile, scores: Scores, units: Units, *, digest: str, loss_cap: float | None
) -> ScoredFile:
    """Return what is kept of a file's scores.

    Parameters
    ----------
    stages : Stages
        What is asked.
    file : DatedFile
        Which file, or run.
    scores : Scores
        Of its rows, losses capped already.
    units : Units
        Its rows; those count one by one.
    digest : str
        Of its rows.
    loss_cap : float or None
        What the losses were capped at, nats.
    """
    figures = {name: _figures(stages, units, scores, metric, loss_cap) for name, metric in stages.metrics.items()}
    return ScoredFile(file, len(scores), digest, scores.capped, _unordered(scores), figures)


def _unordered(scores: Scores) -> str:
    """Return `ScoredFile.unordered` of the values of rows."""
    import pandas as pd

    if len(scores) > _MOST_HASHED:
        return ""
    frame = pd.DataFrame({name: np.asarray(column) for name, column in sorted(scores.columns.items())})
    hashed = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    if len(np.unique(hashed)) <= len(hashed) / 2:
        return ""
    # Sums of 64-bit numbers, which begin anew at 0 beyond the largest.
    return files.digest_of(len(hashed), int(hashed.sum()), int((hashed * hashed).sum()))


def _of(file: DatedFile, error: BadInput) -> BadInput:
    """The error with the file's name, if it has not said it."""
    return error if file.name in str(error) else BadInput(f"{file.name}: {error}")


def _check_alike(stages: Stages, rows: Population, classifier: Classifier, file: DatedFile) -> None:
    """Refuse a file with other classes, or without a metric that the data have."""
    ours = stages.rows
    # Predicted labels alone do not tell how many classes there are, and scores tell none.
    is_told = "labels" not in (classifier.gives, stages.classifier.gives) and ours.n_classes and rows.n_classes
    if is_told and ours.n_classes != rows.n_classes:
        raise BadInput(
            f"all files must have the same classes; found {rows.n_classes:,} of them in {file.name} and "
            f"{ours.n_classes:,} in {ours.name}: leave one out"
        )
    if is_told and ours.class_names != rows.class_names:
        raise BadInput(
            f"all files must have the same classes; found other names of them in {file.name} than in {ours.name}: "
            "leave one out"
        )
    there = known_of(stages.experiment.metric, gives=classifier.gives, given=classifier.metrics)
    if classifier.gives not in ("logits", "probabilities"):
        there = {name: metric for name, metric in there.items() if name in MAIN}
    # The values of a column are read with the file, which is refused without them.
    missing = [metric.words for name, metric in stages.metrics.items() if name not in there and not metric.is_alone]
    if missing:
        both = [metric.name for name, metric in stages.metrics.items() if name in there]
        raise BadInput(
            f"all files must have the {' and the '.join(missing)}, as {ours.name} has; found none in {file.name}: "
            f"leave it out{', or pass metric=[' + ','.join(both) + ']' if both else ''}"
        )


def _figures(stages: Stages, units: Units, scores: Scores, metric: Metric, loss_cap: float | None) -> Figures:
    column = StoredColumn(scores.columns[metric.column])
    moments = _moments(scores, metric)
    low, high = _interval(stages, units, scores, metric, loss_cap)
    sample = None
    if metric.is_share:
        sample = change.Sample(moments.n, round(moments.mean * moments.n))
    elif math.isfinite(moments.mean) and _largest(column) <= change.MOST:
        sample = change.counted(column.blocks())
    return Figures(moments.mean, low, high, moments, sample)


def _interval(
    stages: Stages, units: Units, scores: Scores, metric: Metric, loss_cap: float | None
) -> tuple[float, float]:
    """The configured interval around the mean of all rows, for the world that they are a sample of.

    For very many rows, and for an interval that resamples already for many, it is Wilson's or Student's t.
    """
    asked, size = stages.experiment, units.n_rows
    interval: Interval = asked.interval.of(metric, loss_cap=loss_cap)
    plan = SimplePlan(size, size)
    interval.check(plan, "superpopulation")
    if is_large(scores) or (interval.needs_values and size > _MOST_RESAMPLED):
        moments = _moments(scores, metric)
        if metric.is_share:
            return share_interval((round(moments.mean * size), size), asked.confidence)
        return mean_interval(moments, asked.confidence)
    whole = ScoredUnits(Scores.of({metric.column: scores.columns[metric.column]}), units, plan)
    found = estimate_all(whole, {metric.column: interval}, seed=asked.seed, confidence=asked.confidence)[metric.column]
    return float(found.low[0]), float(found.high[0])


def _largest(column: StoredColumn) -> float:
    return max(float(np.abs(block).max()) for block in column.blocks())


def _moments(scores: Scores, metric: Metric) -> Moments:
    column = StoredColumn(scores.columns[metric.column])
    return Moments(len(column), column.mean(), column.var())
