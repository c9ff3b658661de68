"""What became of a sweep's cells, a small file each in the sweep's folder, which every launcher shares."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline import files

_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes
    ----------
    cell : str
        Its overrides, as the user gave them.
    digest : str
        See `cell_digest`.
    status : str
        ``finished``, ``failed``, ``refused`` (the request was wrong) or ``kept`` (the store did not take the result).
    message : str
        One line; empty where it is finished.
    """

    cell: str
    digest: str
    status: str
    message: str = ""


def write(folder: Path, number: int, outcome: Outcome) -> None:
    """Write the outcome of cell `number` of the launch."""
    content = json.dumps(asdict(outcome)).encode()
    files.write_beside(_place(folder) / f"{number}.json", lambda file: file.write(content))


def _place(folder: Path) -> Path:
    return folder / "outcomes"


class Watch:
    """Tell of outcomes as they come, from a thread, whatever process the cells run in.

    Parameters
    ----------
    folder : Path
        The sweep's.
    tell : callable
        Is given each outcome once.
    """

    def __init__(self, folder: Path, tell: Callable[[Outcome], None]) -> None:
        self._folder, self._tell = _place(folder), tell
        self.seen: dict[str, Outcome] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look a last time, and end."""
        self._is_over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._is_over.wait(_SECONDS_BETWEEN_LOOKS):
            self._look()

    def _look(self) -> None:
        # The temporary files of those that are being written begin with a dot.
        for path in sorted(self._folder.glob("[0-9]*.json")) if self._folder.is_dir() else []:
            if path.name not in self.seen:
                self.seen[path.name] = Outcome(**json.loads(path.read_text(encoding="utf-8")))
                self._tell(self.seen[path.name])
