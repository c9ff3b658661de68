"""The one progress bar: what is done, how fast, and the time that is left, on standard error."""

from __future__ import annotations

import sys
import threading
import time
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import printable

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import ProgressColumn

# Work that ends sooner shows no bar.
SILENT_SECONDS = 1.0
_shown: list[Bar] = []


class Bar:
    """A progress bar on standard error; silent where that is no terminal. Used as a context manager.

    Parameters
    ----------
    what : str
        Stands before the bar.
    total : float or None
        How much there is to do; None until it is known.
    unit : str
        What is counted: ``rows`` and ``bytes`` have a rate beside them, another unit its count; without one the bar
        shows a percentage.
    done : float
        How much was done before.
    at_once : bool
        Whether the bar is shown from the start, and not only once the work has taken a second.
    yields : bool
        Whether the bar stays hidden while another one of this process is shown.
    """

    def __init__(
        self,
        what: str,
        total: float | None = None,
        *,
        unit: str = "",
        done: float = 0,
        at_once: bool = False,
        yields: bool = False,
    ) -> None:
        self._what, self._total, self._unit, self._done = printable(what), total, unit, done
        self._at_once, self._yields = at_once, yields
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Bar:
        self._started, self._before = time.perf_counter(), self._done
        self._is_shown = sys.stderr.isatty() and not (self._yields and is_another_shown())
        if self._at_once:
            self._redraw()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            _shown.remove(self)

    def advance(self, n: float = 1) -> None:
        """Count `n` more as done; may be called from any thread."""
        with self._lock:
            self._done += n
            self._redraw()

    def update(self, done: float, total: float) -> None:
        """Set how much is done, and of how much; may be called from any thread."""
        with self._lock:
            self._done, self._total = done, total
            self._redraw()

    def _redraw(self) -> None:
        seconds = time.perf_counter() - self._started
        if not self._is_shown or (not self._at_once and seconds < SILENT_SECONDS):
            return
        if self._bar is None:
            from rich.progress import Progress

            self._bar = Progress(*_columns(self._unit), console=console(), transient=True)
            self._task = self._bar.add_task(self._what, total=self._total, completed=self._before, rate="")
            self._bar.start()
            _shown.append(self)
        rate = (self._done - self._before) / seconds if seconds > 0 else 0.0
        self._bar.update(self._task, completed=self._done, total=self._total, rate=_brief(rate))


def _columns(unit: str) -> list[ProgressColumn]:
    from rich import progress

    amount: list[ProgressColumn]
    if unit == "bytes":
        amount = [progress.DownloadColumn(), progress.TransferSpeedColumn()]
    elif unit == "rows":
        amount = [progress.TaskProgressColumn(), progress.TextColumn("{task.fields[rate]} rows/s")]
    elif unit:
        amount = [progress.MofNCompleteColumn(), progress.TextColumn(unit), progress.TimeElapsedColumn()]
    else:
        amount = [progress.TaskProgressColumn()]
    # Names of data sets are no markup, whatever brackets they have.
    what = progress.TextColumn("{task.description}", markup=False)
    return [what, progress.BarColumn(), *amount, progress.TimeRemainingColumn()]


@lru_cache(maxsize=1)
def console() -> Console:
    """Return the console that all bars share, so that a bar within another has a line of its own."""
    from rich.console import Console

    return Console(stderr=True)


def is_another_shown() -> bool:
    """Whether a bar is shown by this process already."""
    return bool(_shown)


def _brief(rate: float) -> str:
    """Write a rate in a few characters: ``1.23M``."""
    from rich.filesize import pick_unit_and_suffix

    size, suffix = pick_unit_and_suffix(int(rate), ["", "k", "M", "G", "T"], 1000)
    return f"{rate / size:.3g}{suffix}"
