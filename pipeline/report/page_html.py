"""The page of a result as one HTML file that loads nothing and runs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from importlib import resources

from ..runtime.redact import without_secret
from .glossary import used_in
from .page import Fact, Page, Picture, has_names, shortened, that_fit
from .result import Table

# Nothing from outside, and no script, even if a text were taken for markup.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html(page: Page) -> str:
    """Return the page: answer, tables, pictures, how it was made, and the words that it uses."""
    return "\n".join(_lines(page)) + "\n"


def part(answer: str, tables: Iterable[Table]) -> str:
    """Return an answer and its tables as a part of another page, such as a notebook."""
    lines = [f"<p><strong>{_text(line)}</strong></p>" for line in answer.splitlines()]
    for i, table in enumerate(tables):
        lines += _table(table, f"table-{i}")
    return "\n".join(["<div>", *lines, "</div>"])


def _lines(page: Page) -> Iterator[str]:
    answer, *rest = page.answer.splitlines() or [page.title]
    yield "<!DOCTYPE html>"
    yield '<html lang="en">'
    yield "<head>"
    yield '<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(page.title)}</title>"
    yield f"<style>\n{_style()}</style>"
    yield "</head>"
    yield "<body>"
    yield "<main>"
    yield f"<h1>{_text(answer)}</h1>"
    yield from _paragraphs(rest)
    yield f'<p class="quiet">{_text(page.title)}</p>'
    for i, table in enumerate(page.tables):
        yield from _table(table, f"table-{i}")
    if page.text:
        yield f'<div class="scroll" tabindex="0" role="region" aria-label="Table"><pre>{_text(page.text)}</pre></div>'
    yield from _paragraphs(page.said)
    yield from _pictures(that_fit(page.pictures))
    yield from _facts(page.facts)
    yield from _glossary(used_in(page.words()))
    yield "</main>"
    yield "</body>"
    yield "</html>"


@lru_cache(maxsize=1)
def _style() -> str:
    return resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")


def _text(text: str) -> str:
    return escape(without_secret(text))


def _paragraphs(said: Iterable[str]) -> Iterator[str]:
    for text in said:
        yield from (f"<p>{_text(line)}</p>" for line in text.splitlines())


def _table(table: Table, own_id: str) -> Iterator[str]:
    shown, left_out = shortened(table)
    is_named = has_names(table)
    yield "<figure>"
    yield f'<figcaption id="{own_id}">{_text(table.caption)}</figcaption>'
    yield f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{own_id}">'
    yield "<table>"
    headings = (f'<th scope="col"{_class(i, is_named)}>{_text(text)}</th>' for i, text in enumerate(table.headings))
    yield f"<thead><tr>{''.join(headings)}</tr></thead>"
    yield "<tbody>"
    yield from (_row(row, is_named) for row in shown.rows)
    yield "</tbody>"
    if shown.footer:
        yield f"<tfoot>{''.join(_row(row, is_named) for row in shown.footer)}</tfoot>"
    yield "</table>"
    yield "</div>"
    if left_out:
        yield f'<p class="quiet">{left_out:,} more rows are not shown.</p>'
    yield "</figure>"


def _row(row: tuple[str, ...], is_named: bool) -> str:
    first = f'<th scope="row"{_class(0, is_named)}>{_text(row[0])}</th>'
    return f"<tr>{first}{''.join(f'<td>{_text(cell)}</td>' for cell in row[1:])}</tr>"


def _class(column: int, is_named: bool) -> str:
    return ' class="words"' if is_named and column == 0 else ""


def _pictures(pictures: list[Picture]) -> Iterator[str]:
    if not pictures:
        return
    yield "<h2>Pictures</h2>"
    for picture in pictures:
        words = _text(picture.words)
        yield "<figure>"
        if picture.uri:
            yield f'<figcaption class="narrow">{_text(picture.title)}</figcaption>'
            label = _text(f"Picture: {picture.name}")
            yield f'<div class="scroll picture" tabindex="0" role="region" aria-label="{label}">'
            yield f'<img alt="{words}" src="{picture.uri}">'
            yield "</div>"
            yield f"<details><summary>In words</summary><p>{words}</p></details>"
        else:
            yield f"<p>{_text(picture.name)}.png, too large for this page: {words}</p>"
        yield "</figure>"


def _facts(facts: list[Fact]) -> Iterator[str]:
    if facts:
        yield "<h2>How it was made</h2>"
        values = {fact.name: _code(fact.value) if fact.is_code else _text(fact.value) for fact in facts}
        yield from _list(values, "facts")


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _glossary(words: dict[str, str]) -> Iterator[str]:
    if words:
        yield "<h2>The words</h2>"
        yield from _list({word: _text(meaning) for word, meaning in words.items()}, "meanings")


def _list(items: dict[str, str], kind: str) -> Iterator[str]:
    yield f'<dl class="{kind}">'
    yield from (f"<dt>{_text(name)}</dt><dd>{value}</dd>" for name, value in items.items())
    yield "</dl>"
