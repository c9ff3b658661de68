"""Open a table on disk in the format that its file ending names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ...errors import BadInput, brief
from .arrow import ArrowSource
from .arrow_stream import STREAM_MAGIC, ArrowStreamSource
from .base import Source
from .budget import MOST_BYTES
from .locations import Location, is_remote, locations_of, path_of
from .npy import NpySource
from .npz import NpzSource
from .other_files import refuse_known_kind
from .parquet import ParquetSource
from .saved_dataset import is_saved_dataset, open_saved_dataset
from .text import TextSource

# The file endings of each format.
_ENDINGS = {
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "csv": (".csv", ".csv.gz"),
    "tsv": (".tsv", ".tsv.gz"),
    "json": (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"),
    "npz": (".npz",),
    "npy": (".npy",),
}
_TEXTS = ("csv", "tsv", "json")
# As `Path.suffix` gives them; endings in .gz are told apart below.
_SUFFIXES = tuple(dict.fromkeys("." + ending.rpartition(".")[2] for each in _ENDINGS.values() for ending in each))
_ENDINGS_IN_WORDS = ", ".join(ending for each in _ENDINGS.values() for ending in each if not ending.endswith(".gz"))


def open_table(path: str, split: str = "test", most_bytes: int = MOST_BYTES, *, is_cached: bool = True) -> Source:
    """Open a table: one file, a folder of files, or a split of a data set saved by `datasets.save_to_disk`.

    Parameters
    ----------
    path : str
        The file or the folder, or its address.
    split : str
        Of a saved data set; no other table has splits.
    most_bytes : int
        What may be unpacked at once.
    is_cached : bool
        Whether the conversion of a text file is kept in the cache.

    Raises
    ------
    BadInput
        If there is no such table, its format is not known, it is damaged, or it has no rows.
    """
    shown = path_of(path) if is_remote(path) else path
    if is_saved_dataset(path):
        source: Source = open_saved_dataset(path, split, most_bytes)
    else:
        kind, locations = _check_one_kind(locations_of(path, _SUFFIXES), path)
        name = Path(shown).name
        if kind in _TEXTS:
            source = TextSource(name, locations, kind, most_bytes, is_cached=is_cached)
        else:
            source = _OPENERS[kind](name, shown, locations, most_bytes)
    if not len(source):
        raise BadInput(f"{shown} must hold at least one row; found none: save predictions with rows")
    return source


def _check_one_kind(locations: Sequence[Location], path: str) -> tuple[str, list[Location]]:
    kinds = {location: kind for location in locations if (kind := _kind_of(location.name))}
    if not kinds:
        refuse_known_kind(locations[0].name)
        raise BadInput(
            f"data.path must name a file that ends in one of {_ENDINGS_IN_WORDS} (text also in .gz), or a folder of "
            f"such files; found {brief(locations[0].name)}: convert or rename it"
        )
    first = next(iter(kinds))
    other = next((location for location, kind in kinds.items() if kind != kinds[first]), None)
    if other is not None:
        raise BadInput(
            f"{path_of(path) if is_remote(path) else path} must hold files of one kind; found {brief(first.name)} and "
            f"{brief(other.name)}: name one of them, or move the others away"
        )
    return kinds[first], list(kinds)


def _kind_of(name: str) -> str | None:
    return next((kind for kind, endings in _ENDINGS.items() if name.lower().endswith(endings)), None)


def _npz(name: str, path: str, locations: Sequence[Location], most_bytes: int) -> Source:
    if len(locations) > 1:
        raise BadInput(f"{path} must hold one npz file, which is a table of its own; found {len(locations)}: name one")
    return NpzSource(locations[0], most_bytes)


def _npy(name: str, path: str, locations: Sequence[Location], most_bytes: int) -> Source:
    if Path(path).suffix.lower() == ".npy":
        raise BadInput(
            f"{path} must come with labels; found one array alone: put it into a folder with them (logits.npy, "
            "label.npy, …), and name the folder"
        )
    return NpySource(path, locations)


def _arrow(name: str, path: str, locations: Sequence[Location], most_bytes: int) -> Source:
    with locations[0].opened() as handle:
        is_stream = handle.read(len(STREAM_MAGIC)) == STREAM_MAGIC
    return (ArrowStreamSource if is_stream else ArrowSource)(name, locations, most_bytes)


_OPENERS: dict[str, Callable[[str, str, Sequence[Location], int], Source]] = {
    "parquet": lambda name, path, locations, most_bytes: ParquetSource(name, locations, most_bytes),
    "arrow": _arrow,
    "npz": _npz,
    "npy": _npy,
}
