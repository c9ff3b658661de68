"""Pack a run into one archive: its tables, plots and configuration; of a sweep, those of every cell too.

python -m pipeline export [run=ID] [to=FILE.zip] [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from .. import config, errors
from ..errors import BadInput
from ..report import terminal
from ..report.words import counted, in_words
from ..runtime import files
from ..runtime.places import refuse_unwritable_folder, written_for
from ..tracking.store import Store
from . import arguments
from .which_run import NEWEST, find

if TYPE_CHECKING:
    from mlflow.entities import Run

# A fixed date, so that the same run always gives the same archive.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Packed:
    """An archive that was written.

    Attributes
    ----------
    path : Path
        The archive.
    run_id, name, kind : str
        The run's id, its name, and its kind, ``sweep`` or ``cell``.
    own : list of str
        The names of the run's own files.
    n_cells, n_files : int
        The cells of a sweep, and the files in the archive, those of the cells included.
    """

    path: Path
    run_id: str
    name: str
    kind: str
    own: list[str]
    n_cells: int
    n_files: int

    def __str__(self) -> str:
        """Say what is in the archive."""
        what = "sweep" if self.kind == "sweep" else "run"
        cells = f" with its {counted(self.n_cells, 'cell')}" if self.kind == "sweep" else ""
        rest = self.n_files - len(self.own)
        more = f", and {counted(rest, 'file')} of the cells" if rest else ""
        names = in_words(self.own) if self.own else "no file of its own"
        return f"The {what} {self.name!r}{cells} is packed: {names}{more}, in\n    {self.path}"


def main(given: Sequence[str]) -> int:
    """Pack a run and print what was packed; return 0, or 1 if writing failed, or 2 if the request was wrong."""
    try:
        own, tracking = arguments.read(given, ("run", "sweep", "to"))
        if {"run", "sweep"} <= own.keys():
            raise BadInput("one run is packed at a time; found both run=… and sweep=…: give run=… alone")
        to = _checked(own["to"]) if own.get("to") else None
        store = tracking.open()
        packed = export(store, find(store, own.get("run") or own.get("sweep") or NEWEST), to)
    except Exception as given_error:
        error = config.in_words(given_error)
        if errors.WANTS_TRACEBACK or not (config.is_plain(error) or isinstance(error, OSError)):
            raise
        terminal.error(config.one_line(error))
        return 2 if config.is_request_error(error) else 1
    terminal.say(str(packed))
    terminal.run_line(packed.run_id)
    return 0


def _checked(to: str) -> Path:
    path = files.in_existing_folder(to, "to=FILE")
    if path.is_dir():
        raise BadInput(f"to=FILE must name the archive; found the folder {path}: write to={path / 'run.zip'}")
    refuse_unwritable_folder(path.parent, "to=FILE")
    return path


def export(store: Store, run: Run, to: Path | None) -> Packed:
    """Write the archive under a temporary name and move it into place.

    Parameters
    ----------
    store : Store
        The store that holds the run.
    run : Run
        A sweep, one of its cells, or a run alone.
    to : Path or None
        The archive; None is a file named after the run in ``mlruns/exports``.

    Returns
    -------
    Packed
        What is in the archive.
    """
    run_id, kind = str(run.info.run_id), run.data.tags.get("kind", "run")
    path = to or files.mlruns() / "exports" / f"{'sweep' if kind == 'sweep' else 'run'}-{run_id}.zip"
    own = store.files(run_id)
    content = {name: (run_id, name) for name in own}
    cells = [str(cell.info.run_id) for cell in store.children(run_id)]
    for cell in cells:
        content |= {f"cells/{cell}/{name}": (cell, name) for name in store.files(cell)}

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (owner, artifact) in sorted(content.items()):
                archive.writestr(zipfile.ZipInfo(name, _DATE), store.read_file(owner, artifact), zipfile.ZIP_DEFLATED)

    with written_for("to=FILE", to) if to else nullcontext():
        files.write_beside(path, write)
    return Packed(path, run_id, str(run.info.run_name), kind, own, len(cells), len(content))
