"""A labelling under way: the rows, where their labels come from, and where they are kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput
from ...estimation.active_testing import ActiveTest, Round
from ...report.label import About
from ...runtime import files
from ...runtime.locks import held
from ...sampling.streams import LABELS, generator
from .asked import labels_from
from .folder import Folder
from .population import Unlabelled
from .sheet import EMPTY, Sheet

if TYPE_CHECKING:
    import pandas as pd

# The heading of the rows' numbers, from 0, where they have no ids.
_NUMBERS = "row"


@dataclass(frozen=True, eq=False)
class Labelling:
    """The rows, and where their labels come from and are kept.

    Attributes
    ----------
    rows : Unlabelled
        The population.
    own : ndarray of int64, shape (N,), or None
        The labels that the rows have already, for a demonstration.
    folder : Folder or None
        Keeps the rounds; None where the rows have labels.
    show : list of str
        Columns that a sheet shows.
    command : str or None
        The program that is asked.
    """

    rows: Unlabelled
    own: NDArray[np.int64] | None
    folder: Folder | None
    show: list[str]
    command: str | None

    def lock(self) -> AbstractContextManager[None]:
        """Hold what no second process may hold while it labels the same rows."""
        if self.folder is None:
            return nullcontext()
        return held(f"label-{files.digest_of(str(self.folder.path))[:16]}", f"the labels in {self.folder.path}")

    def check(self) -> None:
        """Refuse rows whose sheets could never be filled in.

        Raises
        ------
        BadInput
            As `Sheet.check` has it.
        """
        if self.own is None:
            rows = self.rows.stages.rows
            shown: dict[str, Sequence[str]] = {column: [] for column in self.show if column != self._id}
            Sheet(self._id or _NUMBERS, [], rows.n_classes, rows.class_names, shown).check()

    def kept(self) -> list[Round]:
        """Return the rounds of earlier starts; the last may wait for its labels."""
        return [] if self.folder is None else self.folder.rounds()

    def choose(self, test: ActiveTest, count: int, aims: list[str]) -> None:
        """Choose the next rows, and keep them before anybody is asked."""
        number = len(test.rounds) + 1
        test.choose(count, generator(LABELS, self.rows.stages.experiment.seed, number=number), aims)
        self._keep(test)

    def fill(self, test: ActiveTest) -> bool:
        """Take the labels of the round that waits, where all are there, and keep them; tell whether they are."""
        waiting = test.open_round
        assert waiting is not None
        number = len(test.rounds)
        if self.folder is None:
            assert self.own is not None
            labels = self.own[waiting.rows]
        else:
            sheet = self.sheet(waiting)
            place = self.folder.ask(number, sheet)
            labels = (
                self.filled_in(waiting, number) if self.command is None else labels_from(self.command, place, sheet)
            )
        if (labels == EMPTY).any():
            return False
        test.fill(labels)
        self._keep(test)
        return True

    def filled_in(self, waiting: Round, number: int) -> NDArray[np.int64]:
        """Return the labels that were filled into the sheet of the round that waits; -1 where there is none yet.

        Parameters
        ----------
        waiting : Round
            What was asked for.
        number : int
            Of the round, from 1.

        Raises
        ------
        BadInput
            If the sheet was edited badly.
        """
        text = None if self.folder is None else self.folder.answer(number)
        if self.folder is None or text is None:
            return np.full(len(waiting.rows), EMPTY)
        return self.sheet(waiting).labels(text, where=shown_path(self.folder.sheet(number)))

    def changed(self, test: ActiveTest) -> list[int]:
        """Return the rounds whose sheet now says another label than the one that was taken of it, numbered from 1.

        A sheet that is gone, or was never filled in because a program was asked, says none.
        """
        found = []
        for number, each in enumerate(test.rounds, 1):
            if each.labels is None:
                continue
            try:
                now = self.filled_in(each, number)
            except BadInput:
                # It was whole when the labels were taken.
                found.append(number)
            else:
                if ((now != EMPTY) & (now != each.labels)).any():
                    found.append(number)
        return found

    def sheet(self, asked: Round) -> Sheet:
        """Return what is shown of the rows of a round."""
        stages = self.rows.stages
        name, ids = self._ids(asked)
        data = stages.experiment.data
        shown: dict[str, Sequence[str]] = {
            column: [str(value) for value in data.column(data.split, column, key="study.show")[asked.rows]]
            for column in self.show
            if column != name
        }
        return Sheet(name, ids, stages.rows.n_classes, stages.rows.class_names, shown)

    def about(self, test: ActiveTest, *, limit: int | None) -> About:
        """Return what is labelled, and what is waited for."""
        waiting, stages = test.open_round, self.rows.stages
        empty = 0 if waiting is None else int((self.filled_in(waiting, len(test.rounds)) == EMPTY).sum())
        return About(
            population=stages.rows.name,
            n_rows=len(stages.rows),
            confidence=stages.experiment.confidence,
            sheet="" if waiting is None or self.folder is None else shown_path(self.folder.sheet(len(test.rounds))),
            waiting=0 if waiting is None else len(waiting.rows),
            empty=empty,
            limit=limit,
        )

    def table(self, test: ActiveTest) -> pd.DataFrame:
        """Return a row a label: its round, the row's id, the chance it was drawn with, and the label."""
        import pandas as pd

        names = self.rows.stages.rows.class_names
        parts = []
        for number, each in enumerate(test.rounds, 1):
            if each.labels is not None:
                name, ids = self._ids(each)
                given = each.labels if names is None else [names[label] for label in each.labels]
                parts.append(pd.DataFrame({"round": number, name: ids, "chance": each.chances, "label": given}))
        return pd.concat(parts, ignore_index=True)

    def _ids(self, asked: Round) -> tuple[str, list[str]]:
        """The ids of rows: by their column, or their numbers from 0."""
        data, name = self.rows.stages.experiment.data, self._id
        if name is None:
            return _NUMBERS, [str(row) for row in asked.rows]
        found = data.column(data.split, name, key="data.id")
        ids = [str(value).strip() for value in found[asked.rows]]
        if len(set(ids)) != len(ids):
            raise BadInput(
                f"{name} must name each row once; found one name for two of the rows chosen: name a column of other "
                "names with data.id"
            )
        return name, ids

    @property
    def _id(self) -> str | None:
        """The column of ids: ``data.id``, or one called ``id``; None where there is none."""
        data = self.rows.stages.experiment.data
        source = getattr(data, "source", None)
        found = getattr(data, "id", None) or ("id" if source is not None and "id" in source.columns else None)
        return None if found is None else str(found)

    def _keep(self, test: ActiveTest) -> None:
        if self.folder is not None:
            self.folder.keep(test.rounds)


def shown_path(path: Path) -> str:
    """Return a path as the user would type it: from the current folder on, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else os.fspath(path)
