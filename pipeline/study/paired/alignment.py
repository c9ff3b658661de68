"""The same rows in two files of predictions: found by their ids or their order, and refused where a label differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...data.base import Data
from ...data.evaluation_log import Logged
from ...data.formats.base import Source
from ...data.layout import Layout
from ...data.prediction_blocks import class_labels
from ...data.predictions import Predictions
from ...errors import BadInput
from ...experiment import Stages
from ...records.rows import Dataset, IntArray, Population
from ...records.stored import MOST_IN_MEMORY
from .other_file import population_of, shown_path
from .own_ids import comparable, with_own_ids

if TYPE_CHECKING:
    import pandas as pd

# Of a comparison that counts rows without a label.
_IN_BOTH = ", in both of which the labels of the same rows are null"
# Rows that an error names.
_MOST_NAMED = 3
# What tells the rows of a log apart.
_LOGGED_IDS = ("task", "doc_id", "id", "epoch")


def aligned(stages: Stages, other: Data) -> tuple[Population, IntArray | None]:
    """Load the other file's rows, and find where the rows of the data stand there: None where in the same order.

    Raises
    ------
    BadInput
        If they are other rows.
    """
    first, second = stages.rows, population_of(other)
    data, other = with_own_ids(stages.experiment.data, other)
    order = order_of(data, other, first, second)
    if len(first) != len(second):
        raise BadInput(
            f"study.against must hold predictions of the same rows; found {len(first):,} in "
            f"{shown_path(data)} and {len(second):,} in {shown_path(other)}: give files of the same "
            f"rows{_IN_BOTH if getattr(other, 'unlabelled_rows', '') == 'left_out' else ''}"
        )
    _check_labels((data, first), (other, second), order)
    return second, order


def order_of(data: Data, other: Data, first: Population, second: Population) -> IntArray | None:
    """Find where the rows of the first stand in the second, by what names them; None where in the same order.

    Raises
    ------
    BadInput
        If one has rows that the other has not.
    """
    if not _is_named(data):
        return None
    if max(len(first), len(second)) > MOST_IN_MEMORY:
        raise BadInput(
            f"rows must be at most {MOST_IN_MEMORY:,} to be matched by data.id; found "
            f"{max(len(first), len(second)):,}: bring both files into the same order, and set data.id=null"
        )
    ours, theirs = comparable(_ids(data, first), _ids(other, second))
    order = theirs.get_indexer(ours)
    missing = [
        _missing(ours, order < 0, first, shown_path(other)),
        _missing(theirs, ~theirs.isin(ours), second, shown_path(data)),
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
    rows = np.flatnonzero(lost)
    count, first = len(rows), [f"{_said(ids[row])} of {dataset.where(int(row))}" for row in rows[:_MOST_NAMED]]
    which = "all" if count == len(ids) else f"{count:,}"
    return f"{which} id{'' if count == 1 else 's'} missing in {where}, first {', '.join(first)}"


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
    count, found = _differing(ours, theirs)
    if not count:
        return
    (row, label, other_label), *others = found
    other_row = row if order is None else int(order[row])
    further = ", ".join(first[1].where(other) for other, _, _ in others)
    more = f", and {count - 1:,} more, next {further}" if others else ""
    remedy = "bring them into the same order, or name the column of their ids with data.id=COLUMN"
    raise BadInput(
        f"study.against must hold predictions of the same rows; found label {label} in {first[1].where(row)} and "
        f"{other_label} in {second[1].where(other_row)}{more}: "
        f"{'mend one of them' if _is_named(first[0]) else remedy}"
    )


def _labels(data: Data, dataset: Population) -> Iterator[NDArray[Any]] | None:
    """The labels block by block, by name if classes have names; of a table on disk, that column is read alone."""
    names = None if dataset.class_names is None else np.array(dataset.class_names, dtype=object)
    if isinstance(dataset, Dataset):
        if dataset.labels is None:
            return None
        return iter([dataset.labels if names is None else names[dataset.labels]])
    layout = data.layout if isinstance(data, Predictions) else None
    if not isinstance(data, Predictions) or layout is None or layout.label is None:
        return None
    return _stored_labels(data.source, layout, names)


def _stored_labels(source: Source, layout: Layout, names: NDArray[Any] | None) -> Iterator[NDArray[Any]]:
    label = str(layout.label)
    for shard in range(len(source.bounds) - 1):
        first = int(source.bounds[shard])
        for arrays in source.read(shard, [label]):
            labels = class_labels(layout, arrays[label], source.where_from(first))
            first += len(labels)
            yield labels if names is None else names[labels]


def _differing(first: Iterator[NDArray[Any]], second: Iterator[NDArray[Any]]) -> tuple[int, list[tuple[int, Any, Any]]]:
    """Count the rows whose labels differ, and return the first three with both labels.

    The blocks are of any lengths, and hold as many rows in all.
    """
    start, rest = 0, np.empty(0, np.int64)
    count = 0
    found: list[tuple[int, Any, Any]] = []
    for block in first:
        while len(rest) < len(block):
            rest = np.concatenate([rest, next(second)])
        places = np.flatnonzero(block != rest[: len(block)]).tolist()
        count += len(places)
        found += [(start + at, block[at], rest[at]) for at in places[: _MOST_NAMED - len(found)]]
        start, rest = start + len(block), rest[len(block) :]
    return count, found
