"""Two files of predictions of the same rows: the other one read, matched row by row, and scored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.data.base import Data
from pipeline.data.logged import Logged
from pipeline.data.predictions import Predictions
from pipeline.data.shards.places import is_remote, path_of
from pipeline.draws import METRICS
from pipeline.engine.base import Job
from pipeline.errors import BadInput
from pipeline.kept import once
from pipeline.model.base import Classifier
from pipeline.model.given import GivenClassifier
from pipeline.records import Dataset, IntArray, Population, Scores
from pipeline.scored import scored
from pipeline.scoring import score
from pipeline.stored import MOST_IN_MEMORY
from pipeline.study.base import Setting

if TYPE_CHECKING:
    import pandas as pd

# Fields of predictions that name a column.
_COLUMNS = ("logits", "probabilities", "label", "loss", "correct", "id")
# What tells the rows of a log apart.
_LOGGED_IDS = ("task", "doc_id", "id", "epoch")


@dataclass(frozen=True, eq=False)
class Pair:
    """The scores of the same rows, in the same order, under two models.

    Attributes
    ----------
    before, after : Scores
        Of the model, and of the other one.
    asked : sequence of str
        The metrics that are asked for.
    names : tuple of str
        What the two are called.
    """

    before: Scores
    after: Scores
    asked: Sequence[str] = METRICS
    names: tuple[str, str] = ("the model", "the other model")

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those of the metrics that both have."""
        return tuple(m for m in METRICS if m in self.asked and m in self.before.metrics and m in self.after.metrics)

    @property
    def lacking(self) -> list[str]:
        """What is left out, for one of the two has none."""
        said = []
        for metric in (m for m in METRICS if m not in self.metrics):
            both = zip(self.names, (self.before, self.after), strict=True)
            without = [name for name, scores in both if metric not in scores.metrics]
            if without:
                said.append(f"no {metric}: {' and '.join(without)} {'has' if len(without) == 1 else 'have'} none")
        return said


def are_predictions(setting: Setting) -> bool:
    """Whether the rows are predictions already."""
    return isinstance(setting.classifier, GivenClassifier)


def other_of(data: Data, against: str, columns: Mapping[str, str]) -> Data:
    """Return the other file as a part like the first.

    Parameters
    ----------
    data : Data
        The first.
    against : str
        The other's path.
    columns : mapping of str to str
        Fields of the data that differ: ``{"logits": "logits_b"}``.

    Raises
    ------
    BadInput
        If the data have no such field.
    """
    known = [field.name for field in fields(data) if field.name in _COLUMNS]
    for key in columns:
        if key not in known:
            raise BadInput(
                f"study.against_columns must be of {', '.join(known) or 'predictions, data=predictions'}; found {key}: "
                "leave it out"
            )
    try:
        return replace(data, path=against, group=None, weight=None, **columns)  # type: ignore[call-arg, arg-type]
    except BadInput as error:
        raise _of_other(Path(path_of(against)).name, error) from error


def pair_of(setting: Setting, other: Data) -> Pair:
    """Match the rows of the data with the other file's, and score both; once in a process.

    Raises
    ------
    BadInput
        If the other file cannot be read or holds other rows, or the two have no metric in common.
    """
    ours = f"{setting.dataset.digest} {setting.classifier.digest} {setting.data!r} {setting.metrics}"
    key = f"pair {ours} {other!r} {other.stamp()}"
    return once(key, lambda: _matched(setting, other))


def population_of(other: Data) -> Population:
    """Load the rows of the other file.

    Raises
    ------
    BadInput
        If they are not what they must be.
    """
    try:
        return other.rows(other.split)
    except BadInput as error:
        raise _of_other(_path(other), error) from error


def _matched(setting: Setting, other: Data) -> Pair:
    first, second = setting.dataset, population_of(other)
    order = _order(setting.data, other, first, second)
    if len(first) != len(second):
        raise BadInput(
            f"study.against must hold predictions of the same rows; found {len(first):,} in {_path(setting.data)} and "
            f"{len(second):,} in {_path(other)}: give files of the same rows"
        )
    _check_labels((setting.data, first), (other, second), order)
    try:
        classifier = setting.model.built(other)
        after = _scores(setting, other, second, classifier)
    except BadInput as error:
        raise _of_other(_path(other), error) from error
    before = _scores(setting, setting.data, first, setting.classifier)
    names = (Path(_path(setting.data)).name, Path(_path(other)).name)
    if names[0] == names[1]:
        names = (_path(setting.data), _path(other))
    pair = Pair(before, after if order is None else after.take(order), setting.metrics, names)
    if not pair.metrics:
        raise BadInput(
            f"study.against must have the loss or the accuracy in common with data.path; found {before.metrics[0]} "
            f"alone in {names[0]} and {after.metrics[0]} alone in {names[1]}: give files with the same scores"
        )
    return pair


