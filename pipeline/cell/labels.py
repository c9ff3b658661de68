"""Short labels of the values that tell the cells of a sweep apart."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ..runtime.files import digest_of
from .identity import value_of

if TYPE_CHECKING:
    from mlflow.entities import Run

    from .comparison import Finished

# The tag of a sweep's run that says which file each label has stood for.
LABELS = "labels"
Labels = Mapping[str, Mapping[str, str]]
# Keys whose values are files, folders or addresses.
_PLACES = ("path", "train_path", "root", "against", "tracking_uri")
_LONGEST = 24


def labels_of(key: str, values: Iterable[str]) -> dict[str, str]:
    """Return a label for each value of a swept key.

    Parameters
    ----------
    key : str
        The swept key, such as ``data.path`` or ``sampling``.
    values : iterable of str
        Its values.

    Returns
    -------
    dict of str to str
        By value. A file or an address is labelled by its name and as many of the folders above it as tell it from the
        others; a long name is cut in its middle. Any other value is its own label.
    """
    values = list(dict.fromkeys(values))
    if not is_place(key):
        return {value: value for value in values}
    parts = {value: _parts(value) for value in values}
    labels = {
        value: _shortest(own, [other for other in parts.values() if other != own]) for value, own in parts.items()
    }
    short = {value: _cut(label) for value, label in labels.items()}
    return short if len(set(short.values())) == len(set(labels.values())) else labels


def is_place(key: str) -> bool:
    """Return whether the values of a key are files, folders or addresses."""
    return key.rpartition(".")[2] in _PLACES


def _parts(value: str) -> list[str]:
    """Return the folders and the name of a place, whole, so that ``../a.csv`` has the folder that it is in."""
    # What follows a question mark says how a store is reached.
    whole = value.partition("?")[0] if "://" in value else os.path.abspath(value)
    return [part for part in re.split(r"[/\\]+", whole) if part]


def _shortest(own: list[str], every: list[list[str]]) -> str:
    """Return the shortest ending of a place that none of the others has."""
    for count in range(1, len(own) + 1):
        if all(other[-count:] != own[-count:] for other in every if other != own):
            return "/".join(own[-count:])
    return "/".join(own)


def _cut(label: str) -> str:
    return label if len(label) <= _LONGEST else f"{label[:11]}…{label[-12:]}"


def places_of(labels: Labels, finished: Iterable[Finished]) -> dict[str, str]:
    """Return which file each label of a place stands for: for data a digest of the content, else the place itself."""
    found = {}
    for cell in finished:
        for key, own in labels.items():
            value = value_of(cell.params, key)
            if value is not None and is_place(key) and value in own:
                data = [given.dataset.digest for given in cell.run.inputs.dataset_inputs] if key == "data.path" else []
                found[f"{key} {own[value]}"] = data[0] if data else value
    return found


def labels_over_time(sweep: Run, labels: Labels, finished: Sequence[Finished]) -> Labels:
    """Return labels that stand for no other file than they did when the sweep was compared before.

    A sweep that is given another file of the same name would otherwise put both into one curve.

    Parameters
    ----------
    sweep : Run
        The sweep's run, with the tag `LABELS` of the last time.
    labels : mapping of str to mapping of str to str
        By key and value, as `labels_of` makes them.
    finished : sequence of Finished
        The cells.
    """
    before, now = json.loads(sweep.data.tags.get(LABELS, "{}")), places_of(labels, finished)
    taken = {name for name, place in now.items() if before.get(name, place) != place}
    return {
        key: {
            value: f"{label} ({digest_of(now[name])[:4]})" if (name := f"{key} {label}") in taken else label
            for value, label in own.items()
        }
        for key, own in labels.items()
    }
