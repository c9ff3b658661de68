"""Find the run that a person names: by its id, by the first characters of it, or as the newest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import BadInput, brief
from ..report.words import SHORT_ID
from ..runtime import files

if TYPE_CHECKING:
    from mlflow.entities import Run

    from ..tracking.store import Store

NEWEST = "newest"


def find(store: Store, text: str) -> Run:
    """Return the run that `text` names, of any kind: a sweep, one of its cells, or a run alone.

    Parameters
    ----------
    store : Store
        Where to look.
    text : str
        A run's id (32 hexadecimal digits), at least its first 8, or ``newest``: the run that was started last, where
        a sweep counts as one run.

    Raises
    ------
    BadInput
        If the text names no run, or several.
    """
    wanted = text.strip().lower()
    if wanted == NEWEST:
        run = store.newest()
        if run is None:
            raise BadInput(f"there must be a run; found none in this store: {files.command('sweep')}")
        return run
    if not re.fullmatch(rf"[0-9a-f]{{{SHORT_ID},32}}", wanted):
        raise BadInput(
            f"a run must be named by its id, by at least {SHORT_ID} characters of its beginning, or as {NEWEST}; found "
            f"{brief(text)!r}: every command ends with the id of its run"
        )
    if len(wanted) == 32:
        return store.run(wanted)
    found = store.beginning(wanted)
    if len(found) > 1:
        raise BadInput(f"a run's id must be unique; found {len(found)} that begin with {wanted}: give more of it")
    return found[0] if found else store.run(wanted)
