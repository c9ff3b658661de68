"""Compare the cells of a sweep: the table of cells, and the metrics as curves over the study's axis."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..experiment import Study
from ..report.result import Compared
from ..tracking.store import metrics_of
from .identity import value_of
from .labels import is_place, labels_of

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

    from ..tracking.store import Store

# An MLflow key has at most 250 characters; this leaves room for the metric's name and a digest.
_LONGEST_SUFFIX = 180


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison of a sweep's cells.

    Attributes
    ----------
    cells : DataFrame
        One row per cell, sorted by group and by the study's axis; see `Study.compare`.
    curves : dict of str to list of (str, float, int)
        The cells' metrics as (name, value, step), by group. The step is the batch size; for another axis it is the
        cell's position on that axis, and the axis itself is one more curve.
    common : dict of str to str
        The parameters that all cells share.
    compared : Compared
        The tables and figures that the study makes from the cells.
    """

    cells: pd.DataFrame
    curves: dict[str, list[tuple[str, float, int]]]
    common: dict[str, str]
    compared: Compared

    @property
    def series(self) -> list[tuple[str, float, int]]:
        """The curves of all groups, each by a name of its own: ``loss/rmse/GROUP``."""
        return [
            (f"{name}{suffix_of(group)}", value, step)
            for group, own in self.curves.items()
            for name, value, step in own
        ]


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished cell, and the names that it is shown by.

    Attributes
    ----------
    run : Run
        Its run.
    params : dict of str to str
        Its configuration, flattened. It may name files otherwise than the run does, if they were moved since.
    population, model : str
        The names of its rows and of its model.
    """

    run: Run
    params: dict[str, str]
    population: str
    model: str

    @classmethod
    def of(cls, run: Run) -> Finished:
        """Return a cell under the names that its run was logged with."""
        tags = run.data.tags
        return cls(run, dict(run.data.params), tags["population"], tags.get("model", ""))


def compare(
    study: Study,
    finished: Sequence[Finished],
    varied: Sequence[str],
    store: Store,
    *,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    parent: str | None = None,
) -> Comparison:
    """Compare finished cells.

    Parameters
    ----------
    study : Study
        The study that all cells ran.
    finished : sequence of Finished
        The cells, at least one.
    varied : sequence of str
        The keys that vary; cells that differ in a key other than the study's axis form different groups.
    store : Store
        The store that holds the cells' tables.
    labels : mapping of str to mapping of str to str, or None
        Short labels of the values of each varied key; None makes them from the cells.
    parent : str or None
        The id of the sweep's run; values of the axis that it has logged already keep their step.
    """
    import pandas as pd

    runs, params = [cell.run for cell in finished], [cell.params for cell in finished]
    # A key that is no parameter, such as +experiment, cannot distinguish cells by itself.
    others = [key for key in sorted(varied) if key != study.axis and value_of(params[0], key) is not None]
    named = labels or {key: labels_of(key, [str(value_of(own, key)) for own in params]) for key in others}
    rows = [_row(study, cell, others, named) for cell in finished]
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
    compared = study.compare(cells, read)
    for name, values in compared.columns.items():
        cells.insert(len(cells.columns) - 1, name, values)
    names += compared.columns
    return Comparison(cells, _curves(study, cells, names, store, parent), common, compared)


def _row(
    study: Study, cell: Finished, others: Sequence[str], labels: Mapping[str, Mapping[str, str]]
) -> dict[str, object]:
    params, tags = cell.params, cell.run.data.tags
    found = {key: value_of(params, key) for key in others}
    values = {key: value for key, value in found.items() if value is not None}
    return {
        study.axis: _number(params[study.axis]),
        "batch_size": int(params["batch_size"]),
        "group": _group({key: labels[key][value] for key, value in values.items()}),
        **{key: value for key, value in values.items() if key not in ("batch_size", "draws", "confidence")},
        "population": cell.population,
        "model_name": cell.model,
        "population_size": int(tags["population_size"]),
        "unit": tags["unit"],
        "draws": int(params["draws"]),
        "confidence": float(params["confidence"]),
        **{name: tags[name] for name in study.told if name in tags},
        **metrics_of(cell.run),
        "run_id": cell.run.info.run_id,
    }


def _group(labels: Mapping[str, str]) -> str:
    """Return a group's name: files, which speak for themselves, and then the other keys with their values."""
    places = [label for key, label in labels.items() if is_place(key)]
    others = ", ".join(f"{key.lstrip('+~')}={label}" for key, label in labels.items() if not is_place(key))
    return " · ".join([*places, *([others] if others else [])])


def _number(text: str) -> int | float:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def _curves(
    study: Study, cells: pd.DataFrame, names: list[str], store: Store, parent: str | None
) -> dict[str, list[tuple[str, float, int]]]:
    curves: dict[str, list[tuple[str, float, int]]] = {}
    for group, own in cells.groupby("group", sort=False):
        series = curves.setdefault(str(group), [])
        known = [] if parent is None else store.metric_history(parent, f"{study.axis}{suffix_of(str(group))}")
        places = {value: step for step, value in known}
        for _, cell in own.iterrows():
            place = places.setdefault(float(cell[study.axis]), len(places))
            step = int(cell[study.axis]) if study.axis == "batch_size" else place
            # A metric that only other cells have is nan here.
            shown = [name for name in names if not math.isnan(cell[name]) and study.is_curve(name, cell)]
            series += [(name, float(cell[name]), step) for name in shown]
            if study.axis != "batch_size":
                series.append((study.axis, float(cell[study.axis]), step))
    return curves


def suffix_of(group: str) -> str:
    """Return a group as suffix of an MLflow key, in the characters and the length that a key may have."""
    if not group:
        return ""
    plain = re.sub(r"[^\w.\-/ ]+", " ", group.replace(" · ", "/").replace(", ", "/"))
    # MLflow refuses a key that reads like a path outside: with an empty part, or with . or ..
    plain = "/".join(part.strip() for part in plain.split("/") if part.strip() not in ("", ".", ".."))
    if len(plain) > _LONGEST_SUFFIX:
        plain = f"{plain[:_LONGEST_SUFFIX]} {hashlib.sha256(group.encode()).hexdigest()[:8]}"
    return f"/{plain}"
