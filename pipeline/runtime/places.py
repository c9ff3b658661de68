"""Places outside ``mlruns`` that an option names for output: tried before the work, and named when they fail."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import BadInput, Failed, brief
from . import files


def refuse_unwritable_folder(folder: Path, option: str) -> None:
    """Refuse a folder that cannot be made or written to. It is tried, and nothing is left behind.

    Parameters
    ----------
    folder : Path
        Absolute; it need not be there yet.
    option : str
        What names it, such as ``study.output``.

    Raises
    ------
    BadInput
        If no file can be written there.
    """
    try:
        above = next(path for path in (folder, *folder.parents) if _is_there(path))
        if not above.is_dir():
            raise BadInput(f"{option} must be a folder, or one that can be made; found a file at {above}: name another")
        # Of a folder that is still to be made the nearest one above is tried, so that it is made by a result alone.
        with tempfile.TemporaryDirectory(prefix=".batchscope-", dir=above) as tried:
            Path(tried, "file").write_bytes(b"tried")
    except OSError as error:
        raise _unwritable(folder, option, error) from error


@contextmanager
def written_for(option: str, place: Path) -> Iterator[None]:
    """Return a context in which a failed write names the option that asked for it; other errors pass.

    Parameters
    ----------
    option : str
        Such as ``study.output``.
    place : Path
        What it names.

    Raises
    ------
    BadInput, Failed
        If a file cannot be written: a full disk is a failure, a closed one a wrong request.
    """
    try:
        yield
    except OSError as error:
        # What is read meanwhile may fail too, and then this place is not to blame.
        is_here = files.is_around(error.filename, place) or files.is_around(error.filename, place.parent)
        if not (is_here or (error.filename is None and error.errno in (*files.FULL, *files.CLOSED))):
            raise
        raise _unwritable(place, option, error) from error


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _unwritable(place: Path, option: str, error: OSError) -> BadInput | Failed:
    found = f"found: {error.strerror or error} ({brief(place)})"
    if error.errno in files.FULL:
        return Failed(f"{option} must name a place with room; {found}: make room, or name another, and start again")
    return BadInput(f"{option} must name a place that can be written to; {found}: name another")
