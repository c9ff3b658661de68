"""What a sweep costs beside its work: logging, starting again, and what a second process gains."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.bare import make_store
from benchmarks.measuring import Row, Size, book, median_seconds
from benchmarks.processes import Commands, commands
from pipeline.tracking.log import Log
from pipeline.tracking.mlflow import Tracking
from pipeline.tracking.outbox import write
from pipeline.tracking.store import Store


@dataclass(frozen=True)
class Form:
    """How much of everything there is.

    Attributes
    ----------
    cells, finished_cells : int
        Of the sweep with next to no work, and of the one that is carried out again.
    draws : int
        Of the run whose draws are logged.
    heavy_cells, heavy_draws, heavy_points : int
        Of the sweeps that two workers carry out: the cells, and the work of each.
    repeats, log_repeats, again_repeats : int
    """

    cells: int
    finished_cells: int
    draws: int
    heavy_cells: int
    heavy_draws: int
    heavy_points: int
    repeats: int
    log_repeats: int
    again_repeats: int


FULL = Form(40, 100, 20_000, 8, 50_000, 151, 3, 21, 5)
# Of one cell alone no plots are drawn against the batch size.
SMALL = Form(1, 1, 20, 1, 5, 3, 1, 1, 1)
# A minute and more each: what disturbs a machine for a moment does not count.
HEAVY_REPEATS = 1

# Runs a module as -m does and lists what was imported on the way, but for our own modules.
_LIST = """
import atexit, pathlib, runpy, sys
path, module = sys.argv[1:3]
sys.argv[:] = sys.argv[2:]
ours = {"__main__", "pipeline", "benchmarks"}
def save():
    pathlib.Path(path).write_text(" ".join(name for name in sys.modules if name.split(".")[0] not in ours))
atexit.register(save)
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
_IMPORT = """
import contextlib, importlib, pathlib, sys
for name in pathlib.Path(sys.argv[1]).read_text().split():
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
"""

