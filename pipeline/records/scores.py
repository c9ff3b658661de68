"""Scores: the loss, correctness and further metrics of every evaluated row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .rows import IntArray


class Scores:
    """One value of each metric for each of the n evaluated rows.

    Parameters
    ----------
    loss : ndarray of float64 (float32 where stored on disk), shape (n,), or None
        Cross-entropy in nats, 0 … inf; None if the model gives labels alone.
    correct : ndarray of bool, shape (n,), or None
        Whether the largest logit is the label's; None if only losses are known.
    further : mapping of str to ndarray of float, shape (n,)
        Values of further metrics, by name.
    ties : int
        How many rows have a largest logit shared by two or more classes (the lowest index was taken).
    capped : int
        How many losses were above the cap and are counted as the cap; 0 without a cap.

    Raises
    ------
    ValueError
        If there is no metric at all.
    """

    def __init__(
        self,
        loss: NDArray[Any] | None,
        correct: NDArray[np.bool_] | None,
        *,
        further: Mapping[str, NDArray[Any]] | None = None,
        ties: int = 0,
        capped: int = 0,
    ) -> None:
        columns = {"loss": loss, "accuracy": correct, **(further or {})}
        self.columns = {metric: column for metric, column in columns.items() if column is not None}
        if not self.columns:
            raise ValueError("scores must have at least one metric; found none")
        self.ties, self.capped = ties, capped

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]], *, ties: int = 0, capped: int = 0) -> Scores:
        """Return scores from columns by metric name, in their order; ``loss`` and ``accuracy`` may be among them."""
        return cls(None, None, further=columns, ties=ties, capped=capped)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the metrics, ``loss`` and ``accuracy`` first."""
        return tuple(self.columns)

    @property
    def loss(self) -> NDArray[Any]:
        """The losses, nats, shape (n,); raises BadInput if there are none."""
        return self._column("loss")

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each row is correct, shape (n,); raises BadInput if that is not known."""
        return self._column("accuracy")

    @property
    def is_stored(self) -> bool:
        """Whether the values are memory maps of files, which are read as they are needed."""
        return any(isinstance(column, np.memmap) for column in self.columns.values())

    def values(self, metric: str) -> NDArray[np.float64]:
        """Return a metric's values as float64 in memory, shape (n,); raises BadInput if there are none."""
        return np.asarray(self._column(metric)).astype(np.float64, copy=False)

    def take(self, rows: IntArray | slice) -> Scores:
        """Return the scores of some rows; the counts of ties and capped losses are not carried over."""
        return Scores.of({metric: column[rows] for metric, column in self.columns.items()})

    def _column(self, metric: str) -> NDArray[Any]:
        if metric not in self.columns:
            what = {"loss": "the loss of each row", "accuracy": "whether each row is right"}.get(metric, metric)
            raise BadInput(
                f"this needs {what}; found only the {' and the '.join(self.columns)} of each: give logits or "
                "probabilities, or choose a study that does without"
            )
        return self.columns[metric]
