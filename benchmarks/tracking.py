"""What a sweep costs beside its work: logging, starting again, and what a second process gains."""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.bare import make_store
from benchmarks.scoring import DATA, Row, median_seconds
from benchmarks.sweep import ROOT
from pipeline.package import Log, write
from pipeline.tracking import Store, Tracking

CELLS = 40
DRAWS = 20_000
FINISHED_CELLS = 100
HEAVY_CELLS = 8
REPEATS = 3
LOG_REPEATS = 21
# A minute and more each: what disturbs a machine for a moment does not count.
HEAVY_REPEATS = 1
_BOOK = (f"data.root={DATA / 'mnist'}", "model=npz", f"model.path={DATA / 'book_network' / 'weights.npz'}")
_CELLS = f"range({HEAVY_CELLS})"
# One process needs some 20 seconds for a cell of either kind: each worker pays seven for its imports.
# Forward passes have threads on all cores already.
_HEAVY = {
    "heavy in statistics": (("study=coverage", "batch_size=300", "draws=50000", f"seed={_CELLS}"), 1 / 1.7),
    "heavy in forward passes": (
        ("data=mnist", "data.split=train", *_BOOK, "study=landscape", "study/direction=random", "study.points=151",
         f"study.direction.index={_CELLS}"),
        1.0,
    ),
}  # fmt: skip

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


def rows() -> list[Row]:
    """Claim, measured ratio, and what it may be at most; ``nan`` is measured where the joblib launcher is missing."""
    return [*_small_cells(), *_many_draws(), *_two_workers(), _finished_sweep()]


def _small_cells() -> list[Row]:
    """A sweep of cells with next to no work against its peers, all without their imports."""
    with tempfile.TemporaryDirectory() as folder:
        home, bare, record = Path(folder, "ours"), Path(folder, "bare"), Path(folder, "record.json")
        bare.mkdir()
        _run(*_sweep(CELLS, seed=0), home=home)  # Brings the store up and trains the network.
        record.write_text(json.dumps(recorded(home)), encoding="utf-8")
        mlflow = ("-m", "benchmarks.bare", "mlflow", str(record), str(bare))
        _run(*mlflow, "whole", home=bare)
        seconds = _medians_without_imports(
            {
                # Another seed each time: what is finished would not be carried out again.
                "ours": (home, lambda seed: _sweep(CELLS, seed=seed)),
                "jobs": (bare, lambda seed: ("-m", "benchmarks.bare", "hydra", *_sweep(CELLS, seed=seed)[2:])),
                "values": (bare, lambda _: (*mlflow, "values")),
                "whole": (bare, lambda _: (*mlflow, "whole")),
            }
        )
    ours, jobs, values, whole = (seconds[side] for side in ("ours", "jobs", "values", "whole"))
    what = f"sweep of {CELLS} cells with next to no work"
    return [
        (
            f"{what} / {CELLS} bare MLflow runs with its metrics + {CELLS} empty Hydra jobs",
            ours / (values + jobs),
            1.5,
        ),
        (f"{what} / the same, with its tags, its files' sizes and the sweep's run", ours / (whole + jobs), 1.5),
    ]


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


def _many_draws() -> list[Row]:
    """A log straight into the store, and by way of a package, as a cell does it, against what no way can do without."""
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, BATCHSCOPE_MLRUNS=folder):
        home = Path(folder)
        _run("-m", "pipeline", f"draws={DRAWS}", home=home)
        seconds = _log_seconds(home, Tracking().open())
    what, peer = f"{DRAWS:,} draws and their metrics", "one Parquet file and one log_batch"
    return [
        (f"{what} logged / {peer}", seconds["log"] / seconds["peer"], 1.2),
        (f"{what} kept, delivered and ended, as of a cell / {peer}", seconds["cell"] / seconds["peer"], 1.2),
    ]


