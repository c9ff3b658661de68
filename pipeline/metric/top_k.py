"""The share of rows whose label is among the k classes held most likely."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput
from .base import Metric, Share


@dataclass
class TopK(Share):
    """Whether the label is among the k largest logits (or probabilities); among equal ones, lower classes come first.

    With k = 1 it is the accuracy. Its figures are called ``top_<k>``.

    Attributes
    ----------
    k : int
        At least 1, and below the number of classes, of which all would be right.
    """

    name: str = "top_k"
    k: int = 5

    def __post_init__(self) -> None:
        if self.k < 1:
            raise BadInput(f"metric.top_k.k must be a whole number of at least 1; found {self.k}")

    @property
    def column(self) -> str:
        """The name in columns and in MLflow's metrics: ``top_5``."""
        return f"top_{self.k}"

    @property
    def words(self) -> str:
        """The name in sentences: ``top-5 accuracy``."""
        return f"top-{self.k} accuracy"

    @classmethod
    def of_column(cls, column: str) -> Metric | None:
        """Return the metric with the k that stands in the column's name."""
        found = re.fullmatch(r"top_([1-9]\d*)", column)
        return cls(k=int(found[1])) if found else None

    def check(self, n_classes: int) -> None:
        """Refuse as many as there are classes: every row would be right."""
        if self.k >= n_classes:
            raise BadInput(
                f"metric.top_k.k must be below the data's {n_classes} classes; found {self.k}: choose a smaller one, "
                "such as metric.top_k.k=1, or leave the metric top_k out"
            )

    def values(self, outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
        """Return 1 where the label is among the k largest, else 0; of a row of label probabilities its largest counts.

        The label's place is counted rather than the row sorted: one pass, and ties are plain to see.
        """
        classes = labels.argmax(axis=1) if np.ndim(labels) == 2 else np.asarray(labels)
        own = outputs[np.arange(len(outputs)), classes][:, None]
        is_lower = np.arange(outputs.shape[1]) < classes[:, None]
        before = np.count_nonzero((outputs > own) | ((outputs == own) & is_lower), axis=1)
        return (before < self.k).astype(np.float64)
