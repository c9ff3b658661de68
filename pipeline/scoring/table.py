"""A table of predictions that is scored at once, without a run: arrays, a DataFrame, or a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.class_names import given_names, refuse_empty
from ..data.formats.base import Source
from ..data.formats.held import HeldSource
from ..data.groups_and_weights import with_columns
from ..data.layout import Layout, layout_of
from ..data.predictions import rows_of
from ..errors import BadInput, brief
from ..metric.base import Metric
from ..metric.chosen import further_functions, kept_of, known_of, refuse_unknown
from ..metric.together import TOGETHER
from ..model.given import GivenClassifier
from ..records.rows import Dataset, Population
from ..records.scores import Scores
from .block import main_functions
from .held_table import HeldTable
from .outputs import PREDICTED, besides_of
from .rows import score


@dataclass(frozen=True, eq=False)
class Table:
    """A table of predictions, whose columns are found and checked as ``data=predictions`` does; nothing is cached.

    Attributes
    ----------
    source : Source
        The table.
    named : mapping of str to str
        Columns of predictions that are called otherwise.
    is_arrays : bool
        Whether it was made of arrays, so that no column has a name of the user's.
    path : str or None
        The file that it was read from.
    """

    source: Source
    named: Mapping[str, str] = field(default_factory=dict)
    is_arrays: bool = False
    path: str | None = None

    @classmethod
    def of(cls, labels: Any, given: Mapping[str, Any], name: str) -> Table:
        """Return the table that labels and predictions make, or that stands in place of the labels.

        Parameters
        ----------
        labels : array_like of shape (n,), DataFrame, str, Path or None
        given : mapping of str to array_like or str
            Predictions: ``logits``, ``probabilities``, ``loss``, ``correct``; the names of columns in a table.
        name : str
            For display; empty for the usual one.

        Raises
        ------
        BadInput
            If there is no such file, or no predictions.
        """
        texts = {key: value for key, value in given.items() if isinstance(value, str)}
        if isinstance(labels, str | Path):
            path = Path(labels).expanduser()
            return cls(_of_file(path), texts, path=str(path.absolute()))
        if hasattr(labels, "columns") and hasattr(labels, "to_numpy"):
            return cls(_of_frame(labels, name or "DataFrame"), texts)
        for key, text in texts.items():
            raise BadInput(
                f"{key} must be an array where there is no table; found the text {brief(text)!r}: give a DataFrame or "
                "a file first, whose columns can then be named"
            )
        if not given:
            raise BadInput("scores must be given logits, probabilities, loss or correct; found none of them: add one")
        arrays = {**({} if labels is None else {"label": labels}), **given}
        return cls(HeldSource(name or "sample", arrays), is_arrays=True)

    @property
    def name(self) -> str:
        """For display."""
        return self.source.name

    def column(self, value: Any, key: str) -> NDArray[Any] | None:
        """Return a further column, by its name in the table or as it was given; None stays None.

        Raises
        ------
        BadInput
            If there is no such column, or it has an empty text in some row.
        """
        if value is None or not isinstance(value, str):
            return None if value is None else np.asarray(value)
        if self.is_arrays or value not in self.source.columns:
            there = "arrays" if self.is_arrays else ", ".join(self.source.columns)
            raise BadInput(f"{key} must be an array, or a column of the table; found {brief(value)} and {brief(there)}")
        values = self.source.column(value)
        refuse_empty(values, value, self.source.where)
        return values

    def held(self, *, label: str, classes: Sequence[str] | None, **further: Any) -> HeldTable | None:
        """Return what a command would have to read of arrays or a DataFrame; None of a file, which is there.

        Parameters
        ----------
        label, classes
            As `scored` has them.
        **further
            Columns besides, by name: arrays of shape (n,), names of columns, or None.
        """
        if not isinstance(self.source, HeldSource) or self.path is not None:
            return None
        layout = self._layout(label, classes)
        columns = {key: self.column(value, key) for key, value in further.items()}
        return HeldTable.of(self.source, layout.wanted, {**self.named, "label": label}, columns)

    def scored(
        self,
        metrics: Mapping[str, Metric],
        *,
        label: str = "label",
        classes: Sequence[str] | None = None,
        masked: bool = False,
        group: NDArray[Any] | None = None,
        weight: NDArray[Any] | None = None,
        together: Collection[str] = (),
    ) -> tuple[Population, Scores, dict[str, Metric]]:
        """Return the rows, their scores, and those of the metrics asked for that the predictions tell.

        For metrics of all rows together (`together`) the scores have the columns of `outputs.besides_of` as well. Where
        the predictions are labels, the classes are those that are found in the table, by name.

        Raises
        ------
        BadInput
            If the table holds no predictions, a row is none, or a metric cannot be told.
        """
        layout = self._layout(label, classes)
        refuse_unknown(metrics, gives=layout.gives, given=layout.metrics, n_classes=layout.n_classes)
        needs = {TOGETHER[name].needs for name in together}
        _refuse_untold(together, layout.gives)
        rows: Population = with_columns(rows_of(self.source, layout, masked=masked), group=group, weight=weight)
        known = known_of(metrics, gives=layout.gives, given=layout.metrics)
        if layout.gives == "labels":
            return *self._labelled(layout, rows, needs), known
        besides = besides_of(needs, layout.n_classes)
        functions = {**main_functions(), **further_functions(metrics), **besides}
        found = score(GivenClassifier(layout), rows, functions=functions)
        return rows, kept_of(found, metrics, besides), known

    def _layout(self, label: str, classes: Sequence[str] | None) -> Layout:
        names = None if classes is None else given_names(list(classes))
        columns, where = self.source.columns, self.name
        return layout_of(columns, where=where, label=label, classes=names, labelled=True, **self.named)

    def _labelled(self, layout: Layout, rows: Population, needs: Collection[str]) -> tuple[Population, Scores]:
        """Return rows whose classes are those that are found here, and their scores."""
        # Without the names of all classes, which would be looked up in the cache.
        said, truth = (self.source.column(str(name)) for name in (layout.columns[0], layout.label))
        both = np.concatenate([said, truth])
        names, codes = np.unique(both.astype(str) if both.dtype == object else both, return_inverse=True)
        predicted, labels = np.split(codes.astype(np.int64), 2)
        inputs = predicted[:, None].astype(np.float64)
        numbered = Dataset(
            inputs, labels, len(names), 1.0, rows.name, rows.digest, rows.groups, rows.weights,
            class_names=tuple(map(str, names)),
        )  # fmt: skip
        further = {PREDICTED: inputs[:, 0]} if needs else {}
        return numbered, Scores(None, said == truth, further=further)


def _refuse_untold(together: Collection[str], gives: str) -> None:
    """Refuse metrics of all rows together that the predictions do not tell."""
    for name in together:
        if gives == "scores" or (gives == "labels" and TOGETHER[name].needs != PREDICTED):
            what = "labels" if gives == "labels" else "scores"
            raise BadInput(
                f"the metric {name} needs the model's logits or probabilities; found {what} alone: leave it out"
            )


def _of_frame(frame: Any, name: str) -> HeldSource:
    return HeldSource(name, {str(key): frame[key].to_numpy() for key in frame.columns})


def _of_file(path: Path) -> Source:
    if not path.exists():
        raise BadInput(f"a file of predictions must exist; found none at {brief(path)}: check the path")
    from ..data.formats.open_table import open_table

    return open_table(str(path.absolute()), "test", is_cached=False)
