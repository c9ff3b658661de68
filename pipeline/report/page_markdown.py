"""The page of a result as Markdown that fits into a comment on GitHub: without pictures, but with their words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..runtime.redact import without_secret
from .glossary import used_in
from .page import Fact, Page, has_names, shortened
from .result import Table

# GitHub takes 65,536 characters in a comment; the rest is for what a person writes around it.
MOST = 60_000
_ROWS = (100, 30, 10, 3)
# What Markdown or GitHub would take for markup; an underscore inside a word is none.
_MARKUP = re.compile(r"[\\`*~<>|#&]|(?<!\w)_|_(?!\w)|\](?=[(\[:])")
# Beginnings of a line that would make it an item of a list.
_BEGINNING = re.compile(r"^(\d*)([-+.)])(?=\s)")


def markdown(page: Page) -> str:
    """Return the page: answer, tables, pictures in words, how it was made, and the words that it uses.

    It has at most `MOST` characters: rows of long tables are left out, and at last the end.
    """
    words = used_in(page.words())
    for most in _ROWS:
        text = "\n\n".join(_blocks(page, words, most)) + "\n"
        if len(text) <= MOST:
            return text
    return f"{text[:MOST].rpartition(chr(10))[0]}\n\n… The rest is in report.html.\n"


def _blocks(page: Page, words: dict[str, str], most_rows: int) -> Iterator[str]:
    answer, *rest = page.answer.splitlines() or [page.title]
    yield f"**{_text(answer)}**"
    yield from map(_text, rest)
    yield f"_{_text(page.title)}_"
    for table in page.tables:
        yield from _table(table, most_rows)
    if page.text:
        yield _fenced(page.text)
    yield from (_text(line) for text in page.said for line in text.splitlines())
    if page.pictures:
        yield "#### Pictures, in words"
        yield "\n".join(f"- {_text(picture.name)}.png: {_text(picture.words)}" for picture in page.pictures)
    if page.facts:
        yield "#### How it was made"
        yield _rows(["", ""], [[_text(fact.name), _fact(fact)] for fact in page.facts], [":---", ":---"])
    if words:
        yield "#### The words"
        yield "\n".join(f"- **{_text(word)}**: {_text(meaning)}" for word, meaning in words.items())


def _text(text: str) -> str:
    """Return a text in one line, with what would be markup escaped."""
    line = _MARKUP.sub(r"\\\g<0>", " ".join(without_secret(text).split()))
    # A name such as @octocat would call that person; a backslash does not stop it.
    return _BEGINNING.sub(r"\1\\\2", line).replace("@", "@\u200b")


def _table(table: Table, most_rows: int) -> Iterator[str]:
    shown, left_out = shortened(table, most_rows)
    yield f"**{_text(table.caption)}**"
    footer = [[f"**{_text(cell)}**" if cell else "" for cell in row] for row in shown.footer]
    rows = [[_text(cell) for cell in row] for row in shown.rows]
    headings = [_text(heading.replace("/\n", "/")) for heading in table.headings]
    rules = [":---" if has_names(table) else "---:", *["---:"] * (len(headings) - 1)]
    yield _rows(headings, rows + footer, rules)
    if left_out:
        yield f"{left_out:,} more rows are in report.html."


def _rows(header: list[str], rows: list[list[str]], rules: list[str]) -> str:
    lines = [header, rules, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _fact(fact: Fact) -> str:
    return _code(fact.value) if fact.is_code else _text(fact.value)


def _code(text: str) -> str:
    """Return a text as inline code of a table's cell, in which a pipe is escaped and nothing else."""
    line = " ".join(without_secret(text).split()).replace("|", r"\|")
    ticks = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{space}{line}{space}{ticks}"


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}text\n{without_secret(text).rstrip()}\n{fence}"
