"""A cell under way, and what is logged of it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..experiment import Experiment, Stages
from ..records.learning_curve import learning_series
from ..report.result import Result
from ..runtime import command_line
from ..tracking.log import Log
from ..tracking.upload import short_digest
from . import environment
from .identity import Member, configuration, parameters, value_of
from .made import Made
from .report import of_result, texts

if TYPE_CHECKING:
    from ..plots.picture import Saved

ALONE = "alone"


@dataclass(frozen=True, eq=False)
class Work:
    """A cell under way."""

    stages: Stages
    digest: str
    started: float
    member: Member | None

    @property
    def key(self) -> str:
        """The name of the cell's lock and of its packages."""
        return ALONE if self.member is None else self.member.key


def run_name(work: Work) -> str:
    """Return the name of a cell's run.

    Alone it is `title_of` with the value on the study's axis. In a sweep, whose run has the title, it is that value and
    the labels of the other varied keys.
    """
    experiment, member = work.stages.experiment, work.member
    axis, own = experiment.study.axis, parameters(experiment)
    short = f"b={experiment.batch_size}" if axis == "batch_size" else f"{axis.rpartition('.')[2]}={own[axis]}"
    if not experiment.study.has_batches and axis == "batch_size":
        short = ""
    if member is None:
        return title_of([experiment], [work.stages.rows.name], work.started, short)
    values = {key: value_of(own, key) for key in member.varied if key != axis}
    others = [member.labels[key][value] for key, value in values.items() if value is not None]
    return " · ".join(filter(None, [short, *others])) or experiment.study.name


def title_of(asked: Sequence[Experiment], data: Sequence[str], started: float, short: str = "") -> str:
    """Return a run's name, such as ``evaluate digits test · mlp · b=30 · 2026-11-29 20:05``.

    Parameters
    ----------
    asked : sequence of Experiment
        The cells, at least one; of several models the name says how many.
    data : sequence of str
        The names of their populations; of several the name says how many.
    started : float
        Seconds since the epoch; shown as local time.
    short : str
        What else tells the run from others.
    """
    about = f"{asked[0].study.name} {_one_of(data, 'data sets')}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(started))
    models = _one_of([experiment.model.called for experiment in asked], "models")
    return " · ".join(filter(None, [about, models, short, when]))


def _one_of(names: Sequence[str], many: str) -> str:
    different = list(dict.fromkeys(names))
    return different[0] if len(different) == 1 else f"{len(different)} {many}"


def log_of(work: Work, result: Result) -> Log:
    """Return all that is logged of a finished cell."""
    stages = work.stages
    experiment = stages.experiment
    series = result.series + learning_series(result.curve)
    pictures = _pictures(work, result)
    page = of_result(run_name(work), result, _made(work), [drawn.picture for drawn in pictures.values()])
    return Log(
        params=parameters(experiment),
        metrics=result.metrics,
        series=series,
        tags={
            "population": stages.rows.name,
            "model": experiment.model.called,
            "population_size": str(len(stages.rows)),
            "unit": "row" if stages.units.starts is None else "group",
            "by_step": " ".join(sorted({name for name, _, _ in series})),
            "mlflow.note.content": "\n\n".join(filter(None, [result.answer, result.summary, *result.notes])),
            **result.tags,
        },
        tables=result.tables if result.draws is None else {"draws.parquet": result.draws, **result.tables},
        texts={
            "config.yaml": configuration(experiment),
            "environment.json": json.dumps(environment.describe(), indent=1),
            **result.texts,
            **texts(page),
        },
        pictures={name: drawn.png for name, drawn in pictures.items()},
        dataset=stages.rows,
    )


def _pictures(work: Work, result: Result) -> dict[str, Saved]:
    figures = dict(result.figures)
    is_alone = work.member is None
    # A sweep's cells share the network; its parent run has the picture.
    if is_alone and result.curve is not None:
        from ..plots import learning_curve

        figures["learning_curve"] = learning_curve.draw(result.curve, work.stages.about)
    # A cell of many takes the PNG that it has anyway.
    if not figures:
        return {}
    from ..plots.picture import saved_all

    return saved_all(figures, as_svg=is_alone)


def _made(work: Work) -> Made:
    rows = work.stages.rows
    return Made(
        parameters(work.stages.experiment),
        [(rows.name, short_digest(rows.digest))],
        len(rows),
        environment.describe(),
        work.started,
        command_line.shown(),
        {},
        work.stages.experiment.study.has_design,
    )
