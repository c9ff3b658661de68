"""A bar for long passes over rows: how many a second, and the time that is left."""

from __future__ import annotations

import sys
import threading
import time
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

# What is done sooner shows no bar.
_SILENT_SECONDS = 1.0


class Rate:
    """A bar on standard error with rows a second and the time left; silent where that is no terminal.

    Parameters
    ----------
    total, done : int
        All rows, and those that were done before.
    what : str
        Stands before the bar.
    """

    def __init__(self, total: int, done: int, what: str) -> None:
        self._total, self._done, self._what = total, done, what
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Rate:
        self._started, self._before = time.perf_counter(), self._done
        self._is_shown = sys.stderr.isatty()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, rows: int) -> None:
        """So many more rows are done; may be called from any thread."""
        with self._lock:
            self._done += rows
            seconds = time.perf_counter() - self._started
            if not self._is_shown or seconds < _SILENT_SECONDS:
                return
            if self._bar is None:
                self._show()
            rate = (self._done - self._before) / seconds
            self._bar.update(self._task, completed=self._done, rate=_brief(rate))

    def _show(self) -> None:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rate]} rows/s"),
            TimeRemainingColumn(),
            console=console(),
            transient=True,
        )
        self._task = self._bar.add_task(self._what, total=self._total, completed=self._before, rate="")
        self._bar.start()


@lru_cache(maxsize=1)
def console() -> Console:
    """Return what all bars are shown on: one within another then has a line of its own."""
    from rich.console import Console

    return Console(stderr=True)


def is_another_shown() -> bool:
    """Whether a bar is shown by this process already."""
    # Two of Rich's bars would write over each other's line; the one that is shown is known by its thread.
    return any(type(thread).__module__ == "rich.live" for thread in threading.enumerate())


def _brief(rate: float) -> str:
    """A rate in a few characters: ``1.23 M``."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if rate >= size:
            return f"{rate / size:.3g}{unit}"
    return f"{rate:.3g}"
