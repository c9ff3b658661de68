"""A sweep that is finished already, from its start to its end: against the imports that such an answer needs.

Needed are what composes (Hydra, OmegaConf), NumPy, and those modules of ours that the sweep has imported at its end.
Libraries that make a store, draw or compute are not (`NOT_NEEDED`). Seconds are the processor's; no import compiles.
"""

from __future__ import annotations

import json
import math
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import Row, Size
from benchmarks.processes import Processes, Spent, commands

REPEATS = 5
SWEEP = ("-m", "pipeline", "sweep")
NEEDED = (
    "hydra",
    "omegaconf",
    "numpy",
    # Hydra imports them when it composes.
    "hydra._internal.hydra",
    "hydra._internal.config_loader_impl",
    "hydra.core.override_parser.overrides_parser",
)
STAGES = ("importing", "composing and checking the cells", "looking them up in the store", "showing the table")
NOT_NEEDED = (
    *("mlflow", "sqlalchemy", "alembic", "pandas", "pyarrow", "matplotlib", "sklearn", "rich", "requests", "fastapi"),
    *("scipy.special", "scipy.stats", "scipy.optimize"),
)
_PEER = "import hydra, matplotlib.pyplot, mlflow, sklearn"
# Runs a module as -m does. Imports are timed where a module's code is executed, the outermost of them alone; the store
# is looked up from the first connection to SQLite to the last file that is opened among the artifacts.
_NOTED = """
import atexit, importlib._bootstrap_external as external, json, pathlib, runpy, sys, time
path, not_needed, module = sys.argv[1], sys.argv[2].split(","), sys.argv[3]
sys.argv[:] = sys.argv[3:]
clock, imported, depth, marks = time.process_time, 0.0, 0, {}
start = clock()
def timed(execute):
    def wrapped(*arguments):
        global imported, depth
        depth += 1
        began = clock()
        try:
            return execute(*arguments)
        finally:
            depth -= 1
            if not depth:
                imported += clock() - began
    return wrapped
external.SourceFileLoader.exec_module = timed(external.SourceFileLoader.exec_module)
external.ExtensionFileLoader.create_module = timed(external.ExtensionFileLoader.create_module)
external.ExtensionFileLoader.exec_module = timed(external.ExtensionFileLoader.exec_module)
def note(event, arguments):
    if event == "sqlite3.connect":
        marks.setdefault("asked", (clock(), imported))
    elif event == "open" and "/artifacts/" in str(arguments[0]):
        marks["answered"] = (clock(), imported)
sys.addaudithook(note)
@atexit.register
def save():
    at = [(start, 0.0), marks["asked"], marks["answered"], (clock(), imported)]
    own = [(b - a) - (there - here) for (a, here), (b, there) in zip(at, at[1:])]
    ours = [name for name in sys.modules if name.startswith("pipeline.") and name != "pipeline.__main__"]
    loaded = [name for name in not_needed if name in sys.modules]
    found = {"seconds": [imported, *own], "loaded": loaded, "ours": ours}
    pathlib.Path(path).write_text(json.dumps(found))
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""


def rows(size: Size) -> Iterator[Row]:
    """Yield the ratio of the whole, then those of its stages, all against the imports that are needed."""
    prepared = commands(size)
    with tempfile.TemporaryDirectory() as folder:
        home, noted = Path(folder, "mlruns"), Path(folder, "noted.json")
        home.mkdir()
        # Here imports are what is measured: no forks.
        run = Processes(None if size == "small" else Path(folder, "bytecode"))
        if size == "small":
            prepared.prepare(home)
        sweep = (*SWEEP, "batch_size=10", "draws=20") if size == "small" else SWEEP
        prepared.run(*sweep, home=home)
        noting = ("-c", _NOTED, str(noted), ",".join(NOT_NEEDED), *sweep[1:])
        whole, needed, stages, found = [], [], [], {}
        for _ in range(1 if size == "small" else 1 + REPEATS):
            spent = run.run(*noting, home=home)
            found = json.loads(noted.read_text(encoding="utf-8"))
            imports = run.run("-c", f"import {', '.join((*NEEDED, *found['ours']))}", home=home)
            # The small form has one process less: the noted one is the measured one.
            whole.append((spent if size == "small" else run.run(*sweep, home=home)).cpu)
            needed.append(imports.cpu)
            stages.append(found["seconds"])
        if size != "small":
            # The first round compiles.
            whole, needed, stages = whole[1:], needed[1:], stages[1:]
    yield from _ratios(statistics.median(whole), statistics.median(needed), stages, found)
    yield from _against_imports(size)


def _against_imports(size: Size) -> Iterator[Row]:
    """A sweep from an empty store, and the same again, in turn with the imports that a person would think of."""
    taken: dict[str, list[Spent]] = {"peer": [], "empty": [], "finished": []}
    sweep = (*SWEEP, "batch_size=10", "draws=20") if size == "small" else SWEEP
    for repeat in range(1 if size == "small" else 1 + REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            run, home = Processes(), Path(folder)
            spent = {"peer": run.run("-c", _PEER, home=home)}
            for side in ("empty", "finished"):
                spent[side] = run.run(*sweep, home=home)
        # The first round compiles.
        if repeat or size == "small":
            for side, own in spent.items():
                taken[side].append(own)
    for side, target in (("empty", 1.1), ("finished", 0.7)):
        what = "from an empty store" if side == "empty" else "with everything finished"
        for kind, field in (("time", "seconds"), ("time of the processor", "cpu")):
            ours, peer = (statistics.median(getattr(own, field) for own in taken[each]) for each in (side, "peer"))
            claim = (
                f"sweep of digits {what}, {kind}: {ours:.2f} s / importing Hydra, MLflow, scikit-learn and Matplotlib"
            )
            yield Row(f"{claim}: {peer:.2f} s", ours / peer, target)


def _ratios(whole: float, needed: float, stages: list[list[float]], found: dict[str, list[str]]) -> Iterator[Row]:
    what = "sweep of digits, all cells finished already"
    peer = f"importing Hydra, NumPy and the {len(found['ours'])} modules of ours that it takes"
    yield Row(f"{what}: {whole:.2f} s / {peer}: {needed:.2f} s", whole / needed, 1.3)
    for i, stage in enumerate(STAGES):
        more = f", with {', '.join(found['loaded'])}, which it does not need" if i == 0 and found["loaded"] else ""
        yield Row(f"  of that {stage}{more}", statistics.median(each[i] for each in stages) / needed, math.nan)
