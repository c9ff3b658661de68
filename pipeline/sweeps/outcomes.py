"""The outcomes of a sweep's cells: one small JSON file per cell in the sweep's folder.

Workers report by files because every launcher shares the folder, while each passes results back in its own way.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path

from ..runtime import files

# The file that tells the workers what they must know; see `pipeline.sweeps.run`.
LAUNCH = "launch.json"
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Outcome:
    """The outcome of one cell.

    Attributes
    ----------
    cell : str
        The cell's overrides, as the user gave them.
    digest : str
        See `cell_digest`.
    status : str
        ``finished``, ``failed``, ``refused`` (the request was wrong), ``changed`` (what it evaluates is not what it was
        when the sweep was started) or ``kept`` (the store did not accept the result, which is kept on disk).
    message : str
        One line; empty if the cell finished.
    """

    cell: str
    digest: str
    status: str
    message: str = ""


def write(folder: Path, number: int, outcome: Outcome) -> None:
    """Write the outcome of cell `number` of the launch."""
    content = json.dumps(asdict(outcome)).encode()
    files.write_beside(_subfolder(folder) / f"{number}.json", lambda file: file.write(content))


def _subfolder(folder: Path) -> Path:
    return folder / "outcomes"


class OutcomeWatcher:
    """Report outcomes as their files appear, from a background thread.

    Parameters
    ----------
    folder : Path
        The sweep's folder.
    report : callable
        Called once with each outcome.
    """

    def __init__(self, folder: Path, report: Callable[[Outcome], None]) -> None:
        self._folder, self._report = _subfolder(folder), report
        self._seen: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and report what came since its last look."""
        self._stopped.set()
        self._thread.join()
        self._read_new()

    def _watch(self) -> None:
        while not self._stopped.wait(_POLL_SECONDS):
            self._read_new()

    def _read_new(self) -> None:
        # The names of unfinished temporary files begin with a dot, so the pattern leaves them out.
        there = set(os.listdir(self._folder)) if self._folder.is_dir() else set()
        # Only what is new is looked at: of thousands of cells most have been reported.
        for name in sorted(name for name in there - self._seen if fnmatch(name, "[0-9]*.json")):
            outcome = Outcome(**json.loads((self._folder / name).read_text(encoding="utf-8")))
            self._seen.add(name)
            self._report(outcome)
