"""The cells of a sweep side by side: the table, and the curves over the study's axis."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.identity import value_of
from pipeline.study.base import Compared, Study

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

    from pipeline.tracking import Store

# An MLflow key has 250 characters at most; the metric's own name and a digest need some.
_LONGEST_SUFFIX = 180


@dataclass(frozen=True, eq=False)
class Comparison:
    """A sweep's cells, compared.

    Attributes
    ----------
    cells : DataFrame
        A row a cell, by group and the study's axis; see `Study.compare`.
    series : list of (str, float, int)
        The cells' metrics with step = batch size; or, where the axis is another, step = the cell's place on it, with
        the axis itself as a further series.
    common : dict of str to str
        The parameters that all cells share.
    compared : Compared
        What the study makes of them.
    """

    cells: pd.DataFrame
    series: list[tuple[str, float, int]]
    common: dict[str, str]
    compared: Compared


def compare(
    study: Study, runs: Sequence[Run], store: Store, swept: Sequence[str], *, parent: str | None = None
) -> Comparison:
    """Compare finished cells.

    Parameters
    ----------
    study : Study
        The question that they answer.
    runs : sequence of Run
        The cells' runs, at least one.
    store : Store
        Where their tables are read from.
    swept : sequence of str
        The keys that vary; cells that differ in another than the study's axis are told apart as groups.
    parent : str or None
        The sweep's run: values of the axis that have a place on its curves keep it.
    """
    import pandas as pd

    params = [dict(run.data.params) for run in runs]
    # A key that is no parameter (such as +experiment) tells no cells apart by itself.
    others = [key for key in swept if key != study.axis and value_of(params[0], key) is not None]
    rows = [_row(study, run, param, others) for run, param in zip(runs, params, strict=True)]
    cells = pd.DataFrame(rows).sort_values(["group", study.axis], kind="stable", ignore_index=True)
    metrics = {name for run in runs for name in metrics_of(run)}
    names = [name for name in study.columns if name in metrics] + sorted(metrics - set(study.columns))
    rest = [name for name in cells if name not in metrics and name != "run_id"]
    cells = cells[[*rest, *names, "run_id"]]

    def read(table: str) -> pd.DataFrame:
        frames = []
        for cell in cells.to_dict("records"):
            frame = store.read_table(str(cell["run_id"]), table)
            frame.insert(0, study.axis, cell[study.axis])
            frame.insert(1, "group", cell["group"])
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    common = {key: value for key, value in params[0].items() if all(p.get(key) == value for p in params)}
    return Comparison(cells, _series(study, cells, names, store, parent), common, study.compare(cells, read))


def newest(runs: Iterable[Run], wanted: Collection[str] = ()) -> list[Run]:
    """Return one run a configuration: one of a wanted digest, or the newest; data may have changed under the others."""
    found: dict[tuple[tuple[str, str], ...], Run] = {}
    for run in sorted(runs, key=lambda run: (run.data.tags.get("cell_digest") in wanted, run.info.start_time)):
        own = {key: value for key, value in run.data.params.items() if not key.startswith("tracking.")}
        found[tuple(sorted(own.items()))] = run
    return list(found.values())


def metrics_of(run: Run) -> dict[str, float]:
    """A run's metrics, what is not finite included, without those that have steps of their own."""
    odd = dict(pair.split("=", 1) for pair in run.data.tags.get("not_finite", "").split())
    found = {**run.data.metrics, **{key: float(value) for key, value in odd.items()}}
    by_step = set(run.data.tags.get("by_step", "").split())
    return {key: value for key, value in found.items() if key not in by_step}


def _row(study: Study, run: Run, params: dict[str, str], others: list[str]) -> dict[str, object]:
    values = {key: value_of(params, key) for key in others}
    return {
        study.axis: _number(params[study.axis]),
        "batch_size": int(params["batch_size"]),
        "group": ", ".join(f"{key.lstrip('+~')}={value}" for key, value in values.items()),
        **{key: value for key, value in values.items() if key not in ("batch_size", "draws", "confidence")},
        "population": run.data.tags["population"],
        "population_size": int(run.data.tags["population_size"]),
        "unit": run.data.tags["unit"],
        "draws": int(params["draws"]),
        "confidence": float(params["confidence"]),
        **metrics_of(run),
        "run_id": run.info.run_id,
    }


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _series(
    study: Study, cells: pd.DataFrame, names: list[str], store: Store, parent: str | None
) -> list[tuple[str, float, int]]:
    series = []
    for group, own in cells.groupby("group", sort=False):
        suffix = _suffix(str(group))
        known = [] if parent is None else store.metric_history(parent, f"{study.axis}{suffix}")
        places = {value: step for step, value in known}
        for _, cell in own.iterrows():
            place = places.setdefault(float(cell[study.axis]), len(places))
            step = int(cell[study.axis]) if study.axis == "batch_size" else place
            # A metric that other cells have alone is nan here.
            shown = [name for name in names if not math.isnan(cell[name]) and study.is_curve(name, cell)]
            series += [(f"{name}{suffix}", float(cell[name]), step) for name in shown]
            if study.axis != "batch_size":
                series.append((f"{study.axis}{suffix}", float(cell[study.axis]), step))
    return series


def _suffix(group: str) -> str:
    """A group as the end of an MLflow key: its own curve, in the characters and the length that a key may have."""
    if not group:
        return ""
    plain = re.sub(r"[^\w.\-/ ]+", " ", group.replace(", ", "/")).strip()
    if len(plain) > _LONGEST_SUFFIX:
        plain = f"{plain[:_LONGEST_SUFFIX]} {hashlib.sha256(group.encode()).hexdigest()[:8]}"
    return f"/{plain}"
