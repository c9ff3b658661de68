"""From a path to a table on disk, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.data.archive import brief
from pipeline.data.shards.arrow import ArrowSource
from pipeline.data.shards.base import Source
from pipeline.data.shards.npy import NpySource
from pipeline.data.shards.npz import NpzSource
from pipeline.data.shards.parquet import ParquetSource
from pipeline.data.shards.places import Place, is_remote, path_of, places_of
from pipeline.data.shards.text import TextSource
from pipeline.errors import BadInput

# What each kind of file ends in.
_ENDINGS = {
    "parquet": (".parquet", ".pq"),
    "arrow": (".arrow", ".feather", ".ipc"),
    "csv": (".csv", ".csv.gz"),
    "tsv": (".tsv", ".tsv.gz"),
    "json": (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz"),
    "npz": (".npz",),
    "npy": (".npy",),
}
# As a path's suffix is: what is packed is looked at more closely below.
_SUFFIXES = tuple(dict.fromkeys("." + ending.rpartition(".")[2] for each in _ENDINGS.values() for ending in each))
_READ = ", ".join(ending for each in _ENDINGS.values() for ending in each if not ending.endswith(".gz"))


def open_table(path: str) -> Source:
    """Open a table, or a folder of its parts.

    Raises
    ------
    BadInput
        If there is none, it is of no known format, is damaged, or has no rows.
    """
    places = places_of(path, _SUFFIXES)
    kind, places = _of_one_kind(places, path)
    shown = path_of(path) if is_remote(path) else path
    source = _OPENERS[kind](Path(shown).name, shown, places)
    if not len(source):
        raise BadInput(f"{shown} must hold at least one row; found none: save predictions with rows")
    return source


def _of_one_kind(places: Sequence[Place], path: str) -> tuple[str, list[Place]]:
    kinds = {place: kind for place in places if (kind := _kind_of(place.name))}
    if not kinds:
        raise BadInput(
            f"data.path must name a file that ends in one of {_READ} (text also in .gz), or a folder of such files; "
            f"found {brief(places[0].name)}: convert or rename it"
        )
    first = next(iter(kinds))
    other = next((place for place, kind in kinds.items() if kind != kinds[first]), None)
    if other is not None:
        raise BadInput(
            f"{path_of(path) if is_remote(path) else path} must hold files of one kind; found {brief(first.name)} and "
            f"{brief(other.name)}: name one of them, or move the others away"
        )
    return kinds[first], list(kinds)


def _kind_of(name: str) -> str | None:
    return next((kind for kind, endings in _ENDINGS.items() if name.lower().endswith(endings)), None)


def _npz(name: str, path: str, places: Sequence[Place]) -> Source:
    if len(places) > 1:
        raise BadInput(f"{path} must hold one npz file, which is a table of its own; found {len(places)}: name one")
    return NpzSource(places[0])


def _npy(name: str, path: str, places: Sequence[Place]) -> Source:
    if Path(path).suffix.lower() == ".npy":
        raise BadInput(
            f"{path} must come with labels; found one array alone: put it into a folder with them (logits.npy, "
            "label.npy, …), and name the folder"
        )
    return NpySource(path, places)


_OPENERS: dict[str, Callable[[str, str, Sequence[Place]], Source]] = {
    "parquet": lambda name, path, places: ParquetSource(name, places),
    "arrow": lambda name, path, places: ArrowSource(name, places),
    "csv": lambda name, path, places: TextSource(name, places, "csv"),
    "tsv": lambda name, path, places: TextSource(name, places, "tsv"),
    "json": lambda name, path, places: TextSource(name, places, "json"),
    "npz": _npz,
    "npy": _npy,
}
