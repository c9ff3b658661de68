"""What is dear to make and asked for again in the same process: data sets, networks, scores."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_KEPT: OrderedDict[str, Any] = OrderedDict()
_MOST_KEPT = 8


def once(key: str, make: Callable[[], T]) -> T:
    """Return what `make` made for `key` earlier in this process, or make it now.

    The cells of a sweep that run in one process share the data set, the network and the population's scores by it;
    the eight things used last are kept.
    """
    if key not in _KEPT:
        _KEPT[key] = make()
    _KEPT.move_to_end(key)
    while len(_KEPT) > _MOST_KEPT:
        _KEPT.popitem(last=False)
    return _KEPT[key]
