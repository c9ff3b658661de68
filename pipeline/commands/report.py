"""Write the report of a run, to be sent: report.html, one file with its pictures, and report.md, for a comment.

python -m pipeline report [run=ID] [to=FOLDER] [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .. import config, errors
from ..cell.recorded import page_of
from ..cell.report import HTML, MARKDOWN, texts
from ..errors import BadInput
from ..experiment import Experiment
from ..report import terminal
from ..runtime import files
from ..runtime.places import refuse_unwritable_folder, written_for
from ..tracking.store import Store
from . import arguments
from .which_run import NEWEST, find

if TYPE_CHECKING:
    from mlflow.entities import Run


def main(given: Sequence[str]) -> int:
    """Write the files and print where they are; return 0, or 1 if writing failed, or 2 if the request was wrong."""
    try:
        own, tracking = arguments.read(given, ("run", "to"))
        to = _checked(own["to"]) if own.get("to") else None
        store = tracking.open()
        run = find(store, own.get("run") or NEWEST)
        paths = write(store, run, to)
    except Exception as given_error:
        error = config.in_words(given_error)
        if errors.WANTS_TRACEBACK or not (config.is_plain(error) or isinstance(error, OSError)):
            raise
        terminal.error(config.one_line(error))
        return 2 if config.is_request_error(error) else 1
    what = "sweep" if run.data.tags.get("kind") == "sweep" else "run"
    listed = "\n".join(f"    {path}" for path in paths)
    terminal.say(f"The report of the {what} {run.info.run_name!r} is in\n{listed}")
    terminal.run_line(str(run.info.run_id))
    return 0


def _checked(to: str) -> Path:
    path = files.in_existing_folder(to, "to=FOLDER")
    if path.exists() and not path.is_dir():
        raise BadInput(f"to=FOLDER must name a folder; found the file {path}: write to={path.parent}")
    refuse_unwritable_folder(path, "to=FOLDER")
    return path


def write(store: Store, run: Run, to: Path | None) -> list[Path]:
    """Write the report that was logged with a run, or make one of what was logged.

    Parameters
    ----------
    store : Store
        The store that holds the run.
    run : Run
        A sweep, one of its cells, or a run alone.
    to : Path or None
        The folder; None is one named after the run in ``mlruns/exports``.

    Returns
    -------
    list of Path
        The two files.
    """
    run_id = str(run.info.run_id)
    what = "sweep" if run.data.tags.get("kind") == "sweep" else "run"
    folder = to or files.mlruns() / "exports" / f"{what}-{run_id}"
    if {HTML, MARKDOWN} <= set(store.files(run_id)):
        found = {name: store.read_file(run_id, name) for name in (HTML, MARKDOWN)}
    else:
        made = texts(page_of(store, run, lambda cell: _experiment_of(store, cell)))
        found = {name: text.encode() for name, text in made.items()}
    with written_for("to=FOLDER", to) if to else nullcontext():
        for name, content in found.items():
            files.write_beside(folder / name, partial(_put, content))
    return [folder / name for name in found]


def _put(content: bytes, file: BinaryIO) -> None:
    file.write(content)


def _experiment_of(store: Store, cell: str) -> Experiment | None:
    """Return the experiment of a cell; None where its configuration has keys that are no longer known."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config.yaml").write_bytes(store.read_file(cell, "config.yaml"))
        try:
            return config.load(Path(folder))
        except Exception as error:
            if not config.is_request_error(error):
                raise
            return None
