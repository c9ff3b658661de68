"""From scores to what the metrics of all rows together are made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from ..estimation.whole_metrics import Said
from ..metric.together import TOGETHER, Together
from ..records.rows import IntArray
from ..records.scores import Scores
from ..records.stored import MOST_IN_MEMORY
from ..scoring.outputs import CONFIDENCE, PREDICTED, besides_of, odds_of


@dataclass(frozen=True, eq=False)
class Truth:
    """The labels of the rows, where these have classes.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,), or None
    n_classes : int
        0 where there are none.
    """

    labels: NDArray[np.int64] | None
    n_classes: int

    @classmethod
    def of(cls, labels: NDArray[Any] | None, n_classes: int) -> Truth:
        """Return it; of label probabilities the largest counts, the lowest class on a tie."""
        if labels is None or not n_classes:
            return cls(None, 0)
        return cls(np.asarray(labels.argmax(axis=1) if labels.ndim == 2 else labels).astype(np.int64), n_classes)

    def take(self, rows: IntArray) -> Truth:
        """Return that of some rows."""
        return Truth(None if self.labels is None else self.labels[rows], self.n_classes)


def together_of(names: Iterable[str]) -> dict[str, Together]:
    """Return those of the names that are metrics of all rows together, each once."""
    return {name: TOGETHER[name] for name in names if name in TOGETHER}


def evaluated_for(names: Iterable[str], n_classes: int, n_rows: int) -> dict[str, Callable[..., NDArray[Any]]]:
    """Return what is evaluated of a row for the metrics of all rows together.

    Parameters
    ----------
    names : iterable of str
        Metrics; those of a row need nothing besides.
    n_classes, n_rows : int

    Raises
    ------
    BadInput
        If that is more than memory should hold.
    """
    besides = besides_of({metric.needs for metric in together_of(names).values()}, n_classes)
    if len(besides) * n_rows > MOST_IN_MEMORY:
        raise BadInput(
            f"metrics of all rows together must need at most {MOST_IN_MEMORY:,} numbers in memory; found {n_rows:,} "
            f"rows with {len(besides):,} each: leave {', '.join(together_of(names))} out"
        )
    return besides


def said_of(scores: Scores, truth: Truth) -> Said:
    """Return what a model says of the rows, as far as its scores have it.

    Parameters
    ----------
    scores : Scores
        With the columns of `scoring.outputs.besides_of`.
    truth : Truth
        Of rows that have classes.
    """
    assert truth.labels is not None
    there, odds = scores.metrics, [each.column for each in odds_of(truth.n_classes)]
    found = [scores.values(name) for name in odds] if odds and set(odds) <= set(there) else None
    if found is not None and truth.n_classes == 2:
        found = [-found[0], *found]
    return Said(
        truth.labels,
        truth.n_classes,
        scores.values(PREDICTED).astype(np.int64) if PREDICTED in there else None,
        scores.values(CONFIDENCE) if CONFIDENCE in there else None,
        None if found is None else np.stack(found, axis=1),
    )
