"""Scores of shards that are known already: where a file of a folder is mended or added, only it is scored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import files
from pipeline.records import IntArray, Scores
from pipeline.score_file import ScoreFile

# What a folder of scores holds besides: each shard's key, and where it starts.
_KEYS, _BOUNDS = "keys", "bounds"
_KEY_BYTES = 32


def reuse(file: ScoreFile, folder: Path, keys: Sequence[str], bounds: IntArray) -> None:
    """Take over what other folders beside this one have of its missing shards, and let others find what it has.

    Parameters
    ----------
    file, folder : ScoreFile, Path
        The scores that are to be filled, and where they lie.
    keys : sequence of str, length S
        SHA-256 (hex) of all that shapes a shard's scores.
    bounds : ndarray of int, shape (S + 1,)
        The first row of each shard, and N.
    """
    missing = {bytes.fromhex(keys[shard]): shard for shard in file.missing}
    for other in sorted(folder.parent.iterdir()) if missing else []:
        if other != folder and (other / _KEYS).is_file():
            for key, scores, nanoseconds in _found(other, set(missing), file.form):
                shard = missing.pop(key)
                if len(scores) == bounds[shard + 1] - bounds[shard]:
                    file.keep(shard, scores, nanoseconds=nanoseconds)
    file.flush()
    packed = np.frombuffer(bytes.fromhex("".join(keys)), np.uint8).reshape(-1, _KEY_BYTES)
    for name, array in ((_BOUNDS, np.asarray(bounds, np.int64)), (_KEYS, packed)):
        if not (folder / name).exists():
            files.write_beside(folder / name, lambda opened, array=array: opened.write(array.tobytes()))  # type: ignore[misc]


def _found(folder: Path, wanted: set[bytes], form: dict[str, Any]) -> Iterator[tuple[bytes, Scores, int]]:
    """What a folder has of the wanted shards; nothing where it is of another form, or goes away meanwhile."""
    try:
        its_form = json.loads((folder / "form.json").read_bytes())
        if any(its_form[name] != form[name] for name in ("version", "dtype")):
            return
        metrics = json.loads((folder / "metrics.json").read_bytes())
        keys = np.fromfile(folder / _KEYS, np.uint8).reshape(-1, _KEY_BYTES)
        bounds = np.fromfile(folder / _BOUNDS, np.int64)
        done = np.fromfile(folder / "done", np.uint8)
        counts = np.fromfile(folder / "counts", np.int64).reshape(len(keys), -1)
        if len(bounds) != len(keys) + 1 or len(done) != len(keys):
            return
        for shard in np.flatnonzero(done == 1):
            key = keys[shard].tobytes()
            if key in wanted:
                wanted.discard(key)
                start, stop = int(bounds[shard]), int(bounds[shard + 1])
                columns = {name: _column(folder / name, form["dtype"], start, stop) for name in metrics}
                ties, capped, nanoseconds = counts[shard].tolist()
                # A folder that its owner makes anew meanwhile has no shard done.
                if (folder / "done").read_bytes()[shard] != 1:
                    return
                yield key, Scores.of(columns, ties=ties, capped=capped), nanoseconds
    except (OSError, EOFError, ValueError, LookupError, TypeError):
        return


def _column(path: Path, dtype: str, start: int, stop: int) -> NDArray[Any]:
    kind = np.dtype(np.bool_ if path.name == "accuracy" else dtype)
    found = np.fromfile(path, kind, stop - start, offset=start * kind.itemsize)
    if len(found) != stop - start:
        raise ValueError(f"{path} is cut short")
    return found