def _log_seconds(home: Path, store: Store) -> dict[str, float]:
    client, found = _client(home), recorded(home)[0]
    by_step = {key for key, _, step in found["metrics"] if step}
    log = Log(
        metrics={key: value for key, value, _ in found["metrics"] if key not in by_step},
        series=[(key, value, step) for key, value, step in found["metrics"] if key in by_step],
        tables={"draws.parquet": store.read_table(found["run_id"], "draws.parquet")},
    )
    bare_id = make_store(client, home / "bare")
    # Made beforehand, and each used once: a run that has a metric already is asked for it first.
    ours = iter([store.start("ours", kind="cell") for _ in range(LOG_REPEATS)])
    bare = iter([client.create_run(bare_id).info.run_id for _ in range(LOG_REPEATS)])
    return median_seconds(
        {
            "log": lambda: store.log(next(ours), log),
            "cell": lambda: store.deliver(write("bench", _told(store), log)),
            "peer": lambda: _log_bare(client, next(bare), log, home / "bare.parquet"),
        },
        repeats=LOG_REPEATS,
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


def _two_workers() -> list[Row]:
    """Two joblib workers against one process, whole, with all imports."""
    is_there = importlib.util.find_spec("hydra_plugins.hydra_joblib_launcher") is not None
    return [
        (f"{HEAVY_CELLS} cells {kind}: joblib on 2 cores / basic", _joblib(cells) if is_there else float("nan"), target)
        for kind, (cells, target) in _HEAVY.items()
    ]


def _joblib(cells: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _run(*_sweep(1, seed=0), home=home)  # Brings the store up and trains the network.
        command = ("-m", "pipeline", "--multirun", "force=true", *cells)
        sides: dict[str, Side] = {
            "basic": (home, lambda _: command),
            "joblib": (home, lambda _: (*command, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")),
        }
        seconds = _medians(sides, repeats=HEAVY_REPEATS)
    return seconds["joblib"] / seconds["basic"]


def _finished_sweep() -> Row:
    """The same sweep a second time, without its imports; it must make no run."""
    with tempfile.TemporaryDirectory() as folder:
        home, sweep = Path(folder), _sweep(FINISHED_CELLS, seed=0)
        _run(*sweep, home=home)
        before = len(_runs(_client(home)))
        seconds = _medians_without_imports({"again": (home, lambda _: sweep)}, repeats=5)
        more = len(_runs(_client(home))) - before
        if more:
            raise RuntimeError(f"a finished sweep must make no run; found {more} more")
    return (f"a finished sweep of {FINISHED_CELLS} cells again, without imports / 3 s", seconds["again"] / 3, 1.0)


def _medians_without_imports(sides: dict[str, Side], *, repeats: int = REPEATS) -> dict[str, float]:
    """Run the sides in turn, each beside a process that imports what it imports; median differences in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        beside: dict[str, Side] = {}
        for name, (home, arguments) in sides.items():
            # A fixed list of modules would take off what a side has learnt to do without.
            path = str(Path(folder, name))
            _run("-c", _LIST, path, *arguments(repeats + 1)[1:], home=home)
            beside |= {name: (home, arguments), f"imports of {name}": (home, _importing(path))}
        seconds = _medians(beside, repeats=repeats)
    return {name: seconds[name] - seconds[f"imports of {name}"] for name in sides}


def _importing(path: str) -> Callable[[int], Sequence[str]]:
    return lambda _: ("-c", _IMPORT, path)


def _medians(sides: dict[str, Side], *, repeats: int = REPEATS) -> dict[str, float]:
    """Run the sides in turn, again and again; median wall seconds of whole processes."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for repeat in range(1, repeats + 1):
        for name, (home, arguments) in sides.items():
            taken[name].append(_run(*arguments(repeat), home=home))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def _run(*arguments: str, home: Path) -> float:
    """Run Python to its end; wall seconds."""
    environment = {**os.environ, "BATCHSCOPE_MLRUNS": str(home), "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
    return time.perf_counter() - start
