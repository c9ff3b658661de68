"""Two files of predictions of the same rows, scored as a pair."""

from __future__ import annotations

from collections.abc import Mapping

from ...data.base import Data
from ...errors import BadInput
from ...experiment import Stages
from ...metric.base import Metric
from ...model.base import Classifier
from ...records.rows import Dataset, IntArray, Population
from ...records.scores import Scores
from ...runtime.memo import once
from ...scoring.block import RowFunction
from ...scoring.cache import cached_scores
from ...scoring.job import Job
from ...scoring.rows import score
from ..together import Truth
from .alignment import aligned
from .other_file import names_of, of_other, shown_path
from .pair import Pair, refuse_without


def pair_of(
    stages: Stages,
    other: Data,
    besides: Mapping[str, RowFunction] | None = None,
    asked: Mapping[str, Metric] | None = None,
    *,
    is_sample: bool = True,
) -> Pair:
    """Match the rows of the data with the other file's, and score both; once in a process.

    Parameters
    ----------
    stages : Stages
        The first file's.
    other : Data
        The other file.
    besides : mapping of str to callable, or None
        What else is evaluated of a row; see `Stages.scores`.
    asked : mapping of str to Metric, or None
        The metrics, by column; None is those that the data have of a row.
    is_sample : bool
        As `Pair` has it.

    Raises
    ------
    BadInput
        If the other file cannot be read or holds other rows, or the two have no metric in common.
    """
    asked = stages.metrics if asked is None else asked
    ours = f"{stages.rows.digest} {stages.classifier.digest} {stages.experiment.data!r} {stages.metrics}"
    how = f"{sorted(besides or ())} {list(asked)} {is_sample}"
    key = f"pair {ours} {other!r} {other.stamp()} {how}"
    return once(key, lambda: _matched(stages, other, besides or {}, asked, is_sample=is_sample))


def scores_of(
    stages: Stages,
    data: Data,
    dataset: Population,
    classifier: Classifier,
    *,
    loss_cap: float | None = None,
    besides: Mapping[str, RowFunction] | None = None,
) -> Scores:
    """Score a file of predictions by the metrics asked for; of rows that are not in memory the scores are kept on disk.

    Parameters
    ----------
    stages : Stages
        What is asked.
    data, dataset, classifier
        The file, its rows, and their model.
    loss_cap : float or None
        Losses above it count as it, nats.
    besides : mapping of str to callable, or None
        What else is evaluated of a row; see `Stages.scores`.
    """
    functions = {**stages.job().functions, **(besides or {})}
    if isinstance(dataset, Dataset):
        key = f"given scores {dataset.digest} {classifier.digest} {stages.job(functions).evaluated} {loss_cap}"
        return once(key, lambda: score(classifier, dataset, cap=loss_cap, functions=functions))
    job = Job(data, data.split, stages.experiment.model, loss_cap, functions, is_double=True)
    return cached_scores(
        classifier,
        dataset,
        run=stages.experiment.engine.run,
        is_here=stages.experiment.engine.is_here,
        job=job,
        make=lambda: (score(classifier, dataset, cap=loss_cap, functions=functions), 0.0),
    )[0]


def _matched(
    stages: Stages, other: Data, besides: Mapping[str, RowFunction], asked: Mapping[str, Metric], *, is_sample: bool
) -> Pair:
    first, (second, order) = stages.rows, aligned(stages, other)
    try:
        classifier = stages.experiment.model.built(other)
        _refuse_other_classes(stages.classifier, classifier, asked)
        after = scores_of(stages, other, second, classifier, besides=besides)
    except BadInput as error:
        raise of_other(shown_path(other), error) from error
    before = scores_of(stages, stages.experiment.data, first, stages.classifier, besides=besides)
    names = names_of(stages.experiment.data, other)
    classes = (first.class_names, second.class_names)
    truths = _truths(first, second, order) if besides else None
    pair = Pair(
        before,
        after if order is None else after.take(order),
        asked,
        names,
        classes,
        truths,
        units=stages.units,
        is_sample=is_sample,
    )
    refuse_without(pair)
    if not pair.metrics:
        raise BadInput(
            f"study.against must have the loss or the accuracy in common with data.path; found {before.metrics[0]} "
            f"alone in {names[0]} and {after.metrics[0]} alone in {names[1]}: give files with the same scores"
        )
    return pair


def _refuse_other_classes(one: Classifier, other: Classifier, asked: Mapping[str, Metric]) -> None:
    is_asked = any(metric.is_together for metric in asked.values())
    if is_asked and one.n_classes and other.n_classes and one.n_classes != other.n_classes:
        raise BadInput(
            f"metrics of all rows together must be of the same classes; found {other.n_classes:,}, and "
            f"{one.n_classes:,} in data.path: leave them out of study.on"
        )


def _truths(first: Population, second: Population, order: IntArray | None) -> tuple[Truth, Truth]:
    before, after = (Truth.of(own.labels, own.n_classes) for own in (first, second))
    return before, after if order is None else after.take(order)
