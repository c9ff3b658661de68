"""Find the classes of a table in its labels: all labels are read once, and what was found is cached on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..runtime import files
from .class_names import found_names
from .disk_cache import cached_text
from .formats.base import Source
from .labels import MOST_CLASSES, classes_of
from .layout import Layout, with_names


def names_in(sources: Sequence[Source], columns: Sequence[str]) -> tuple[str, ...]:
    """Return the sorted distinct texts of columns of labels, of one table or of several splits together.

    Raises
    ------
    BadInput
        If there are fewer than two.
    """
    names: set[str] = set()
    for source in sources:
        key = files.digest_of("names", source.digest, *columns)
        names |= set(json.loads(cached_text("classes", key, partial(_names_of, source, columns))))
    if len(names) < 2:
        raise BadInput(
            f"{columns[0]} of {sources[0].name} must have at least 2 classes; found {min(names)!r} alone: name "
            "all with data.classes=[…]"
        )
    return tuple(sorted(names))


def _names_of(source: Source, columns: Sequence[str]) -> str:
    return json.dumps(found_names(_parts(source, columns)))


def count_classes(source: Source, label: str) -> int:
    """Return the largest label plus 1.

    Raises
    ------
    BadInput
        If a label is no class number, or the largest is 0.
    """
    key = files.digest_of(source.digest, label)
    largest = int(cached_text("classes", key, lambda: str(_largest(source, [label]) + 1))) - 1
    if largest < 1:
        raise BadInput(f"{label} of {source.name} must have at least 2 classes; found 0 alone: set data.n_classes")
    return largest + 1


def with_found_classes(source: Source, layout: Layout) -> Layout:
    """Return a layout of predicted labels with the classes that they and the true labels, if there are any, have.

    Numbers are classes from 0; texts, and numbers below 0, become the names of classes in sorted order.
    """
    columns = list(filter(None, (layout.label, *layout.columns)))
    if source.columns[columns[0]].kind == "U":
        names = names_in([source], columns)
        return with_names(layout, names, len(names))
    key = files.digest_of("predicted", source.digest, *columns)
    found = json.loads(cached_text("classes", key, lambda: json.dumps(_numbers_in(source, columns))))
    if isinstance(found, list):
        return with_names(layout, [str(number) for number in found], len(found))
    return with_names(layout, None, max(2, found))


def _numbers_in(source: Source, columns: Sequence[str]) -> int | list[int]:
    """Return the largest number plus 1; if a number is below 0, the sorted distinct numbers."""
    distinct: set[int] = set()
    for part in _parts(source, columns):
        # A label that is not whole is refused here with its row by `_largest`.
        if part.dtype.kind == "f" and not (np.isfinite(part).all() and (part == np.floor(part)).all()):
            break
        distinct.update(np.unique(part).astype(np.int64).tolist())
        if len(distinct) > MOST_CLASSES:
            break
    return sorted(distinct) if distinct and min(distinct) < 0 else _largest(source, columns) + 1


def _parts(source: Source, columns: Sequence[str]) -> Iterator[NDArray[Any]]:
    for shard in range(len(source.bounds) - 1):
        for arrays in source.read(shard, columns):
            yield from (arrays[name] for name in columns)


def _largest(source: Source, columns: Sequence[str]) -> int:
    largest = -1
    for shard in range(len(source.bounds) - 1):
        first = int(source.bounds[shard])
        for arrays in source.read(shard, columns):
            found = [classes_of(arrays[name], source=name, where=source.where_from(first)) for name in columns]
            largest = max(largest, *(int(classes.max()) for classes in found))
            first += len(found[0])
    return largest
