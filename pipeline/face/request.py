"""The options by which a command answers the question that was put to rows in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..metric.base import Metric
from ..metric.chosen import MAIN
from ..metric.top_k import TopK
from ..scoring.table import Table
from .scored_rows import ScoredRows

# Names by which `data=predictions` finds columns, or which `held` gives itself.
_MEANT = re.compile(r"(label|logit|probabilit|loss$|correct$|prediction$|group$|weight$|classes$|self$|id$)")


def requested(
    options: Mapping[str, Any],
    rows: ScoredRows,
    against: ScoredRows | None = None,
    *,
    takes_slices: bool = True,
) -> dict[str, Any]:
    """Return the options by which a command answers a question put to these rows; empty where none can.

    Parameters
    ----------
    options : mapping of str to object
        Of the question, by key.
    rows, against : ScoredRows
        The rows; and those of the other model, whose columns must be called alike.
    takes_slices : bool
        Whether the command answers for slices, as the function does.
    """
    read = dict(rows.request)
    if not takes_slices:
        read.pop("data.by", None)
    if against is not None and read:
        other = dict(against.request)
        path = other.pop("data.path", None)
        # The groups are those of the first rows; they were compared.
        apart = ("data.path", "data.group", "data.by")
        if any(other.get(key) != read.get(key) for key in {*other, *read} if key not in apart):
            return {}
        options = {**options, "study.against": path}
    return {**read, **options} if read else {}


def request_of(
    table: Table, named: Mapping[str, Any], columns: Mapping[str, Any], own: Mapping[str, Any], metrics: Any
) -> dict[str, Any]:
    """Return the options by which a command reads the same rows by the same metrics, if there are such.

    A table in memory stands in the place of its path; `log` writes it.
    """
    if table.path is not None:
        # An array has no name in the file.
        if not all(value is None or isinstance(value, str) for value in columns.values()):
            return {}
        found = {"data.path": table.path, **named, **columns}
    else:
        called = {key: _column_name(columns["by"]) if key == "by" else key for key in columns}
        further = {called[key]: value for key, value in columns.items()}
        held = table.held(label=named["label"], classes=own["classes"], **further)
        found = {"data.path": held, **{key: called[key] for key, value in columns.items() if value is not None}}
    known = _of_metrics(metrics)
    if known is None:
        return {}
    options = {**found, **own}
    read = {key if key.startswith("data.") else f"data.{key}": value for key, value in options.items()}
    given = {key: value for key, value in read.items() if value is not None and value is not False}
    return {"data": "predictions", **given, **known}


def _column_name(by: Any) -> str:
    """What the column of the slices is called: by the user's name, unless it is that of a column with a meaning."""
    name = by if isinstance(by, str) else getattr(by, "name", None)
    is_own = isinstance(name, str) and name and not _MEANT.match(name)
    return str(name) if is_own else "slice"


def _of_metrics(metrics: Mapping[str, Metric]) -> dict[str, Any] | None:
    """The options by which a command evaluates these metrics of a row; None if it cannot."""
    rows = [metric for metric in metrics.values() if not metric.is_together]
    if {metric.name for metric in rows} == set(MAIN):
        return {}
    sizes = [metric.k for metric in rows if isinstance(metric, TopK)]
    if len(sizes) > 1:
        # The configuration has one of a name.
        return None
    return {"metric": [metric.name for metric in rows], **({"metric.top_k.k": sizes[0]} if sizes else {})}
