"""What the terminal shows: one line for an error, a table for a result, a bar while work goes on."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from pipeline import progress

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.records import Table
    from pipeline.study.base import Compared, Result

# Read at import: __main__ sets the variable for Hydra's sake later on.
WANTS_TRACEBACK = os.environ.get("HYDRA_FULL_ERROR") == "1"


def error(line: str) -> None:
    """One line on standard error."""
    print(f"batchscope: {' '.join(line.split())}", file=sys.stderr, flush=True)


class Progress:
    """A progress bar on standard error; silent when that is no terminal."""

    def __init__(self, total: int, unit: str, *, what: str = "Sweep") -> None:
        self._total, self._unit, self._what = total, unit, what
        self._bar: Any = None
        self._task: Any = None

    def start(self) -> None:
        """Show the bar."""
        if not sys.stderr.isatty():
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn(self._what),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(self._unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=progress.console(),
            transient=True,
        )
        self._task = self._bar.add_task("", total=self._total)
        self._bar.start()

    def advance(self) -> None:
        """One more is done."""
        if self._bar is not None:
            self._bar.advance(self._task)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def sweep_text(compared: Compared) -> str:
    """The cells as tables and the conclusion, as the terminal would show them."""
    console = _console()
    with console.capture() as taken:
        for shown in compared.shown:
            console.print(_rich(shown))
        if compared.caption:
            console.print(compared.caption)
        console.print(f"\n{compared.summary}")
    return taken.get()


def sweep(shown: str, *, run_id: str, folder: str, has_figures: bool) -> None:
    """What `sweep_text` made, and where everything is."""
    print(shown, end="")
    _where(_console(), run_id, folder, "cells.csv and the plots" if has_figures else "cells.csv")


def already(shown: str, cells: int, folder: str) -> None:
    """What a sweep found when it was carried out, and that nothing was evaluated now."""
    print(shown, end="")
    finished = "its cell is finished" if cells == 1 else f"all {cells} cells are finished"
    say(f"\nNothing was evaluated: {finished} already (force=true carries them out again). Everything is in")
    say(f"    {folder or 'MLflow'}\nand beside all other runs in the dashboard:\n    make ui")


def note(line: str) -> None:
    """A line on standard error that is no error."""
    error(line)


def cell(result: Result, *, run_id: str, folder: str) -> None:
    """One cell's figures, and where everything is."""
    console = _console()
    if result.shown is not None:
        console.print(_rich(result.shown))
    for table in result.further:
        console.print(_rich(table))
    if result.summary:
        console.print(result.summary)
    for note in result.notes:
        console.print(f"  {note}", style="dim")
    names = [*result.tables, *(f"{name}.png" for name in result.figures), "config.yaml"]
    if result.draws is not None:
        names.insert(0, "draws.parquet")
    _where(console, run_id, folder, f"{', '.join(names[:-1])} and {names[-1]}")


def answer(shown: Table, summary: str, notes: list[str]) -> None:
    """A table, a conclusion, and what to mind."""
    console = _console()
    console.print(_rich(shown))
    console.print(summary)
    for note in notes:
        console.print(f"  {note}", style="dim")


def say(text: str) -> None:
    """Plain lines, never wrapped."""
    _console().print(text, soft_wrap=True)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def _where(console: Console, run_id: str, folder: str, what: str) -> None:
    verb = "are" if " and " in what else "is"
    console.print(f"\n{what} {verb} in", highlight=False, soft_wrap=True)
    console.print(f"    {folder or f'MLflow run {run_id}'}", highlight=False, soft_wrap=True)
    console.print("and beside all other runs in the dashboard:\n    make ui")


def _rich(shown: Table) -> Any:
    from rich import box
    from rich.table import Table as RichTable

    table = RichTable(title=shown.title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, 1))
    for heading in shown.headings:
        table.add_column(heading, justify="right", no_wrap=True, vertical="bottom")
    for row in shown.rows:
        table.add_row(*row)
    if shown.footer:
        table.add_section()
    for row in shown.footer:
        table.add_row(*row)
    return table
