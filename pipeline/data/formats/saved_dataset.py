"""Folders that `datasets.save_to_disk` of Hugging Face writes: which files hold the rows, and the names of classes.

A `Dataset` is a folder of Arrow streams with ``state.json``, which lists them, and ``dataset_info.json``, which holds
the types of the columns. A `DatasetDict` is a folder with ``dataset_dict.json`` and such a folder for each split.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import BadInput, brief
from .arrow_stream import ArrowStreamSource
from .budget import MOST_BYTES
from .locations import Location, is_remote

_SPLITS, _STATE, _INFO = "dataset_dict.json", "state.json", "dataset_info.json"
_AGAIN = "save it again with save_to_disk"
# The split that is meant where none is configured.
_DEFAULT = "test"


def is_saved_dataset(path: str) -> bool:
    """Return whether a path is a folder that `save_to_disk` wrote."""
    folder = Path(path)
    if is_remote(path) or not folder.is_dir():
        return False
    # Other programs write a state.json too.
    has_state = (folder / _STATE).is_file() and ((folder / _INFO).is_file() or any(folder.glob("*.arrow")))
    return has_state or (folder / _SPLITS).is_file()


def splits_of(path: str) -> list[str]:
    """Return the names of the splits of a saved data set; none where it is one data set.

    Raises
    ------
    BadInput
        If the file that lists them is damaged.
    """
    file = Path(path) / _SPLITS
    if not file.is_file():
        return []
    splits = _read(file).get("splits")
    # A split is a folder inside, never a path that leads out of it.
    if not isinstance(splits, list) or not splits or not all(isinstance(n, str) and _is_plain(n) for n in splits):
        raise BadInput(f"{file} must list the splits by name; found {brief(splits)}: {_AGAIN}")
    return splits


def folder_of(path: str, split: str) -> Path:
    """Return the folder of a split of a saved data set; of a single split if the split is the default one.

    Raises
    ------
    BadInput
        If there is no such split, or its folder is missing.
    """
    folder = Path(path)
    if not (folder / _SPLITS).is_file():
        if split != _DEFAULT:
            raise BadInput(
                f"data.split must be {_DEFAULT} for {path}, which is one data set without splits; found {split}: leave "
                "it out, or name the folder above it"
            )
        return folder
    splits = splits_of(path)
    chosen = splits[0] if len(splits) == 1 and split == _DEFAULT else split
    if chosen not in splits:
        raise BadInput(
            f"data.split must be one of the splits of {path}, {brief(', '.join(splits))}; found {split}: pass "
            f"data.split={splits[0]}"
        )
    if not (folder / chosen / _STATE).is_file():
        raise BadInput(f"{path} must hold a folder {chosen} with {_STATE}; found none: {_AGAIN}")
    return folder / chosen


def open_saved_dataset(path: str, split: str, most_bytes: int = MOST_BYTES) -> SavedDataset:
    """Open a split of a saved data set.

    Raises
    ------
    BadInput
        If there is no such split, or a file is missing or damaged.
    """
    folder = folder_of(path, split)
    name = Path(path).name
    return SavedDataset(name if folder == Path(path) else f"{name} {folder.name}", folder, most_bytes)


class SavedDataset(ArrowStreamSource):
    """The rows of a `Dataset` on disk; columns of type ClassLabel have the names of their classes.

    Parameters
    ----------
    name : str
        The name for display.
    folder : Path
        The folder with ``state.json``.
    most_bytes : int
        What may be unpacked at once.
    """

    def __init__(self, name: str, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        super().__init__(name, [Location(str(path)) for path in _data_files(folder)], most_bytes)
        for name, names in _class_names(folder).items():
            if name in self.columns:
                self.columns[name] = replace(self.columns[name], class_names=names)


def _data_files(folder: Path) -> list[Path]:
    """Return the files that ``state.json`` lists; other Arrow files in the folder are caches of `datasets`."""
    state = _read(folder / _STATE)
    if state.get("_indices_data_files"):
        raise BadInput(f"{folder} must hold the rows in their order; found indices into others: {_AGAIN}")
    try:
        names = [str(entry["filename"]) for entry in state["_data_files"]]
    except (LookupError, TypeError):
        names = []
    if not names or not all(map(_is_plain, names)):
        raise BadInput(f"{folder / _STATE} must list the files of the rows, _data_files; found none: {_AGAIN}")
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise BadInput(
            f"{folder} must hold the {len(names):,} files that its {_STATE} lists; found no {brief(missing[0])}"
            f"{f' and {len(missing) - 1:,} more' if len(missing) > 1 else ''}: copy the whole folder, or {_AGAIN}"
        )
    return [folder / name for name in names]


def _class_names(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes of each column of type ClassLabel; none without ``dataset_info.json``.

    Names that are not two or more different texts name no class, and are left out.
    """
    if not (folder / _INFO).is_file():
        return {}
    features = _read(folder / _INFO).get("features") or {}
    if not isinstance(features, dict):
        raise BadInput(f"{folder / _INFO} must map columns to their types; found {brief(features)}: {_AGAIN}")
    found = {}
    for column, feature in features.items():
        names = feature.get("names") if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" else None
        if (
            isinstance(names, list)
            and all(isinstance(n, str) and n for n in names)
            and len(set(names)) == len(names) > 1
        ):
            found[column] = tuple(names)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{path} must be a JSON file that can be read; found: {brief(error)}: {_AGAIN}") from error
    if not isinstance(found, dict):
        raise BadInput(f"{path} must hold a JSON object; found {brief(found)}: {_AGAIN}")
    return found


def _is_plain(name: str) -> bool:
    return Path(name).name == name and name not in ("", ".", "..")
