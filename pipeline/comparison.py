"""The cells of a sweep side by side: the table, the curves over the batch size, and what they say in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import Run

    from pipeline.tracking import Store

_METRICS = [
    f"{metric}/{name}"
    for metric in ("loss", "accuracy")
    for name in ("all", "mean", "se", "rmse", "bias", "half_width", "coverage")
]
_SECONDS = ["seconds/batch", "seconds/all"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A sweep's cells, compared.

    Attributes
    ----------
    cells : DataFrame
        A row a cell, by group and batch size: ``batch_size, group, draws, confidence, population_size``, the other
        swept parameters, every metric, ``run_id``.
    draws : DataFrame
        A row a draw of every cell.
    series : list of (str, float, int)
        The cells' metrics with step = batch size.
    common : dict of str to str
        The parameters that all cells share.
    summary : str
        One sentence.
    """

    cells: pd.DataFrame
    draws: pd.DataFrame
    series: list[tuple[str, float, int]]
    common: dict[str, str]
    summary: str


def compare(runs: Sequence[Run], store: Store, swept: Sequence[str]) -> Comparison:
    """Compare finished cells.

    Parameters
    ----------
    runs : sequence of Run
        The cells' runs, at least one.
    store : Store
        Where their draws are read from.
    swept : sequence of str
        The keys that vary; cells that differ in another than ``batch_size`` are told apart as groups.
    """
    import pandas as pd

    params = [dict(run.data.params) for run in runs]
    others = [key for key in swept if key != "batch_size"]
    rows = [_row(run, param, others) for run, param in zip(runs, params, strict=True)]
    cells = pd.DataFrame(rows).sort_values(["group", "batch_size"], kind="stable", ignore_index=True)
    names = [name for name in _METRICS + _SECONDS if name in cells]
    rest = [name for name in cells if name not in names and name != "run_id"]
    cells = cells[[*rest, *names, "run_id"]]
    frames = []
    for cell in cells[["run_id", "batch_size", "group"]].itertuples(index=False):
        frame = store.draws(str(cell.run_id))
        frame.insert(0, "batch_size", int(str(cell.batch_size)))
        frame.insert(1, "group", str(cell.group))
        frames.append(frame)
    shared = {key: value for key, value in params[0].items() if all(p.get(key) == value for p in params)}
    return Comparison(cells, pd.concat(frames, ignore_index=True), _series(cells, names), shared, summarise(cells))


def _row(run: Run, params: dict[str, str], others: list[str]) -> dict[str, object]:
    values = {key: _param(params, key) for key in others}
    odd = dict(pair.split("=", 1) for pair in run.data.tags.get("not_finite", "").split())
    metrics: dict[str, float] = {**run.data.metrics, **{key: float(value) for key, value in odd.items()}}
    return {
        "batch_size": int(params["batch_size"]),
        "group": ", ".join(f"{key}={value}" for key, value in values.items()),
        **{key: value for key, value in values.items() if key not in ("draws", "confidence")},
        "draws": int(params["draws"]),
        "confidence": float(params["confidence"]),
        "population_size": int(run.data.tags["population_size"]),
        **{
            key: value
            for key, value in metrics.items()
            if not key.endswith("/draw") and not key.startswith("learning/")
        },
        "run_id": run.info.run_id,
    }


def _param(params: dict[str, str], key: str) -> str:
    """A swept key's value; a group's choice is the part's name."""
    key = key.lstrip("+~")
    return params.get(key) or params.get(f"{key.replace('/', '.')}.name") or "?"


def _series(cells: pd.DataFrame, names: list[str]) -> list[tuple[str, float, int]]:
    series = []
    for _, cell in cells.iterrows():
        # An MLflow key takes no "="; one curve a group.
        suffix = f"/{cell['group'].replace('=', ' ').replace(', ', '/')}" if cell["group"] else ""
        for name in names:
            # An interval of all numbers holds everything: a curve would show it as a success.
            if name.endswith("/coverage") and not np.isfinite(cell[name.replace("/coverage", "/half_width")]):
                continue
            series.append((f"{name}{suffix}"[:250], float(cell[name]), int(cell["batch_size"])))
    return series


def summarise(cells: pd.DataFrame) -> str:
    """What a person takes home: what one batch is off by, at the smallest and the largest size."""
    if "loss/rmse" not in cells:
        return "The population was not scored, so what a batch is off by is not known."
    few, many = cells.iloc[cells["batch_size"].argmin()], cells.iloc[cells["batch_size"].argmax()]
    parts = []
    for cell in (few, many) if few["batch_size"] != many["batch_size"] else (many,):
        size = int(cell["batch_size"])
        parts.append(
            f"of {size:,} {'row' if size == 1 else 'rows'} by {_figure(cell['loss/rmse'])} nats "
            f"and {_figure(100 * cell['accuracy/rmse'])} accuracy points"
        )
    return f"A batch {', one '.join(parts)}".replace(" by ", " is off by ", 1) + " (root mean square)."


def _figure(value: float) -> str:
    return f"{value:.2g}" if np.isfinite(value) else str(value)
