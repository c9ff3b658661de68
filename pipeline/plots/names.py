"""What a plot's title calls things: the data and the model, and the groups of a sweep in words."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from ..report.words import in_words

if TYPE_CHECKING:
    import pandas as pd

# A title names so many data sets or models at most.
_MOST_NAMED = 3
_DIRECTIONS = {
    "gradient": "a gradient step",
    "random": "a random step",
    "weight": "a step of one weight",
    "checkpoint": "a step towards a checkpoint",
}
# Keys whose value alone says what is meant.
_PLAIN = ("sampling", "model", "data", "proxy")
_PLACES = ("model.path", "data.path", "study.against")
_ACTIVATIONS = ("model.activation", "model.evaluate_activation")
# A comma of a group's name stands before the next key; one inside a value, such as a list, does not.
_BETWEEN = re.compile(r", (?=[\w./@+~]+=)")


def subject(cells: pd.DataFrame) -> str:
    """Name the data and the models of a sweep's cells: ``digits test, mlp``; empty where the cells do not say it."""
    named = [_all(cells, column) for column in ("population", "model_name")]
    return ", ".join(filter(None, named))


def titled(about: str, title: str) -> str:
    """Return a title that says first what it is about: ``digits test, mlp: …``."""
    return f"{about}: {title}" if about else title


def group(name: str) -> str:
    """Write a group of a sweep's cells in words: ``study/direction=gradient`` is "a gradient step".

    Keys that have no words of their own are left as they were typed.

    Examples
    --------
    >>> group("study/direction=gradient"), group("sampling=with_replacement, seed=1"), group("model.path=runs/old.npz")
    ('a gradient step', 'with replacement, seed=1', 'old.npz')
    """
    # The labels of files stand first, each before a dot, and have no key.
    *files, others = name.split(" · ")
    return ", ".join([*files, *(_pair(part) for part in _BETWEEN.split(others))])


def _pair(part: str) -> str:
    key, has_value, value = part.partition("=")
    if not has_value:
        return part
    if key == "study/direction":
        return _DIRECTIONS.get(value, value.replace("_", " "))
    if key in _ACTIVATIONS:
        return f"{value} activations"
    if key in _PLACES:
        return PurePath(value).name
    return value.replace("_", " ") if key in _PLAIN else part


def _all(cells: pd.DataFrame, column: str) -> str:
    if column not in cells:
        return ""
    names = [str(name) for name in dict.fromkeys(cells[column]) if name]
    if len(names) > _MOST_NAMED:
        return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED} more"
    return in_words(names) if names else ""
