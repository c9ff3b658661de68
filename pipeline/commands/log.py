"""`log`: a result of Python, as the run in MLflow that the command makes of the same rows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ..errors import BadInput, Failed
from ..runtime import files
from ..scoring.held_table import HeldTable

# The exit status of a request that was wrong.
_REFUSED = 2


class Recordable(Protocol):
    """A result that knows which request to the command line gives it."""

    @property
    def request(self) -> Mapping[str, Any]:
        """The options by key; empty where no command gives this result."""


def log(answer: Recordable, *, uri: str | None = None, experiment: str | None = None) -> str:
    """Log a result to MLflow: the command is carried out on the same rows, and makes its run.

    So the run has all that a run of the command has (configuration, digest, tables, pictures, report), and can be
    repeated. Files are read once more; arrays and DataFrames are first written to ``mlruns/data/``, as Parquet files
    in folders that are called by their content. ``log=True`` of the functions does the same.

    Parameters
    ----------
    answer : Estimates, Comparison, Verdict, SizePlan or Sweep
        A result.
    uri, experiment : str or None
        The store and the experiment, ``tracking.uri`` and ``tracking.experiment``; None is the command's own default,
        ``mlruns/`` of the checkout or of the folder where Python was started.

    Returns
    -------
    str
        The run's id; of a sweep that of its parent run.

    Raises
    ------
    BadInput
        If no command makes this result: rows that were evaluated as needed, a pilot, or columns of two tables that are
        called by different names; or the store does not answer.

    Examples
    --------
    >>> import pipeline as bs
    >>> bs.log(bs.until(lambda rows: {"loss": 0.0 * rows}, 100, metrics=["loss"]))
    Traceback (most recent call last):
        ...
    pipeline.errors.BadInput: a result must be one that a command makes to be logged; found a Stopped ...
    """
    asked = dict(getattr(answer, "request", {}))
    if not asked:
        raise BadInput(
            f"a result must be one that a command makes to be logged; found a {type(answer).__name__} of rows that "
            "were evaluated as needed, of a pilot, or of columns that a file or another table has not: give bs.scores "
            "arrays, DataFrames or files whose columns are called alike"
        )
    asked = {key: _on_disk(value) for key, value in _told_apart(asked).items()}
    asked |= {key: value for key, value in (("tracking.uri", uri), ("tracking.experiment", experiment)) if value}
    if isinstance(asked.get("batch_size"), list):
        return _swept(asked)
    # Here, for nothing else in Python needs Hydra and MLflow.
    from .. import config
    from ..cell.run import run_alone
    from ..report import terminal
    from ..runtime import command_line

    overrides = _overrides(asked)
    command_line.remember(None, overrides)
    run_id, _ = run_alone(config.composed(overrides), terminal.note)
    return run_id


def _overrides(asked: Mapping[str, Any]) -> list[str]:
    return [f"{key}={written(value)}" for key, value in asked.items()]


def _swept(asked: Mapping[str, Any]) -> str:
    """Carry out a sweep in a process of its own, for Hydra takes hold of the whole process, and find its parent run."""
    from .. import config
    from .which_run import find

    alone = {key: value for key, value in asked.items() if key != "batch_size"}
    store = config.composed(_overrides(alone)).tracking.open()
    sizes = f"batch_size={','.join(map(str, asked['batch_size']))}"
    package = Path(__file__).resolve().parents[1]
    paths = filter(None, [str(package.parent), os.environ.get("PYTHONPATH")])
    done = subprocess.run(
        [sys.executable, "-m", package.name, "--multirun", *_overrides(alone), sizes],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "BATCHSCOPE_MLRUNS": str(files.mlruns())},
    )
    found = re.findall(r"^run ([0-9a-f]+)$", done.stdout, re.MULTILINE)
    if done.returncode or not found:
        said = done.stderr.strip().splitlines() or ["no reason was given"]
        raise (BadInput if done.returncode == _REFUSED else Failed)(said[-1])
    return str(find(store, found[-1]).info.run_id)


def _told_apart(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Call two tables in memory by their part, where both are called alike, as the functions do."""
    first, second = asked.get("data.path"), asked.get("study.against")
    if not isinstance(first, HeldTable) or not isinstance(second, HeldTable) or first.name != second.name:
        return dict(asked)
    parts = {"data.path": replace(first, name="baseline"), "study.against": replace(second, name="candidate")}
    return {**asked, **parts}


def _on_disk(value: Any) -> Any:
    """Write a table in memory to where the command can read it, and return its path; anything else as it is."""
    if not isinstance(value, HeldTable):
        return value
    try:
        return value.write(files.mlruns() / "data")
    except OSError as error:
        if not files.is_unwritable(error):
            raise
        raise files.unwritable(error) from error


def written(value: Any) -> str:
    r"""Write a value in Hydra's grammar of overrides.

    Examples
    --------
    >>> print(written(None), written(0.5), written(["loss"]), written("it's \\ here"))
    null 0.5 ['loss'] 'it\'s \ here'
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{','.join(map(written, value))}]"
    if not isinstance(value, str):
        return repr(value)
    # Only backslashes before a quote, or at the end, are doubled.
    parts = value.split("'")
    ended = [part + "\\" * (len(part) - len(part.rstrip("\\"))) for part in parts]
    return "'" + "\\'".join(ended) + "'"