# A side: the folder for everything generated, and the arguments of Python for one repeat, whose number is the seed.
Side = tuple[Path, Callable[[int], Sequence[str]]]


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratios; those of two workers are ``nan`` where the joblib launcher is missing."""
    form, run = SMALL if size == "small" else FULL, commands(size)
    yield from _small_cells(run, form, size)
    yield from _many_draws(run, form)
    yield from _two_workers(run, form, size)
    yield _finished_sweep(run, form, size)


def _small_cells(run: Commands, form: Form, size: Size) -> Iterator[Row]:
    """A sweep of cells with next to no work against its peers, all without their imports."""
    cells = form.cells
    with tempfile.TemporaryDirectory() as folder:
        home, bare, record = Path(folder, "ours"), Path(folder, "bare"), Path(folder, "record.json")
        bare.mkdir()
        if size == "small":
            run.prepare(home)
            run.prepare(bare)
        run.run(*_sweep(cells, seed=0), home=home)  # Brings the store up and trains the network.
        record.write_text(json.dumps(recorded(home)), encoding="utf-8")
        mlflow = ("-m", "benchmarks.bare", "mlflow", str(record), str(bare))
        run.run(*mlflow, "whole", home=bare)
        seconds = _medians_without_imports(
            run,
            {
                # Another seed each time: what is finished would not be carried out again.
                "ours": (home, lambda seed: _sweep(cells, seed=seed)),
                "jobs": (bare, lambda seed: ("-m", "benchmarks.bare", "hydra", *_sweep(cells, seed=seed)[2:])),
                "values": (bare, lambda _: (*mlflow, "values")),
                "whole": (bare, lambda _: (*mlflow, "whole")),
            },
            size,
            repeats=form.repeats,
        )
    ours, jobs, values, whole = (seconds[side] for side in ("ours", "jobs", "values", "whole"))
    what = f"sweep of {cells} cells with next to no work"
    peer = f"{cells} bare MLflow runs with its metrics + {cells} empty Hydra jobs"
    yield Row(f"{what} / {peer}", ours / (values + jobs), 1.5)
    yield Row(f"{what} / the same, with its tags, its files' sizes and the sweep's run", ours / (whole + jobs), 1.5)


def _sweep(cells: int, *, seed: int) -> tuple[str, ...]:
    return ("-m", "pipeline", "--multirun", "draws=1", f"seed={seed}", f"batch_size=range(1,{cells + 1})")


def recorded(home: Path) -> list[dict[str, Any]]:
    """What a store holds of its only sweep, for `benchmarks.bare` to log again: the sweep's run, then its cells.

    Returns
    -------
    list of dict
        By run: ``run_id``; ``name``; ``params`` and ``tags``, str by str; ``metrics``, a list of (name, value, step);
        ``files``, bytes by name; ``data``, a list of (name, digest, source type, source).
    """
    client = _client(home)
    runs = sorted(_runs(client), key=lambda run: run.data.tags["kind"] == "cell")
    return [_recorded(client, run) for run in runs]


def _runs(client: Any) -> list[Any]:
    experiment_id = client.get_experiment_by_name(Tracking().experiment).experiment_id
    return list(client.search_runs([experiment_id], order_by=["attributes.start_time ASC"]))


def _recorded(client: Any, run: Any) -> dict[str, Any]:
    run_id, data = run.info.run_id, [given.dataset for given in run.inputs.dataset_inputs]
    return {
        "run_id": run_id,
        "name": run.info.run_name,
        "params": run.data.params,
        "tags": {key: value for key, value in run.data.tags.items() if not key.startswith("mlflow.")},
        "metrics": [
            (m.key, m.value, m.step) for key in run.data.metrics for m in client.get_metric_history(run_id, key)
        ],
        "files": {file.path: file.file_size for file in client.list_artifacts(run_id)},
        "data": [(given.name, given.digest, given.source_type, given.source) for given in data],
    }


def _client(home: Path) -> Any:
    import mlflow

    return mlflow.MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")


def _many_draws(run: Commands, form: Form) -> Iterator[Row]:
    """A log straight into the store, and by way of a package, as a cell does it, against what no way can do without."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, BATCHSCOPE_MLRUNS=folder):
        home = Path(folder)
        if form is SMALL:
            run.prepare(home)
        run.run("-m", "pipeline", f"draws={form.draws}", home=home)
        seconds = _log_seconds(home, Tracking().open(), form.log_repeats)
    what, peer = f"{form.draws:,} draws and their metrics", "one Parquet file and one log_batch"
    yield Row(f"{what} logged / {peer}", seconds["log"] / seconds["peer"], 1.2)
    yield Row(f"{what} kept, delivered and ended, as of a cell / {peer}", seconds["cell"] / seconds["peer"], 1.2)


def _log_seconds(home: Path, store: Store, repeats: int) -> dict[str, float]:
    client, found = _client(home), recorded(home)[0]
    by_step = {key for key, _, step in found["metrics"] if step}
    log = Log(
        metrics={key: value for key, value, _ in found["metrics"] if key not in by_step},
        series=[(key, value, step) for key, value, step in found["metrics"] if key in by_step],
        tables={"draws.parquet": store.read_table(found["run_id"], "draws.parquet")},
    )
    bare_id = make_store(client, home / "bare")
    # Made beforehand, and each used once: a run that has a metric already is asked for it first.
    ours = iter([store.start("ours", kind="cell") for _ in range(repeats)])
    bare = iter([client.create_run(bare_id).info.run_id for _ in range(repeats)])
    return median_seconds(
        {
            "log": lambda: store.log(next(ours), log),
            "cell": lambda: store.deliver(write("bench", _told(store), log)),
            "peer": lambda: _log_bare(client, next(bare), log, home / "bare.parquet"),
        },
        repeats=repeats,
    )


def _told(store: Store) -> dict[str, Any]:
    now = time.time()
    told = {"name": "ours", "kind": "cell", "status": "FINISHED", "parent": None, "started": now, "ended": now}
    return {**told, "place": store.place, "key": "bench", "cell_digest": "bench"}


def _log_bare(client: Any, run_id: str, log: Log, path: Path) -> None:
    from mlflow.entities import Metric

    log.tables["draws.parquet"].to_parquet(path, index=False)
    now = int(time.time() * 1000)
    values = [*((key, value, 0) for key, value in log.metrics.items()), *log.series]
    client.log_batch(run_id, [Metric(key, value, now, step) for key, value, step in values])


