"""Files of a series: which ones a list or a pattern names, and in which order they come."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..data.formats.locations import is_remote, path_of
from ..errors import BadInput, brief
from ..runtime import files

# A day (2026-10-05, 20261005) or a week (2026-W41) as ISO 8601 writes them, with no further digit beside it.
_DATE = re.compile(r"(?<!\d)(?:\d{4}-\d{2}-\d{2}|\d{4}-?W\d{2}(?:-?[1-7])?|\d{8})(?!\d)")
_REMEDY = "name the dates with study.dates={FILE: 2026-10-05}"


@dataclass(frozen=True)
class DatedFile:
    """A file of a series.

    Attributes
    ----------
    path : str
        Its path, or its address in an object store.
    label : str
        What it is called: its date, or its name where the series has no dates.
    day : date or None
        Its date.
    """

    path: str
    label: str
    day: date | None = None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return name_of(self.path)


def name_of(path: str) -> str:
    """Return a file's name without its folder, and without the secrets of an address."""
    return Path(path_of(path)).name


def expanded(given: Any) -> list[str]:
    """Return the paths that a pattern, or a list of paths and patterns, names; absolute, each once.

    The parts of a list that is one text are set apart by commas.

    Raises
    ------
    BadInput
        If it is no such thing, or names no file.
    """
    asked = given.split(",") if isinstance(given, str) else given
    if not isinstance(asked, list | tuple) or not asked or not all(isinstance(own, str) and own for own in asked):
        raise BadInput(
            f"study.files must be a pattern such as 'weeks/*.csv' or a list of files; found {brief(given)!r}: pass "
            "study.files='weeks/*.csv'"
        )
    found: dict[str, None] = {}
    for own in asked:
        found |= dict.fromkeys([own] if is_remote(own) else _matching(own))
    return list(found)


def dates_as_lines(given: Any) -> list[str]:
    """Return the dates of files as lines, ``a.csv: 2026-10-05``; a file's name can be no key of a run's parameter.

    Parameters
    ----------
    given : dict, list of str, or None
        Dates by file, or such lines.

    Raises
    ------
    BadInput
        If it is no such thing.
    """
    if isinstance(given, dict):
        return [f"{file}: {day}" for file, day in given.items()]
    lines = [] if given is None else given
    if not isinstance(lines, list | tuple) or not all(isinstance(line, str) and ": " in line for line in lines):
        raise BadInput(
            f"study.dates must give files dates, such as study.dates={{a.csv: 2026-10-05}}; found {brief(given)!r}: "
            "mend it"
        )
    return list(lines)


def dates_of(lines: Sequence[str]) -> dict[str, str]:
    """Return the dates by file, as `dates_as_lines` has them."""
    return {file: day for file, _, day in (line.rpartition(": ") for line in lines)}


def in_order(paths: Sequence[str], dates: Mapping[str, str], *, latest: str | None = None) -> list[DatedFile]:
    """Return the files by date, or by name where none has a date.

    A date is that of `dates`, or the last one in the file's name, or else in the name of its folder.

    Parameters
    ----------
    paths : sequence of str
        The files, at least one.
    dates : mapping of str to str
        ISO dates by path, name, or name without ending.
    latest : str or None
        Which of them comes last where it alone has no date.

    Raises
    ------
    BadInput
        If some files have a date and others have none, or two have the same one, or a date is none.
    """
    given = _given(paths, dates)
    days = {path: given.get(path) or _day_in(path) for path in paths}
    without = [path for path in paths if days[path] is None]
    if len(without) == len(paths):
        return _by_name(paths)
    last = [path for path in without if path == latest]
    if without != last:
        first = next(path for path in without if path != latest)
        raise BadInput(f"files must all have a date in their names, or none; found none in {name_of(first)}: {_REMEDY}")
    dated = sorted((day, path) for path, day in days.items() if day is not None)
    for (day, path), (other, another) in pairwise(dated):
        if day == other:
            raise BadInput(
                f"files must have different dates; found {day} twice, {name_of(path)} and {name_of(another)}: leave "
                f"one out, or {_REMEDY}"
            )
    return [DatedFile(path, str(day), day) for day, path in dated] + [DatedFile(p, Path(name_of(p)).stem) for p in last]


def _matching(pattern: str) -> list[str]:
    path = files.absolute(pattern)
    if Path(path).exists():
        return [path]
    if not glob.has_magic(pattern):
        raise BadInput(f"study.files must name files that exist; found none at {pattern}: check the path")
    found = sorted(own for own in glob.glob(path, recursive=True) if Path(own).name[0] not in "._")
    if not found:
        raise BadInput(f"study.files must match files; found none for {pattern}: check the pattern")
    return found


def _given(paths: Sequence[str], dates: Mapping[str, str]) -> dict[str, date]:
    """The dates that are configured, by path."""
    found = {}
    for key, value in dates.items():
        own = [path for path in paths if key in (path, name_of(path), Path(name_of(path)).stem)]
        if len(own) != 1:
            which = "none" if not own else f"{len(own)}"
            raise BadInput(f"study.dates must name files of the series; found {which} called {key!r}: check the name")
        try:
            found[own[0]] = date.fromisoformat(str(value))
        except ValueError as error:
            raise BadInput(
                f"study.dates must give each file a date such as 2026-10-05; found {value!r} for {key}: mend it"
            ) from error
    return found


def _day_in(path: str) -> date | None:
    """The last date in the name of the file, or else of its folder."""
    there = Path(path_of(path))
    for name in (there.name, there.parent.name):
        for text in reversed(_DATE.findall(name)):
            try:
                return date.fromisoformat(text)
            except ValueError:
                # Such as 99999999, which is a number and no date.
                continue
    return None


def _by_name(paths: Sequence[str]) -> list[DatedFile]:
    """By name, numbers by size: week_9 comes before week_10."""

    def place(path: str) -> list[tuple[int, int, str]]:
        return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", path_of(path)) if p]

    stems = [Path(name_of(path)).stem for path in paths]
    is_told = len(set(stems)) == len(stems)
    return [DatedFile(p, Path(name_of(p)).stem if is_told else path_of(p)) for p in sorted(paths, key=place)]
