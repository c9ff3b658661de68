"""Output on the terminal: one line for an error, tables and sentences for a result."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..runtime import files, notice
from ..runtime.notice import printable
from .words import answer_first, in_words, short_id

if TYPE_CHECKING:
    from rich.console import Console

    from .result import Compared, Result, Table

# What is not to be broken: an interval in brackets, a number and its per cent, a sign and its number.
_UNBROKEN = re.compile(r"\[[^\[\]\s]{1,15}, [^\[\]\s]{1,15}\]|\d %|[<=≈] \d")
# Of Unicode's private use: as wide as a blank, and none to rich.
_GLUE = "\ue000"


def error(line: str) -> None:
    """Print an error in one line on standard error."""
    notice.note(line)


def sweep_text(compared: Compared) -> str:
    """Return the answer of a sweep, its tables and how to read them, as the terminal shows them."""
    console = _console()
    with console.capture() as taken:
        answer, said = answer_first(compared.answer, compared.summary)
        if answer:
            _print(console, f"{answer}\n")
        for shown in compared.shown:
            console.print(_rich(shown))
        if compared.caption:
            _print(console, compared.caption)
        for sentence in said:
            _print(console, f"\n{sentence}")
    return taken.get()


def sweep(shown: str, *, run_id: str, folder: str, has_figures: bool) -> None:
    """Print the text that `sweep_text` returned, and where the artifacts are."""
    print(shown, end="")
    _where(run_id, folder, in_words(["report.html", "cells.csv", *(["the plots"] if has_figures else [])]))


def already(shown: str, cells: int, *, run_id: str, folder: str) -> None:
    """Print what a finished sweep found, and that nothing was evaluated again."""
    print(shown, end="")
    finished = "its cell is finished" if cells == 1 else f"all {cells} cells are finished"
    say(f"\nNothing was evaluated: {finished} already (force=true carries them out again). Everything is in")
    say(f"    {folder or 'MLflow'}\nand beside all other runs in the dashboard:\n    {files.command('ui')}")
    run_line(run_id)


def run_line(run_id: str) -> None:
    """Print a run's id in the short form, as the last line of a command; the commands find the run by it."""
    say(f"run {short_id(run_id)}")


def note(line: str) -> None:
    """Print a message that is not an error in one line on standard error."""
    error(line)


def cell(result: Result, *, run_id: str, folder: str) -> None:
    """Print the answer and the figures of a cell, and where its artifacts are."""
    console = _console()
    answer, said = answer_first(result.answer, result.summary)
    if answer:
        _print(console, f"{answer}\n")
    if result.shown is not None:
        console.print(_rich(result.shown))
    for table in result.further:
        console.print(_rich(table))
    for sentence in said:
        _print(console, sentence)
    _notes(console, result.notes)
    drawn = [] if result.draws is None else ["draws.parquet"]
    pictures = [f"{name}.png" for name in result.figures]
    names = ["report.html", *drawn, *result.texts, *result.tables, *pictures, "config.yaml"]
    _where(run_id, folder, in_words(names))


def answer(shown: Table, summary: str, notes: list[str]) -> None:
    """Print a conclusion, the table it rests on, and notes."""
    console = _console()
    _print(console, f"{summary}\n")
    console.print(_rich(shown))
    _notes(console, notes)


def _notes(console: Console, notes: list[str]) -> None:
    for note in notes:
        for line in _lines(console, note, max(console.width - 2, 20)):
            console.print(f"  {line}", style="dim", soft_wrap=True)


def _print(console: Console, text: str) -> None:
    for line in _lines(console, text, console.width):
        console.print(line, soft_wrap=True)


def _lines(console: Console, text: str, width: int) -> list[str]:
    """Wrap a text, but not within an interval or between a number and its sign."""
    from rich.text import Text

    glued = _UNBROKEN.sub(lambda found: found[0].replace(" ", _GLUE), printable(text))
    return [line.plain.rstrip().replace(_GLUE, " ") for line in Text(glued).wrap(console, width)]


def say(text: str) -> None:
    """Print lines as they are. rich would take brackets in them for styles, and its import takes 60 ms."""
    print(printable(text))


def _console() -> Console:
    from rich.console import Console

    class Passing(Console):
        def on_broken_pipe(self) -> None:
            # rich would end the program with status 1, as if something had failed.
            raise BrokenPipeError

    # No markup, for a column may be called "latency [ms]".
    return Passing(highlight=False, soft_wrap=False, markup=False)


def _where(run_id: str, folder: str, what: str) -> None:
    say(f"\n{what} are in\n    {folder or f'MLflow run {run_id}'}")
    say(f"and beside all other runs in the dashboard:\n    {files.command('ui')}")
    run_line(run_id)


def _rich(shown: Table) -> Any:
    from rich import box
    from rich.table import Table as RichTable

    title = None if shown.title is None else printable(shown.title)
    table = RichTable(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, 1))
    for heading in shown.headings:
        table.add_column(printable(heading), justify="right", no_wrap=True, vertical="bottom")
    for row in shown.rows:
        table.add_row(*map(printable, row))
    if shown.footer:
        table.add_section()
    for row in shown.footer:
        table.add_row(*map(printable, row))
    return table