def _two_workers(run: Commands, form: Form, size: Size) -> Iterator[Row]:
    """Two joblib workers against one process, whole, with all imports."""
    is_there = importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is not None
    with tempfile.TemporaryDirectory() as folder:
        # One worker is the launcher's own process, without imports of its own.
        workers = 1 if size == "small" else 2
        for kind, (cells, target) in _heavy(form, size, Path(folder)).items():
            ratio = _joblib(run, cells, workers=workers) if is_there else math.nan
            yield Row(f"{form.heavy_cells} cells {kind}: joblib with n_jobs={workers} / basic", ratio, target)


def _heavy(form: Form, size: Size, folder: Path) -> dict[str, tuple[Sequence[str], float]]:
    """Overrides and target by the kind of work; the small form has one kind."""
    cells = f"range({form.heavy_cells})"
    # One process needs some 20 seconds for a cell of either kind: each worker pays seven for its imports.
    statistic = ("study=coverage", "batch_size=300", f"draws={form.heavy_draws}", f"seed={cells}")
    # Forward passes have threads on all cores already.
    forward = (
        *book(size, folder),
        *("study=landscape", "study/direction=random", f"study.points={form.heavy_points}"),
        f"study.direction.index={cells}",
    )
    kinds: dict[str, tuple[Sequence[str], float]] = {"heavy in statistics": (statistic, 1 / 1.7)}
    return kinds if size == "small" else {**kinds, "heavy in forward passes": (forward, 1.0)}


def _joblib(run: Commands, cells: Sequence[str], *, workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        run.prepare(home)
        command = ("-m", "pipeline", "--multirun", "force=true", *cells)
        sides: dict[str, Side] = {
            "basic": (home, lambda _: command),
            "joblib": (home, lambda _: (*command, "hydra/launcher=joblib", f"hydra.launcher.n_jobs={workers}")),
        }
        seconds = _medians(run, sides, repeats=HEAVY_REPEATS)
    return seconds["joblib"] / seconds["basic"]


def _finished_sweep(run: Commands, form: Form, size: Size) -> Row:
    """The same sweep a second time, without its imports; it must make no run."""
    with tempfile.TemporaryDirectory() as folder:
        home, sweep = Path(folder), _sweep(form.finished_cells, seed=0)
        if size == "small":
            run.prepare(home)
        run.run(*sweep, home=home)
        before = len(_runs(_client(home)))
        again: dict[str, Side] = {"again": (home, lambda _: sweep)}
        seconds = _medians_without_imports(run, again, size, repeats=form.again_repeats)
        more = len(_runs(_client(home))) - before
        if more:
            raise RuntimeError(f"a finished sweep must make no run; found {more} more")
    what = f"a finished sweep of {form.finished_cells} cells again, without imports / 3 s"
    return Row(what, seconds["again"] / 3, 1.0)


def _medians_without_imports(run: Commands, sides: dict[str, Side], size: Size, *, repeats: int) -> dict[str, float]:
    """Run the sides in turn, each beside a process that imports what it imports; median differences in seconds."""
    if size == "small":
        # A fork has imported everything already.
        return _medians(run, sides, repeats=repeats)
    with tempfile.TemporaryDirectory() as folder:
        beside: dict[str, Side] = {}
        for name, (home, arguments) in sides.items():
            # A fixed list of modules would take off what a side has learnt to do without.
            path = str(Path(folder, name))
            run.run("-c", _LIST, path, *arguments(repeats + 1)[1:], home=home)
            beside |= {name: (home, arguments), f"imports of {name}": (home, _importing(path))}
        seconds = _medians(run, beside, repeats=repeats)
    return {name: seconds[name] - seconds[f"imports of {name}"] for name in sides}


def _importing(path: str) -> Callable[[int], Sequence[str]]:
    return lambda _: ("-c", _IMPORT, path)


def _medians(run: Commands, sides: dict[str, Side], *, repeats: int) -> dict[str, float]:
    """Run the sides in turn, again and again; median wall seconds of whole processes."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(1, repeats + 1):
        for name, (home, arguments) in sides.items():
            taken[name].append(run.run(*arguments(repeat), home=home).seconds)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}
