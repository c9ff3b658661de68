"""The other file of predictions, as a part like the first: named, read, and blamed for its own faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from ...data.base import Data
from ...data.formats.locations import is_remote, path_of
from ...data.formats.saved_dataset import is_saved_dataset
from ...errors import BadInput
from ...records.rows import Population
from ...runtime import files

# Fields of predictions that name a column.
_COLUMNS = ("logits", "probabilities", "label", "loss", "correct", "value", "id")


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
    known = [own.name for own in fields(data) if own.name in _COLUMNS]
    for key in columns:
        if key not in known:
            raise BadInput(
                f"study.against_columns must be of {', '.join(known) or 'predictions, data=predictions'}; found {key}: "
                "leave it out"
            )
    # The splits of a saved data set are its own; another table has one.
    split = data.split if is_saved_dataset(files.absolute(against)) else "test"
    try:
        return replace(data, path=against, split=split, group=None, weight=None, by=None, **columns)  # type: ignore[call-arg, arg-type]
    except BadInput as error:
        raise of_other(Path(path_of(against)).name, error) from error


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
        raise of_other(shown_path(other), error) from error


def names_of(data: Data, other: Data) -> tuple[str, str]:
    """Return what the two are called: their files' names, with as many folders, or the columns, as tell them apart."""
    paths = shown_path(data), shown_path(other)
    if paths[0] == paths[1]:
        return _by_columns(data, other)
    return by_folders(*paths)


def by_folders(first: str, second: str) -> tuple[str, str]:
    """Return the names of two files, with as many of their folders as tell them apart.

    Examples
    --------
    >>> by_folders("runs/a/w.npz", "runs/b/w.npz"), by_folders("a.npz", "b.npz")
    (('a/w.npz', 'b/w.npz'), ('a.npz', 'b.npz'))
    """
    parts = [Path(path).parts for path in (first, second)]
    for count in range(1, max(map(len, parts)) + 1):
        one, two = ("/".join(own[-count:]) for own in parts)
        if one != two:
            return one, two
    return first, second


def _by_columns(data: Data, other: Data) -> tuple[str, str]:
    """Name two models of one file by the columns that differ."""
    file = Path(shown_path(data)).name
    pairs = [(key, getattr(data, key, None), getattr(other, key, None)) for key in _COLUMNS if key != "id"]
    differing = [(ours or key, theirs or key) for key, ours, theirs in pairs if ours != theirs]
    one, two = (" ".join([file, *map(str, own)]) for own in zip(*differing, strict=True)) if differing else (file, file)
    return one, two


def shown_path(data: Data) -> str:
    """Return where the data lie; of an object store without the address, which may hold a key."""
    path = str(getattr(data, "path", data.name))
    return f"{path.partition('://')[0]}://…/{Path(path_of(path)).name}" if is_remote(path) else path


def of_other(other: str, error: BadInput) -> BadInput:
    """Return an error of the other file, told as its own."""
    return BadInput(f"study.against={other}: {error}")
