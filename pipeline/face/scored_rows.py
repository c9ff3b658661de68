"""Rows with a value for each metric: what every function of the face but `scores` takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput, brief
from ..estimation.scored_units import ScoredUnits
from ..estimation.whole_metrics import WholeValue
from ..metric.base import Metric
from ..metric.together import Together
from ..records.rows import Dataset, IntArray, Population
from ..records.scores import Scores
from ..sampling.base import Plan
from ..sampling.units import Units, units_of
from ..sampling.without_replacement import SimplePlan
from ..study.together import Truth, said_of
from .checks import kind_of

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False, repr=False)
class ScoredRows:
    """Rows with a value for each metric: what every other function takes. Made by `scores`.

    Attributes
    ----------
    scores : Scores
        The values by metric, each of shape (n,).
    metrics : mapping of str to Metric
        What they are of.
    together : mapping of str to Metric
        The metrics of all rows together that are asked for, such as ``auc``.
    rows : Population
        The rows: labels, groups, weights, and the digest of the content.
    units : Units
        What is drawn of them: rows, or whole groups.
    name : str
        For display.
    by : ndarray of shape (n,) or None
        The slice of each row.
    request : mapping of str to object
        The options by which a command reads these rows, in which a table in memory stands for its path; empty where
        there are none: of a file with a column given as an array.

    Examples
    --------
    >>> import pipeline as bs
    >>> rows = bs.scores([0, 1, 1], logits=[[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    >>> len(rows), rows.values("accuracy").tolist()
    (3, [1.0, 1.0, 0.0])
    """

    scores: Scores
    metrics: Mapping[str, Metric]
    rows: Population = field(repr=False)
    units: Units = field(repr=False)
    name: str
    by: NDArray[Any] | None = None
    together: Mapping[str, Together] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        n, slices = len(self), "" if self.by is None else f", {len(self.slices):,} slices"
        unit = "" if self.units.starts is None else f" in {self.units.size:,} groups"
        return f"<{self.name}: {n:,} row{'s' * (n != 1)}{unit} of {', '.join(self.asked)}{slices}>"

    @property
    def asked(self) -> dict[str, Metric]:
        """All metrics that are asked for: those of a row, and those of all rows together."""
        return {**self.metrics, **self.together}

    @cached_property
    def truth(self) -> Truth:
        """The labels, for metrics of all rows together."""
        return Truth.of(self.rows.labels, self.rows.n_classes)

    def value(self, name: str) -> WholeValue:
        """Return a metric of all rows together.

        Raises
        ------
        NoValue
            If it has none on these rows.
        """
        return said_of(self.scores, self.truth).value(name)

    def values(self, metric: str) -> NDArray[np.float64]:
        """Return the values of a metric, shape (n,): nats for ``loss``, 0 and 1 for ``accuracy``."""
        return self.scores.values(metric)

    def scored_units(self, plan: Plan | None = None, *, loss_cap: float | None = None) -> ScoredUnits:
        """Return the metrics' values by sampling unit, with a plan (None: all units once), losses cut to a cap."""
        size = self.units.size
        columns, capped = {name: self.scores.columns[name] for name in self.metrics}, 0
        if loss_cap is not None and "loss" in columns:
            capped = int(np.count_nonzero(columns["loss"] > loss_cap))
            columns["loss"] = np.minimum(columns["loss"], loss_cap)
        return ScoredUnits(Scores.of(columns, capped=capped), self.units, plan or SimplePlan(size, size))

    def to_frame(self) -> pd.DataFrame:
        """Return a row each, with a column for each metric, and ``by`` where there are slices."""
        import pandas as pd

        columns = {name: self.scores.columns[name] for name in self.metrics}
        return pd.DataFrame({**columns, **({} if self.by is None else {"by": self.by})})

    @cached_property
    def slices(self) -> tuple[str, ...]:
        """The names of the slices, sorted; empty without ``by``."""
        return () if self.by is None else tuple(map(str, np.unique(self.by)))

    def rows_of_slice(self, name: object) -> IntArray:
        """Return which rows a slice holds.

        Raises
        ------
        BadInput
            If there is no such slice.
        """
        if self.by is None or str(name) not in self.slices:
            raise BadInput(
                f"a slice must be one of {brief(', '.join(self.slices)) or 'by=, which was not given'}; found "
                f"{brief(name)}: name another"
            )
        return np.flatnonzero(self.by.astype(str) == str(name))

    def slice(self, name: object) -> ScoredRows:
        """Return the rows of one slice; raises BadInput if there is none of that name."""
        own, called = self.rows_of_slice(name), f"{self.name}, {name}"
        part = _part(self.rows, own, called)
        scores, units = self.scores.take(own), units_of(self.rows, own)
        return ScoredRows(scores, self.metrics, part, units, called, together=self.together)


def _part(rows: Population, own: IntArray, name: str) -> Dataset:
    """Some rows of a population that are scored already: without their predictions."""
    labels: Any = None if rows.labels is None else rows.labels[own]
    digest = f"{rows.digest} {name}"
    return Dataset(np.empty((len(own), 0)), labels, rows.n_classes, 1.0, name, digest, class_names=rows.class_names)


def check_rows(**given: object) -> None:
    """Refuse what is no `ScoredRows`.

    Raises
    ------
    BadInput
        If one is none.
    """
    for name, value in given.items():
        if not isinstance(value, ScoredRows):
            raise BadInput(
                f"{name} must be what bs.scores returns; found {kind_of(value)}: bs.scores(…) makes it of arrays, a "
                "DataFrame or a file"
            )
