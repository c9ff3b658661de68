"""One cell, from configuration to a finished MLflow run."""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline import environment
from pipeline.address import without_secret
from pipeline.errors import BadInput, Failed
from pipeline.experiment import Experiment
from pipeline.identity import cell_digest, configuration, content_of, parameters, value_of
from pipeline.learning import learning_series
from pipeline.locks import held, held_if_free
from pipeline.package import Log, Package, waiting, write
from pipeline.study.base import Result, Setting
from pipeline.tracking import Store, is_lost, reason

if TYPE_CHECKING:
    from mlflow.entities import Run


@dataclass(frozen=True)
class Member:
    """A cell's place in a sweep.

    Attributes
    ----------
    parent : str
        The id of the sweep's run.
    varied : tuple of str
        The keys in which the sweep's cells differ; they make the cell's name.
    digest : str
        What `cell_digest` was when the sweep was started.
    """

    parent: str
    varied: tuple[str, ...]
    digest: str

    @property
    def key(self) -> str:
        """The name of the cell's lock and of its packages."""
        return f"{self.parent}-{self.digest}"


def run_alone(experiment: Experiment, tell: Callable[[str], None]) -> tuple[str, Result]:
    """Carry out a cell that belongs to no sweep and log it; nothing is written of a request that was wrong.

    Parameters
    ----------
    experiment : Experiment
        The cell.
    tell : callable
        Is given what the user should know beside the result, a line each.

    Returns
    -------
    run_id, result
        The run it was logged as, and what was found.
    """
    started = time.time()
    # The model and the data are tried before the store is brought up: a wrong request leaves no run behind.
    setting = experiment.prepare()
    store = experiment.tracking.open()
    try:
        deliver_waiting(store, tell)
    except Exception as error:
        tell(f"what an earlier start has kept for the store stays: {reason(error)}")
    digest = cell_digest(experiment, content_of(experiment, setting))
    work = _Work(experiment, setting, digest, started, member=None)
    result = _answer(work)
    with held(_ALONE):
        return _deliver(_packed(work, "FINISHED", lambda: _log(work, result)), experiment), result


def run_member(experiment: Experiment, member: Member) -> None:
    """Carry out a cell of a sweep and log it, unless it is finished.

    The cell's lock is held meanwhile: a worker that outlived an earlier start may be at the same cell.

    Raises
    ------
    BadInput
        If configuration, data, weights or source are not what they were when the sweep was started.
    Failed
        If the store did not take the result, which is kept.
    """
    started = time.time()
    setting = experiment.prepare()
    if cell_digest(experiment, content_of(experiment, setting)) != member.digest:
        raise BadInput(
            "configuration, data, weights and source must stay as they are while a sweep runs; found a change: "
            "start the sweep again"
        )
    with held(member.key):
        if _is_finished(experiment, member):
            return
        work = _Work(experiment, setting, member.digest, started, member)
        result = _answer(work)
        _deliver(_packed(work, "FINISHED", lambda: _log(work, result)), experiment)


def deliver_waiting(store: Store, tell: Callable[[str], None]) -> None:
    """Bring the packages of this store that nobody is at to it; one that it does not take stays, and is told of."""
    for package in waiting():
        if package.run["place"] != store.place:
            continue
        with held_if_free(package.run["key"]) as is_free:
            if not is_free or not package.folder.exists():
                continue
            try:
                _redeliver(package, store)
            except Exception as error:
                if is_lost(error) and not store.answers():
                    raise
                tell(f"a result stays in {package.folder}: the store does not take it ({reason(error)})")


def finished_cells(store: Store, parent: str) -> list[Run]:
    """Return the finished cells of a sweep, and put right what an earlier start has left of the others.

    What is RUNNING, and nobody is at, ends as KILLED; what is FINISHED, but has lost some of its artifacts (a power cut
    leaves a database that knows more than the disk), as FAILED.
    """
    finished = []
    for found in store.children(parent):
        run = found
        if run.info.status == "RUNNING":
            with held_if_free(f"{parent}-{run.data.tags.get('cell_digest', 'unknown')}") as is_free:
                # Asked again: it may have been finished since, and its lock been let go.
                run = store.run(run.info.run_id)
                if is_free and run.info.status == "RUNNING":
                    store.end(run.info.run_id, "KILLED")
        if run.info.status == "FINISHED" and store.has_whole(run):
            finished.append(run)
        elif run.info.status == "FINISHED":
            store.end(run.info.run_id, "FAILED")
    return finished


