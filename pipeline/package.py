"""A run as a folder: written whole before the store is asked to take it, so that a result is never lost with the store.

A package is ``mlruns/undelivered/KEY-…``: ``run.json`` and the artifacts. It is gone once the store has all of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import files

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from pipeline.records import Population

_RUN, _ARTIFACTS = "run.json", "artifacts"


@dataclass
class Log:
    """What is to be logged of one run; written in one go when the run is over.

    Attributes
    ----------
    params, tags : dict of str to str
    metrics : dict of str to float
        One value each; what is not finite is allowed.
    series : list of (str, float, int)
        Metric name, value, step.
    tables : dict of str to DataFrame
        Artifacts by file name, ``….parquet`` or ``….csv``.
    texts : dict of str to str
        Artifacts by file name.
    figures : dict of str to Figure
        Artifacts by name, without ``.png``.
    dataset : Population or None
        The population.
    """

    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    series: list[tuple[str, float, int]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    dataset: Population | None = None


@dataclass(frozen=True)
class Package:
    """A run that waits for delivery.

    Attributes
    ----------
    folder : Path
        Where it lies.
    run : dict
        ``place`` (which store and experiment), ``name``, ``kind``, ``status``, ``started`` and ``ended`` (seconds since
        the epoch), ``key`` (also the lock's name), ``parent``, ``cell_digest``, ``params``, ``metrics``, ``series``,
        ``tags``, ``dataset``.
    """

    folder: Path
    run: dict[str, Any]

    @property
    def artifacts(self) -> Path:
        """The folder of its artifacts; there may be none."""
        return self.folder / _ARTIFACTS

    def remove(self) -> None:
        """Take the package away, now that the store has it."""
        # Renamed first: a half-removed one must not look whole.
        gone = self.folder.with_name(f".{self.folder.name}")
        os.replace(self.folder, gone)
        shutil.rmtree(gone, ignore_errors=True)


def undelivered() -> Path:
    """Return the folder of packages."""
    return files.mlruns() / "undelivered"


def write(key: str, run: dict[str, Any], log: Log) -> Package:
    """Write a package beside, bring it to the disk, and move it into place.

    Parameters
    ----------
    key : str
        What it is found by again, in hexadecimal: the sweep's and the cell's digests.
    run : dict
        What is not in `log`: see `Package`.
    log : Log
        What the run is to hold.
    """
    name = f"{key}-{uuid.uuid4().hex}"
    beside = undelivered() / f".{name}"
    try:
        beside.mkdir(parents=True)
        write_artifacts(beside / _ARTIFACTS, log)
        # NumPy's kinds of numbers become plain ones.
        content = json.dumps({**run, **content_of(log, beside / _ARTIFACTS)}, default=lambda number: number.item())
        (beside / _RUN).write_text(content, encoding="utf-8")
        files.flush(beside)
        os.replace(beside, undelivered() / name)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return Package(undelivered() / name, json.loads(content))


def content_of(log: Log, artifacts: Path) -> dict[str, Any]:
    """Return what the store is told of a log, beside its files in `artifacts`, whose sizes it is told too (bytes)."""
    sizes = {path.name: path.stat().st_size for path in sorted(artifacts.glob("*"))}
    return {
        "params": log.params,
        "metrics": log.metrics,
        "series": log.series,
        "tags": {**log.tags, "artifacts": json.dumps(sizes)},
        "dataset": None if log.dataset is None else {"name": log.dataset.name, "digest": log.dataset.digest},
    }


def write_artifacts(folder: Path, log: Log) -> None:
    """Write tables, texts and figures as files; no folder is made where there are none."""
    if not (log.tables or log.texts or log.figures):
        return
    folder.mkdir(exist_ok=True)
    for name, table in log.tables.items():
        save = table.to_parquet if name.endswith(".parquet") else table.to_csv
        save(folder / name, index=False)
    for name, text in log.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, figure in log.figures.items():
        figure.savefig(folder / f"{name}.png")


def waiting(key: str = "") -> list[Package]:
    """Return the packages whose key starts with `key`, oldest first."""
    if not undelivered().is_dir():
        return []
    found = []
    for folder in sorted(undelivered().iterdir(), key=lambda path: path.name):
        # Nothing but what `write` made: a link could lead anywhere.
        if not re.fullmatch(r"[\w-]+", folder.name) or folder.is_symlink() or not folder.name.startswith(key):
            continue
        try:
            found.append(Package(folder, json.loads((folder / _RUN).read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    return sorted(found, key=lambda package: package.run["ended"])
