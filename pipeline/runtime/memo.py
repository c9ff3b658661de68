"""The cache in memory for values that are expensive to make and needed again by the same process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_KEPT: OrderedDict[str, Any] = OrderedDict()
_MOST_KEPT = 8


def once(key: str, make: Callable[[], T]) -> T:
    """Memoise `make`: return the value that it gave for `key` earlier in this process, or call it now.

    The cells of a sweep that run in one process share data sets, networks and scores in this way. The eight values used
    last are kept.
    """
    if key not in _KEPT:
        _KEPT[key] = make()
    _KEPT.move_to_end(key)
    while len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return _KEPT[key]