_ALONE = "alone"


@dataclass(frozen=True, eq=False)
class _Work:
    """A cell under way."""

    experiment: Experiment
    setting: Setting
    digest: str
    started: float
    member: Member | None

    @property
    def key(self) -> str:
        return _ALONE if self.member is None else self.member.key


_SECONDS_UNTIL_ASKED_AGAIN = 60
# When a store was found not to answer, by its place: each call that waits for it in vain takes seconds.
_lost: dict[str, float] = {}


def _opened(experiment: Experiment) -> Store | None:
    """The store; None where it stopped answering: the result will be kept for it."""
    place = experiment.tracking.place
    if time.monotonic() < _lost.get(place, -math.inf) + _SECONDS_UNTIL_ASKED_AGAIN:
        return None
    try:
        return experiment.tracking.open()
    except BadInput:
        _lost[place] = time.monotonic()
        return None


def _is_finished(experiment: Experiment, member: Member) -> bool:
    store = _opened(experiment)
    if store is None:
        return False
    try:
        found = store.finished_cell(member.parent, member.digest)
        if found is not None and store.has_whole(found):
            return True
        finished = [package for package in waiting(member.key) if package.run["status"] == "FINISHED"]
        for package in finished:
            _redeliver(package, store)
        return bool(finished)
    except Exception as error:
        if not is_lost(error):
            raise
        # The cell is carried out and kept for the store.
        _lost[store.place] = time.monotonic()
        return False


def _redeliver(package: Package, store: Store) -> None:
    store.end_left_over(package)
    if store.has_taken(package):
        package.remove()
    else:
        store.deliver(package)


def _answer(work: _Work) -> Result:
    try:
        return work.experiment.study.answer(work.setting)
    except BadInput:
        raise
    except Exception as error:
        # The lock of a cell that is alone is held for the delivery only; a member holds its own already.
        with held(_ALONE) if work.member is None else nullcontext():
            _keep_failure(work, error)
        raise


def _packed(work: _Work, status: str, log: Callable[[], Log]) -> Package:
    experiment, member = work.experiment, work.member
    run = {
        "place": experiment.tracking.place,
        "key": work.key,
        "name": _name(experiment, work.setting, () if member is None else member.varied),
        "kind": "cell",
        "status": status,
        "started": work.started,
        "ended": time.time(),
        "parent": None if member is None else member.parent,
        "cell_digest": work.digest,
    }
    return write(work.key, run, log())


def _deliver(package: Package, experiment: Experiment) -> str:
    store, why = _opened(experiment), "it stopped answering"
    if store is not None:
        try:
            return store.deliver(package)
        except Exception as error:
            why = reason(error)
            if is_lost(error):
                _lost[store.place] = time.monotonic()
    raise Failed(
        f"the store did not take the result ({why}); it is kept in {package.folder.parent}, and the next start "
        "delivers it"
    )


def _keep_failure(work: _Work, error: Exception) -> None:
    """Log a cell as FAILED with its traceback, if that can be written still."""
    tags = {"error": without_secret(" ".join(str(error).split()) or type(error).__name__)}
    texts = {"config.yaml": configuration(work.experiment), "traceback.txt": without_secret(traceback.format_exc())}
    log = Log(params=parameters(work.experiment), tags=tags, texts=texts)
    # The fault may be the disk's or the server's.
    with suppress(Exception):
        _deliver(_packed(work, "FAILED", lambda: log), work.experiment)


def _name(experiment: Experiment, setting: Setting, varied: Sequence[str]) -> str:
    axis, own = experiment.study.axis, parameters(experiment)
    short = f"b={experiment.batch_size}" if axis == "batch_size" else f"{axis.rpartition('.')[2]}={own[axis]}"
    if not varied:
        return f"{experiment.study.name} {setting.dataset.name} {short}"
    others = {key: value_of(own, key) for key in varied if key != axis}
    return " · ".join([short, *(value for value in others.values() if value is not None)])


def _log(work: _Work, result: Result) -> Log:
    experiment, setting = work.experiment, work.setting
    series = result.series + learning_series(result.curve)
    figures = dict(result.figures)
    # A sweep's cells share the network; its parent run has the picture.
    if work.member is None and result.curve is not None:
        from pipeline.plots import learning_curve

        figures["learning_curve"] = learning_curve.draw(result.curve)
    return Log(
        params=parameters(experiment),
        metrics=result.metrics,
        series=series,
        tags={
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
