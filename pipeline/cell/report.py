"""The report of a run or of a sweep: ``report.html`` and ``report.md``, made from what the terminal shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..report.page import Page, Picture
from ..report.result import Result
from ..report.words import answer_first
from .comparison import Comparison
from .made import Made, when

HTML, MARKDOWN = "report.html", "report.md"


def texts(page: Page) -> dict[str, str]:
    """Return the two files of a page by their names."""
    # Imported here, because a sweep that is finished already needs neither.
    from ..report.page_html import html
    from ..report.page_markdown import markdown

    return {HTML: html(page), MARKDOWN: markdown(page)}


def of_result(name: str, result: Result, made: Made, pictures: Sequence[Picture]) -> Page:
    """Return the page of one run.

    Parameters
    ----------
    name : str
        Of the run.
    result : Result
        What was found.
    made : Made
        How.
    pictures : sequence of Picture
        Of the result's figures.
    """
    answer, said = answer_first(result.answer, result.summary, *result.notes)
    tables = [*([] if result.shown is None else [result.shown]), *result.further]
    return Page(title_of(name, "run", made), answer, tables, said=said, pictures=list(pictures), facts=made.facts())


def of_sweep(name: str, comparison: Comparison, made: Made, pictures: Sequence[Picture], problem: str = "") -> Page:
    """Return the page of a sweep; `problem` says which cells are missing."""
    found = comparison.compared
    answer, said = answer_first(found.answer, found.summary)
    # As on the terminal: the table, how to read it, the conclusion.
    said = [*filter(None, [found.caption]), *said]
    problems = [f"Not all of it is here: {problem}."] if problem else []
    return Page(
        title_of(name, "sweep", made),
        answer,
        list(found.shown),
        said=[*problems, *said],
        pictures=list(pictures),
        facts=made.facts(),
    )


def swept_values(comparison: Comparison, keys: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the keys of a sweep that have several values in its cells, and these in the order of the table."""
    cells = comparison.cells
    found = {}
    for key in keys:
        if key in cells and cells[key].nunique() > 1:
            values = [f"{value:,}" if key == "batch_size" else str(value) for value in cells[key]]
            found[key.lstrip("+~")] = list(dict.fromkeys(values))
    return found


def title_of(name: str, what: str, made: Made) -> str:
    """Return what was run, and when; `what` is ``run`` or ``sweep``."""
    return f"{name} · a {what} of Batchscope · {when(made.started)}"
