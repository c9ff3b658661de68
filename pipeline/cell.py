"""One cell, from configuration to a finished MLflow run."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, fields, is_dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import yaml

from pipeline import environment
from pipeline.errors import BadInput
from pipeline.experiment import Experiment
from pipeline.records import LearningCurve
from pipeline.study.base import Result, Setting
from pipeline.tracking import Log, Store, digest_of, flatten, source_digest, without_secret

LEARNING = ("batch_loss", "loss", "accuracy")


def run_cell(experiment: Experiment, *, parent: str | None = None, varied: Sequence[str] = ()) -> tuple[str, Result]:
    """Carry a cell out and log it; nothing is written of a request that was wrong.

    Parameters
    ----------
    experiment : Experiment
        The cell.
    parent : str or None
        The id of the sweep's run that this cell belongs to.
    varied : sequence of str
        The keys in which the sweep's cells differ; they make the cell's name.

    Returns
    -------
    run_id, result
        The run it was logged as, and what was found.
    """
    started = time.time()
    # The model and the data are tried before the store is brought up: a wrong request leaves no run behind.
    setting = experiment.prepare()
    store = experiment.tracking.open()
    name = _name(experiment, setting, varied)
    try:
        result = experiment.study.answer(setting)
    except BadInput:
        raise
    except Exception:
        _fail(store, store.start(name, kind="cell", started=started, parent=parent), experiment)
        raise
    run_id = store.start(name, kind="cell", started=started, parent=parent)
    try:
        store.log(run_id, _log(experiment, setting, result, is_alone=parent is None))
    except Exception:
        _fail(store, run_id, experiment)
        raise
    except BaseException:
        store.end(run_id, "KILLED")
        raise
    store.end(run_id, "FINISHED")
    return run_id, result


def _name(experiment: Experiment, setting: Setting, varied: Sequence[str]) -> str:
    axis, own = experiment.study.axis, parameters(experiment)
    short = f"b={experiment.batch_size}" if axis == "batch_size" else f"{axis.rpartition('.')[2]}={own[axis]}"
    if not varied:
        return f"{experiment.study.name} {setting.dataset.name} {short}"
    others = {key: value_of(own, key) for key in varied if key != axis}
    return " · ".join([short, *(value for value in others.values() if value is not None)])


def _fail(store: Store, run_id: str, experiment: Experiment) -> None:
    """End a run as FAILED, with its traceback if that can be written still."""
    texts = {"config.yaml": configuration(experiment), "traceback.txt": traceback.format_exc()}
    # The fault may be the disk's or the server's: then the status alone is tried.
    with suppress(Exception):
        store.log(run_id, Log(params=parameters(experiment), texts=texts))
    store.end(run_id, "FAILED")


def configuration(experiment: Experiment) -> str:
    """The resolved configuration as YAML, without secrets; Hydra runs it as it is.

    ``python -m pipeline --config-path FOLDER --config-name config``, with the folder of the file.
    """
    defaults = [
        "/schema/experiment@_global_",
        "/schema/hydra@_global_",
        *_schemas(experiment),
        "_self_",
        {"override hydra/hydra_logging": "none"},
        {"override hydra/job_logging": "none"},
    ]
    return yaml.safe_dump({"defaults": defaults, **_tree(experiment)}, sort_keys=False)


def _schemas(part: Any, at: str = "") -> Iterator[str]:
    for member in fields(part):
        value = getattr(part, member.name)
        if is_dataclass(value):
            group = f"{at}/{member.name}".lstrip("/")
            yield f"/schema/{group}/{value.name}@{group.replace('/', '.')}"  # type: ignore[union-attr]
            yield from _schemas(value, group)


def parameters(experiment: Experiment) -> dict[str, str]:
    """The resolved configuration flattened, as MLflow's params."""
    return flatten(_tree(experiment))


def value_of(params: dict[str, str], key: str) -> str | None:
    """Return a swept key's value; a group's choice is the part's name; None where the cell has no such parameter."""
    key = key.lstrip("+~").partition("@")[2] or key.lstrip("+~")
    return params.get(key) or params.get(f"{key.replace('/', '.')}.name")


def learning_series(curve: LearningCurve | None) -> list[tuple[str, float, int]]:
    """The learning curve as metrics with step = epoch, counted from 1."""
    if curve is None:
        return []
    return [
        (f"learning/{name}", float(value), epoch)
        for name in LEARNING
        for epoch, value in enumerate(getattr(curve, name), start=1)
    ]


def learning_curve_of(series: dict[str, list[tuple[int, float]]]) -> LearningCurve | None:
    """Read a learning curve back from a run's metrics, (epoch, value) pairs by name; None where there is none."""
    if not all(series.get(f"learning/{name}") for name in LEARNING):
        return None
    return LearningCurve(*(np.array([value for _, value in series[f"learning/{name}"]]) for name in LEARNING))


def cell_digest(experiment: Experiment, setting: Setting) -> str:
    """Digest of everything that shapes the result: configuration, data and weights by content, source."""
    tree = {k: v for k, v in _tree(experiment).items() if k not in ("data", "model", "tracking")}
    return digest_of(tree, setting.dataset.digest, setting.dataset.scale, setting.classifier.digest, _source())


def _tree(experiment: Experiment) -> dict[str, object]:
    tree = asdict(experiment)
    tree["tracking"]["uri"] = without_secret(tree["tracking"]["uri"])
    return tree


@lru_cache(maxsize=1)
def _source() -> str:
    return source_digest()


def _log(experiment: Experiment, setting: Setting, result: Result, *, is_alone: bool) -> Log:
    series = result.series + learning_series(result.curve)
    figures = dict(result.figures)
    # A sweep's cells share the network; its parent run has the picture.
    if is_alone and result.curve is not None:
        from pipeline.plots import learning_curve

        figures["learning_curve"] = learning_curve.draw(result.curve)
    return Log(
        params=parameters(experiment),
        metrics=result.metrics,
        series=series,
        tags={
            "cell_digest": cell_digest(experiment, setting),
            "population": setting.dataset.name,
            "population_size": str(len(setting.dataset)),
            "unit": "row" if setting.units.starts is None else "group",
            "by_step": " ".join(sorted({name for name, _, _ in series})),
            "mlflow.note.content": "\n\n".join(filter(None, [result.summary, *result.notes])),
        },
        tables=result.tables if result.draws is None else {"draws.parquet": result.draws, **result.tables},
        texts={
            "config.yaml": configuration(experiment),
            "environment.json": json.dumps(environment.describe(), indent=1),
        },
        figures=figures,
        dataset=setting.dataset,
    )
