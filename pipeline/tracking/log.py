"""The content of one run that is to be logged, and its artifacts as files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .artifacts import listed

if TYPE_CHECKING:
    import pandas as pd

    from ..records.rows import Population

# MLflow cuts longer values without an error.
LONGEST_TAG = 5000


@dataclass
class Log:
    """The content of one run; all of it is logged at once when the run is over, because calls of MLflow are slow.

    Attributes
    ----------
    params, tags : dict of str to str
    metrics : dict of str to float
        One value each; infinity and nan are allowed.
    series : list of (str, float, int)
        Metric name, value and step.
    tables : dict of str to DataFrame
        Artifacts by file name, which ends in ``.parquet`` or ``.csv``.
    texts : dict of str to str
        Artifacts by file name.
    pictures : dict of str to bytes
        Artifacts by name, without ``.png``: the content of the files.
    dataset : Population or None
        The population, logged as MLflow's dataset of the run.
    """

    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    series: list[tuple[str, float, int]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    dataset: Population | None = None


def content_of(log: Log, artifacts: Path) -> dict[str, Any]:
    """Return the values of a log as JSON types; the tag ``artifacts`` lists the files in `artifacts`, see `listed`."""
    return {
        "params": log.params,
        "metrics": log.metrics,
        "series": log.series,
        "tags": {**log.tags, "artifacts": listed(artifacts, most=LONGEST_TAG)},
        "dataset": None if log.dataset is None else {"name": log.dataset.name, "digest": log.dataset.digest},
    }


def write_artifacts(folder: Path, log: Log) -> None:
    """Write tables, texts and pictures as files; the folder is made only if there are any."""
    if not (log.tables or log.texts or log.pictures):
        return
    folder.mkdir(exist_ok=True)
    for name, table in log.tables.items():
        if name.endswith(".parquet"):
            # With a checksum for each page, by which whoever reads it elsewhere finds damage.
            table.to_parquet(folder / name, index=False, write_page_checksum=True)
        else:
            table.to_csv(folder / name, index=False)
    for name, text in log.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for name, picture in log.pictures.items():
        (folder / f"{name}.png").write_bytes(picture)
