"""The folder of a labelling: what was chosen and what the labels are, so that the next start goes on from there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import BadInput, Failed, brief
from ...estimation.active_testing import Learned, Round
from ...estimation.calibration import Calibration
from ...runtime import files
from .sheet import Sheet

_STATE = "state.json"


class Folder:
    """The rounds of a labelling on disk, and a sheet for each; nothing in it is ever removed.

    ``state.json`` is written beside and moved into place, so that it is whole at every moment: a stop between any two
    steps loses no label.

    Parameters
    ----------
    path : Path
        Made by the first write.
    content : str
        A digest of the rows, the model and the proxy; a folder belongs to one of them.
    """

    def __init__(self, path: Path, content: str) -> None:
        self.path, self._content = path, content

    def sheet(self, number: int) -> Path:
        """Return the place of the sheet of a round, numbered from 1."""
        return self.path / f"round_{number}.csv"

    def rounds(self) -> list[Round]:
        """Return the rounds so far.

        Raises
        ------
        BadInput
            If the folder cannot be read, is damaged, or is one of other rows.
        """
        place = self.path / _STATE
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, RecursionError) as error:
            raise _damaged(place, brief(error)) from error
        if not isinstance(found, dict) or found.get("content") != self._content:
            raise BadInput(
                f"{self.path} must hold the labels of these rows, this model and this proxy; found those of others: "
                "name another folder with study.folder, or take these rows as they were"
            )
        try:
            return [_round(each) for each in found["rounds"]]
        except KeyError as error:
            raise _damaged(place, f"no {brief(error)} in it") from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise _damaged(place, brief(error)) from error

    def keep(self, rounds: Sequence[Round]) -> None:
        """Write the rounds, in one step.

        Raises
        ------
        BadInput, Failed
            If the folder cannot be written to.
        """
        state = {"content": self._content, "rounds": [_plain(each) for each in rounds]}
        self._write(self.path / _STATE, json.dumps(state))

    def ask(self, number: int, sheet: Sheet) -> Path:
        """Write the sheet of a round, unless it is there, and return its place."""
        place = self.sheet(number)
        if not place.exists():
            self._write(place, sheet.text())
        return place

    def answer(self, number: int) -> str | None:
        """Return the text of a round's sheet; None if it is not there.

        Raises
        ------
        BadInput
            If it cannot be read as text.
        """
        place = self.sheet(number)
        try:
            return place.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise BadInput(f"{place} must be a CSV file in UTF-8; found {brief(error)}: save it so") from error

    def _write(self, place: Path, text: str) -> None:
        try:
            files.write_beside(place, lambda file: file.write(text.encode()))
        except OSError as error:
            kind = Failed if error.errno in files.FULL else BadInput
            raise kind(
                f"{self.path} must be a folder with room that can be written to; found: {error.strerror or error}: "
                "make room, or name another with study.folder; labels that were given are kept"
            ) from error


def copy_until(source: Path, folder: Path, *, given: int, is_waiting: bool) -> int:
    """Copy a labelling as it was when so many labels were given, and return how many there are now.

    Parameters
    ----------
    source : Path
        The folder of the labelling; it is only read.
    folder : Path
        Gets the rounds that were labelled by then, and no sheets, for the one that waited may be filled in by now.
    given : int
        A number of labels at the end of a round.
    is_waiting : bool
        Whether the round after them was chosen by then, and waited for its labels.

    Raises
    ------
    BadInput
        If the folder cannot be read, is damaged, or has no such state.
    """
    place = source / _STATE
    try:
        state = json.loads(place.read_text(encoding="utf-8"))
        labelled = [0 if each["labels"] is None else len(each["labels"]) for each in state["rounds"]]
    except FileNotFoundError as error:
        raise BadInput(
            f"{source} must hold the labels that were given; found no {_STATE} in it: put it back"
        ) from error
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise _damaged(place, brief(error)) from error
    ends = [0, *itertools.accumulate(labelled)]
    if given not in ends:
        raise _damaged(place, f"rounds that end at {brief(', '.join(map(str, ends)))} labels, none at {given:,}")
    n_rounds = ends.index(given)
    open_round = [{**each, "labels": None} for each in state["rounds"][n_rounds : n_rounds + is_waiting]]
    kept = {**state, "rounds": [*state["rounds"][:n_rounds], *open_round]}
    (folder / _STATE).write_text(json.dumps(kept), encoding="utf-8")
    return ends[-1]


def _damaged(place: Path, found: str) -> BadInput:
    return BadInput(f"{place} must be what study=label wrote; found {found}: put it back")


def _plain(each: Round) -> dict[str, Any]:
    calibration = each.learned.calibration
    return {
        "rows": each.rows.tolist(),
        "chances": each.chances.tolist(),
        "temperature": calibration.temperature,
        "noise": calibration.noise,
        "slopes": each.learned.slopes,
        "guesses": each.learned.guesses,
        "labels": None if each.labels is None else each.labels.tolist(),
    }


def _round(plain: dict[str, Any]) -> Round:
    slopes = {metric: tuple(own) for metric, own in plain["slopes"].items()}
    rows, chances = np.array(plain["rows"], dtype=np.int64), np.array(plain["chances"], dtype=np.float64)
    labels = plain["labels"]
    if rows.ndim != 1 or rows.shape != chances.shape or (labels is not None and len(labels) != len(rows)):
        raise ValueError("a round whose rows, chances and labels do not match")
    return Round(
        rows,
        chances,
        Learned(Calibration(plain["temperature"], plain["noise"]), slopes, plain["guesses"]),
        None if labels is None else np.array(labels, dtype=np.int64),
    )
