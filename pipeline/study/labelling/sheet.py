"""Sheets: CSV files of rows to be labelled, an id and an empty column each, and what comes back in them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief

LABEL = "label"
_NUMBER = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?")
# The number of a class that is not given yet.
EMPTY = -1


@dataclass(frozen=True, eq=False)
class Sheet:
    """The rows of a round, as a person or a program is shown them.

    Attributes
    ----------
    name : str
        Of the column of ids.
    ids : sequence of str
        One a row, no two alike.
    n_classes : int
        k.
    class_names : tuple of str or None
        The names of the classes; None if they have numbers alone.
    shown : dict of str to sequence of str
        Further columns, by name, for whoever labels.
    """

    name: str
    ids: Sequence[str]
    n_classes: int
    class_names: tuple[str, ...] | None = None
    shown: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def classes(self) -> str:
        """What a label may be, in words."""
        if self.class_names is None:
            return f"0 … {self.n_classes - 1}"
        listed = ", ".join(brief(name, most=40) for name in self.class_names[:8])
        more = len(self.class_names) - 8
        return listed + (f" and {more:,} more" if more > 0 else "")

    def check(self) -> None:
        """Refuse what could never be filled in: a heading that is there twice, a class without a name of its own.

        Raises
        ------
        BadInput
            If there are such; spaces around a name do not count.
        """
        name = self.name.strip()
        if name in ("", LABEL):
            raise BadInput(
                f"data.id must be a column of another name than {LABEL!r}, which is the sheet's own column; found "
                f"{self.name!r}: rename the column, or name another"
            )
        for shown in self.shown:
            if shown.strip() in (LABEL, name):
                raise BadInput(
                    f"study.show must name other columns than {name!r} and {LABEL!r}, which the sheet has already; "
                    f"found {brief(shown, most=40)!r}: leave it out"
                )
        for own, count in Counter(self._names).items():
            if count > 1 or not own:
                raise BadInput(
                    "the names of classes must differ in more than spaces around them, and none be empty; found "
                    f"{brief(own, most=40)!r}{' twice' if count > 1 else ''}: rename that class"
                )

    @property
    def _names(self) -> list[str]:
        return [name.strip() for name in self.class_names or ()]

    def text(self) -> str:
        """Return the sheet as CSV, with an empty column ``label``."""
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([self.name, *self.shown, LABEL])
        for own, *shown in zip(self.ids, *self.shown.values(), strict=True):
            writer.writerow([own, *map(_harmless, shown), ""])
        return written.getvalue()

    def labels(self, text: str, *, where: str) -> NDArray[np.int64]:
        """Return the class of each row, in the sheet's order, from a sheet that came back; -1 where it is not given.

        Its rows may stand in any order, and columns that were shown may be missing.

        Parameters
        ----------
        text : str
            CSV, with commas or semicolons, and a line of headings.
        where : str
            What it is called, for messages.

        Raises
        ------
        BadInput
            Naming the first line that is wrong: an id that is not asked for, or again, or a label that is no class; or
            the first row that is missing.
        """
        lines = _lines(text, where)
        heading = lines[0][1] if lines else []
        places = [_place(heading, column, where) for column in (self.name.strip(), LABEL)]
        names = {own: i for i, own in enumerate(self._names)}
        at = {own: i for i, own in enumerate(self.ids)}
        found = np.full(len(self.ids), EMPTY, dtype=np.int64)
        seen: dict[str, int] = {}
        for number, cells in lines[1:]:
            line = f"line {number:,} of {where}"
            if len(cells) != len(heading):
                raise BadInput(
                    f"{line} must have {len(heading)} cells, as the headings have; found {len(cells)}: mend that line"
                )
            own, label = (cells[place].strip() for place in places)
            if own not in at:
                raise BadInput(
                    f"{line} must have an id that was asked for; found {self.name} {brief(own, most=40)!r}: put the id "
                    "back as it was"
                )
            if own in seen:
                raise BadInput(
                    f"{where} must have each row once; found {self.name} {brief(own, most=40)} in line {seen[own]:,} "
                    f"and again in line {number:,}: leave one out"
                )
            seen[own] = number
            found[at[own]] = self._class(label, names, line)
        missing = next((own for own in self.ids if own not in seen), None)
        if missing is not None:
            raise BadInput(
                f"{where} must have all {len(self.ids):,} rows that were asked for; found {len(seen):,}, without "
                f"{self.name} {brief(missing, most=40)}: put its line back, with an empty label where there is none yet"
            )
        return found

    def _class(self, label: str, names: Mapping[str, int], line: str) -> int:
        if not label:
            return EMPTY
        # A spreadsheet may write 3 as 3.0.
        whole = label.removesuffix(".0")
        if self.class_names is not None:
            for written in (label, whole):
                if written in names:
                    return names[written]
        elif whole.isascii() and whole.isdigit() and len(whole) < 10 and int(whole) < self.n_classes:
            return int(whole)
        raise BadInput(
            f"the label in {line} must be a class ({self.classes}), or empty; found {brief(label, most=40)!r}: mend it"
        )


def _harmless(cell: str) -> str:
    """Return what a spreadsheet takes for text, where it would take a text of somebody else's for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") and not _NUMBER.fullmatch(cell) else cell


def _lines(text: str, where: str) -> list[tuple[int, list[str]]]:
    """The lines that are not blank, each with its number, cut into cells."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((reader.line_num, cells))
    except csv.Error as error:
        raise BadInput(
            f"{where} must be a CSV file; found in line {reader.line_num:,}: {brief(error)}: mend that line"
        ) from error
    return found


def _place(heading: Sequence[str], column: str, where: str) -> int:
    names = [name.strip() for name in heading]
    if names.count(column) != 1:
        raise BadInput(
            f"line 1 of {where} must have the headings of its columns, {column!r} among them, once; found "
            f"{brief(', '.join(names)) or 'nothing'}: put the headings back"
        )
    return names.index(column)
