"""A sweep as one archive: its table, its plots, and what each cell was made from.

python -m pipeline.export [sweep=ID] [to=FILE.zip] [tracking.uri=…] [tracking.experiment=…]
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pipeline import arguments, config, files, report
from pipeline.errors import BadInput
from pipeline.tracking import Store

# The same archive for the same sweep: no clock in it.
_DATE = (1980, 1, 1, 0, 0, 0)


def main(given: Sequence[str]) -> int:
    """Pack a sweep and say where the archive is; 0 done, 2 the request was wrong."""
    try:
        own, tracking = arguments.read(given, ("sweep", "to"))
        path, n_files = export(tracking.open(), own.get("sweep") or None, Path(own["to"]) if own.get("to") else None)
    except Exception as error:
        if report.WANTS_TRACEBACK or not (config.is_request_error(error) or isinstance(error, OSError)):
            raise
        report.error(config.one_line(error))
        return 2 if config.is_request_error(error) else 1
    report.say(f"{n_files} files are in\n    {path}")
    return 0


def export(store: Store, run_id: str | None, to: Path | None) -> tuple[Path, int]:
    """Write the archive, beside and moved.

    Parameters
    ----------
    store : Store
        Where the sweep is.
    run_id : str or None
        The sweep's parent run; None is the newest.
    to : Path or None
        The archive; None is a file named after the sweep in ``mlruns/exports``.

    Returns
    -------
    path, n_files
        Where it is, and how many files are in it.

    Raises
    ------
    BadInput
        If there is no such sweep.
    """
    parent = store.newest_sweep() if run_id is None else store.run(run_id)
    if parent is None:
        raise BadInput("there must be a sweep to pack; found none in this store: make sweep")
    if parent.data.tags.get("kind") != "sweep":
        raise BadInput(f"sweep={run_id} must be a sweep's parent run; found a {parent.data.tags.get('kind', 'run')}")
    run_id = str(parent.info.run_id)
    path = to or files.mlruns() / "exports" / f"sweep-{run_id}.zip"
    content = {name: (run_id, name) for name in store.files(run_id)}
    for cell in store.children(run_id):
        own = str(cell.info.run_id)
        content |= {f"cells/{own}/{name}": (own, name) for name in store.files(own)}

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, (owner, artifact) in sorted(content.items()):
                archive.writestr(zipfile.ZipInfo(name, _DATE), store.read_file(owner, artifact), zipfile.ZIP_DEFLATED)

    files.write_beside(path.expanduser().absolute(), write)
    return path, len(content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
