"""The page of a result, to be sent: what stands in it, in the order in which it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .result import Table

# Of a table; a page that is sent is read, and cells.csv has the rest.
_MOST_ROWS = 500
# Of those that are looked through for words: further rows differ in figures, and 20,000 of them take a second.
_ROWS_OF_WORDS = 50
# Of all pictures together, characters: a page stays below 2 MB.
_MOST_PICTURES = 1_600_000
_IS_FIGURE = re.compile(r"[-+±]?[\d.]|[∞?—]")


@dataclass(frozen=True)
class Picture:
    """A picture that is part of the page.

    Attributes
    ----------
    name : str
        Of its file, without the ending.
    title : str
        What it says, in a sentence.
    words : str
        What it shows, for those who do not see it.
    uri : str
        The picture itself as a ``data:`` URI; empty where it is too large for the page.
    """

    name: str
    title: str
    words: str
    uri: str


@dataclass(frozen=True)
class Fact:
    """One thing about how a result was made; `is_code` where it is to be copied as it is written."""

    name: str
    value: str
    is_code: bool = False


@dataclass(frozen=True)
class Page:
    """The page of a run or of a sweep.

    Attributes
    ----------
    title : str
        What was run, and on what.
    answer : str
        The sentence that answers, with which the terminal and the run's note begin.
    tables : list of Table
        Those that the terminal shows.
    text : str
        A table that is known only as the terminal showed it; empty where there are `tables`.
    said : list of str
        How to read the tables, the conclusion, caveats.
    pictures : list of Picture
    facts : list of Fact
        How it was made.
    """

    title: str
    answer: str
    tables: list[Table] = field(default_factory=list)
    text: str = ""
    said: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)

    def words(self) -> str:
        """Return all words of the page but those that are to be copied as they are."""
        return "\n".join(self._words())

    def _words(self) -> Iterator[str]:
        yield from (self.title, self.answer, self.text, *self.said)
        for table in self.tables:
            yield table.title
            # A heading is broken into lines where it is long, and its words belong together.
            yield from (heading.replace("\n", " ") for heading in table.headings)
            yield from (cell for row in [*table.rows[:_ROWS_OF_WORDS], *table.footer] for cell in row)
        yield from (picture.words for picture in self.pictures)
        for fact in self.facts:
            yield fact.name
            yield "" if fact.is_code else fact.value


def has_names(table: Table) -> bool:
    """Return whether the first column holds names, which begin at the left; figures end at the right."""
    return not all(_IS_FIGURE.match(row[0]) for row in table.rows if row[0])


def shortened(table: Table, most: int = _MOST_ROWS) -> tuple[Table, int]:
    """Return a table with at most `most` rows, and how many were left out."""
    left_out = max(0, len(table.rows) - most)
    return replace(table, rows=table.rows[:most]), left_out


def that_fit(pictures: list[Picture], most: int = _MOST_PICTURES) -> list[Picture]:
    """Return the pictures, those of them without a URI that would make the page too large."""
    found = []
    for picture in pictures:
        most -= len(picture.uri)
        found.append(picture if most >= 0 else replace(picture, uri=""))
        most += 0 if found[-1].uri else len(picture.uri)
    return found