def _scores(setting: Setting, data: Data, dataset: Population, classifier: Classifier) -> Scores:
    if isinstance(dataset, Dataset):
        key = f"given scores {dataset.digest} {classifier.digest}"
        return once(key, lambda: score(classifier, dataset))
    job = Job(data, data.split, setting.model, None, {}, is_double=True)
    return scored(classifier, dataset, setting.engine, job, lambda: (score(classifier, dataset), 0.0))[0]


def _order(data: Data, other: Data, first: Population, second: Population) -> IntArray | None:
    """Where the rows of the first stand in the second, by what names them; None where they stand in the same order."""
    if not _is_named(data):
        return None
    if max(len(first), len(second)) > MOST_IN_MEMORY:
        raise BadInput(
            f"rows must be at most {MOST_IN_MEMORY:,} to be matched by data.id; found "
            f"{max(len(first), len(second)):,}: bring both files into the same order, and set data.id=null"
        )
    ours, theirs = _ids(data, first), _ids(other, second)
    order = theirs.get_indexer(ours)
    missing = [
        _missing(ours, order < 0, first, _path(other)),
        _missing(theirs, ~theirs.isin(ours), second, _path(data)),
    ]
    if any(missing):
        raise BadInput(
            f"study.against must hold the same rows by their ids; found {' and '.join(filter(None, missing))}: leave "
            "out what one file has alone"
        )
    return None if np.array_equal(order, np.arange(len(order))) else order


def _missing(ids: pd.Index[Any], lost: NDArray[np.bool_], dataset: Population, where: str) -> str:
    if not lost.any():
        return ""
    row = int(lost.argmax())
    count = int(np.count_nonzero(lost))
    return (
        f"{count:,} id{'' if count == 1 else 's'} missing in {where}, first {_said(ids[row])} of {dataset.where(row)}"
    )


def _said(name: Any) -> str:
    return repr(name.item() if isinstance(name, np.generic) else name)


def _is_named(data: Data) -> bool:
    if isinstance(data, Logged):
        return any(name in data.answers.columns for name in _LOGGED_IDS)
    return getattr(data, "id", None) is not None


def _ids(data: Data, dataset: Population) -> pd.Index[Any]:
    import pandas as pd

    ids: pd.Index[Any]
    if isinstance(data, Logged):
        columns = [data.answers.columns[name] for name in _LOGGED_IDS if name in data.answers.columns]
        # As JSON, for a task may be called by what joins the parts.
        ids = pd.Index([json.dumps([str(part) for part in row]) for row in zip(*columns, strict=True)])
    else:
        ids = pd.Index(data.column(data.split, str(data.id), key="data.id"))  # type: ignore[attr-defined]
    again = ids.duplicated()
    if again.any():
        row = int(again.argmax())
        raise BadInput(
            f"ids must name each row once; found {_said(ids[row])} again in {dataset.where(row)}: leave one out"
        )
    return ids


def _check_labels(first: tuple[Data, Population], second: tuple[Data, Population], order: IntArray | None) -> None:
    """Refuse files whose labels differ; those without labels are taken at their word."""
    ours, theirs = _labels(*first), _labels(*second)
    if ours is None or theirs is None:
        return
    if order is not None:
        theirs = iter([np.concatenate(list(theirs))[order]])
    found = _first_difference(ours, theirs)
    if found is None:
        return
    row, label, other_label = found
    other_row = row if order is None else int(order[row])
    remedy = "bring them into the same order, or name the column of their ids with data.id=COLUMN"
    raise BadInput(
        f"study.against must hold predictions of the same rows; found label {label} in {first[1].where(row)} and "
        f"{other_label} in {second[1].where(other_row)}: {'mend one of them' if _is_named(first[0]) else remedy}"
    )


def _labels(data: Data, dataset: Population) -> Iterator[NDArray[Any]] | None:
    """The labels block by block; of a table on disk, that column is read alone."""
    if isinstance(dataset, Dataset):
        return None if dataset.labels is None else iter([dataset.labels])
    label = data.layout.label if isinstance(data, Predictions) else None
    if not isinstance(data, Predictions) or label is None:
        return None
    source = data.source
    shards = range(len(source.bounds) - 1)
    return (arrays[label].astype(np.int64) for shard in shards for arrays in source.read(shard, [label]))


def _first_difference(first: Iterator[NDArray[Any]], second: Iterator[NDArray[Any]]) -> tuple[int, int, int] | None:
    """The first row whose labels differ, and both; the blocks are of any lengths, and hold as many rows in all."""
    start, rest = 0, np.empty(0, np.int64)
    for block in first:
        while len(rest) < len(block):
            rest = np.concatenate([rest, next(second)])
        differs = block != rest[: len(block)]
        if differs.any():
            at = int(differs.argmax())
            return start + at, int(block[at]), int(rest[at])
        start, rest = start + len(block), rest[len(block) :]
    return None


def _path(data: Data) -> str:
    """Where the data lie; of an object store without the address, which may hold a key."""
    path = str(getattr(data, "path", data.name))
    return f"{path.partition('://')[0]}://…/{Path(path_of(path)).name}" if is_remote(path) else path


def _of_other(other: str, error: BadInput) -> BadInput:
    return BadInput(f"study.against={other}: {error}")
