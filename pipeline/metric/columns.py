"""From the names of columns back to metrics: for figures that were read from a store, or are known by name alone."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from . import MEMBERS
from .base import Metric
from .chosen import MAIN
from .together import TOGETHER

# The metrics whose words and units are configured, by column.
_DESCRIBED: ContextVar[Mapping[str, Metric]] = ContextVar("_DESCRIBED", default={})  # noqa: B039


@contextmanager
def described(*choices: Mapping[str, Metric]) -> Iterator[None]:
    """Let `of_column` return the metrics that are configured, with their own words and units, inside the context.

    Reports and plots know metrics by the names of columns, which tell neither. Two choices that differ in what stands
    behind one column, as two cells of a sweep over ``data.value`` do, leave it the words of its class.
    """
    found: dict[str, Metric] = {}
    for metric in (metric for choice in choices for metric in choice.values()):
        same = found.setdefault(metric.column, metric) == metric
        if not same:
            found[metric.column] = type(metric)()  # type: ignore[call-arg]
    token = _DESCRIBED.set(found)
    try:
        yield
    finally:
        _DESCRIBED.reset(token)


def of_column(column: str) -> Metric:
    """Return the metric whose figures have this name.

    Parameters
    ----------
    column : str
        Such as ``loss`` or ``top_5``. A name that no member has, such as one from another version's store, gives a
        metric without unit and bound.
    """
    if column in _DESCRIBED.get():
        return _DESCRIBED.get()[column]
    if column in TOGETHER:
        return TOGETHER[column]
    found = (member.of_column(column) for member in MEMBERS.values())
    return next((metric for metric in found if metric is not None), _Unknown(column))


def is_known_column(column: str) -> bool:
    """Return whether some metric's figures have this name."""
    return not isinstance(of_column(column), _Unknown)


def refuse_unknown(key: str, name: str) -> None:
    """Refuse a name that no metric has.

    Raises
    ------
    BadInput
        With all names, and the nearest one.
    """
    if not is_known_column(name):
        raise BadInput(none_of(key, name, [*("top_5" if own == "top_k" else own for own in MEMBERS), *TOGETHER]))


def none_of(key: str, name: str, known: Iterable[str]) -> str:
    """Return what is said of a metric that an option names and that is none of those known."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"{key} must be of the metrics {', '.join(names)}; found {name}" + (
        f": did you mean {near[0]}?" if near else ""
    )


def in_order(columns: Iterable[str]) -> list[Metric]:
    """Return the metrics of these columns once each: loss and accuracy first, the others as they come."""
    there = list(columns)
    return [of_column(name) for name in dict.fromkeys([*(name for name in MAIN if name in there), *there])]


@dataclass
class _Unknown(Metric):
    """A metric of which only the name is known."""

    least: ClassVar[float] = -math.inf

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        raise BadInput(f"metric must be one of {', '.join(MEMBERS)}; found {self.name}: leave it out")
