"""The outbox: a finished run is first written to disk and then delivered to the store.

A result is therefore kept if the store does not answer. A package is a folder ``mlruns/undelivered/KEY-…`` with
``run.json`` and the artifacts; it is removed once the store has all of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..runtime import files
from ..runtime.leftovers import writing
from ..runtime.notice import note
from .log import Log, content_of, write_artifacts

_RUN, _ARTIFACTS = "run.json", "artifacts"
# What delivery reads of a run, and its type.
_NEEDED: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(("place", "name", "kind", "status", "key", "cell_digest"), (str,)),
    **dict.fromkeys(("started", "ended"), (int, float)),
    **dict.fromkeys(("params", "metrics", "tags"), (dict,)),
    "series": (list,),
    "parent": (str, type(None)),
    "dataset": (dict, type(None)),
}


@dataclass(frozen=True)
class Package:
    """A run that waits for delivery.

    Attributes
    ----------
    folder : Path
        The package's folder.
    run : dict
        ``place`` (which store and experiment), ``name``, ``kind``, ``status``, ``started`` and ``ended`` (seconds since
        the epoch), ``key`` (also the lock's name), ``parent``, ``cell_digest``, ``params``, ``metrics``, ``series``,
        ``tags``, ``dataset``.
    """

    folder: Path
    run: dict[str, Any]

    @property
    def artifacts(self) -> Path:
        """The folder of the run's artifacts; it exists only if there are any."""
        return self.folder / _ARTIFACTS

    def remove(self) -> None:
        """Remove the package after delivery."""
        # Renamed first, in one step: a package that is only partly removed must not be found by `waiting`.
        hidden = self.folder.with_name(f".{self.folder.name}")
        os.replace(self.folder, hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def undelivered() -> Path:
    """Return the folder of all packages."""
    return files.mlruns() / "undelivered"


def write(key: str, run: dict[str, Any], log: Log) -> Package:
    """Write a package under a hidden name, flush it to disk, and rename it, so that `waiting` finds complete ones only.

    Parameters
    ----------
    key : str
        The key by which `waiting` finds the package: ``alone``, or the ids of the sweep and the cell in hexadecimal.
    run : dict
        The entries of `Package.run` that are not in `log`.
    log : Log
        The content of the run.
    """
    name = f"{key}-{uuid.uuid4().hex}"
    hidden = undelivered() / f".{name}"
    writing()
    try:
        hidden.mkdir(parents=True)
        write_artifacts(hidden / _ARTIFACTS, log)
        # `default` converts NumPy's scalars, which json cannot write.
        content = json.dumps({**run, **content_of(log, hidden / _ARTIFACTS)}, default=lambda number: number.item())
        (hidden / _RUN).write_text(content, encoding="utf-8")
        files.flush(hidden)
        os.replace(hidden, undelivered() / name)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    return Package(undelivered() / name, json.loads(content))


def waiting(key: str = "") -> list[Package]:
    """Return the packages whose key starts with `key`, oldest first."""
    if not undelivered().is_dir():
        return []
    found = []
    for folder in sorted(undelivered().iterdir(), key=lambda path: path.name):
        # Only folders that `write` made: a symbolic link could lead anywhere.
        if not re.fullmatch(r"[\w-]+", folder.name) or folder.is_symlink() or not folder.name.startswith(key):
            continue
        try:
            run = json.loads((folder / _RUN).read_text(encoding="utf-8"))
        except FileNotFoundError:
            # Delivered and removed by another process meanwhile, or no package.
            continue
        except (OSError, ValueError, RecursionError):
            run = None
        if _is_whole(run):
            found.append(Package(folder, run))
        else:
            _tell_damaged(folder)
    return sorted(found, key=lambda package: package.run["ended"])


def _is_whole(run: object) -> bool:
    """Whether what was read has all that delivery needs, of the right types."""
    if not isinstance(run, dict) or not re.fullmatch(r"[\w-]+", str(run.get("key", ""))):
        return False
    return all(key in run and type(run[key]) in kinds for key, kinds in _NEEDED.items())


@cache
def _tell_damaged(folder: Path) -> None:
    """Say once in a process that a package is left alone."""
    note(
        f"the result in {folder} is damaged and stays there: move it away, and what it belongs to is carried out again"
    )
