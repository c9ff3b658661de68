"""The same rows under two models, scored when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...data.base import Data
from ...errors import BadInput
from ...experiment import Stages
from ...metric.base import Metric
from ...model.base import Classifier
from ...records.rows import IntArray, Population
from ...runtime.memo import once
from ...scoring.block import RowFunction
from ...scoring.rows import score
from .alignment import aligned
from .other_file import names_of
from .pair import Pair


@dataclass(frozen=True, eq=False)
class Match:
    """Two models and the rows that each is given, none of which is scored yet.

    Attributes
    ----------
    classifiers : (Classifier, Classifier)
        The model, and the other one.
    rows : (Population, Population)
        What each is given: the same rows, or two files of predictions of them.
    order : ndarray of int, or None
        Where the rows of the first stand in the second; None where they stand in the same order.
    functions : mapping of str to callable
        What is evaluated of a row, by metric.
    asked : mapping of str to Metric
        The metrics that are asked for, by column.
    names : (str, str)
        What the two are called.
    """

    classifiers: tuple[Classifier, Classifier]
    rows: tuple[Population, Population]
    order: IntArray | None
    functions: Mapping[str, RowFunction]
    asked: Mapping[str, Metric]
    names: tuple[str, str]

    def pair(self, rows: IntArray) -> Pair:
        """Score some rows under both; of rows that are not in memory only the shards are read that hold them.

        Raises
        ------
        BadInput
            If a row has no score.
        """
        before = score(self.classifiers[0], self.rows[0], rows, functions=self.functions)
        theirs = rows if self.order is None else self.order[rows]
        try:
            after = score(self.classifiers[1], self.rows[1], theirs, functions=self.functions)
        except BadInput as error:
            raise BadInput(f"study.against={self.names[1]}: {error}") from error
        return Pair(before, after, self.asked, self.names)


def match_of(stages: Stages, other: Data) -> Match:
    """Match the rows of two files of predictions; once in a process.

    Raises
    ------
    BadInput
        If the other file cannot be read or holds other rows.
    """

    def make() -> Match:
        second, order = aligned(stages, other)
        names = names_of(stages.experiment.data, other)
        try:
            classifier = stages.experiment.model.built(other)
        except BadInput as error:
            raise BadInput(f"study.against={names[1]}: {error}") from error
        functions = stages.job().functions
        return Match((stages.classifier, classifier), (stages.rows, second), order, functions, stages.metrics, names)

    ours = f"{stages.rows.digest} {stages.classifier.digest} {stages.experiment.data!r} {stages.metrics}"
    return once(f"match {ours} {other!r} {other.stamp()}", make)
