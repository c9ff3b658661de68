"""From a block of rows to its scores: through the classifier, then loss, accuracy and further metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import accuracy, loss
from ..errors import BadInput
from ..metric.columns import of_column
from ..model.base import Classifier, unchanged
from ..records.probabilities import TOLERANCE, are_distributions, is_off, row_sums
from ..records.rows import Block
from ..records.scores import Scores
from .outputs import PREDICTED

# Rows the classifier is given at once: a block's pixels as float32 stay in a core's own cache.
BLOCK = 512


# What is evaluated of each row of a block: (outputs, labels, *, gives) to one value a row, shape (n,).
RowFunction = Callable[..., NDArray[Any]]


def main_functions() -> dict[str, RowFunction]:
    """Return the functions of the loss and of the accuracy."""
    return {"loss": loss.of_block, "accuracy": accuracy.of_block}


@dataclass(frozen=True, eq=False)
class BlockScorer:
    """From a block of rows to its scores.

    Attributes
    ----------
    classifier : Classifier
    scale : float
        Of the inputs as stored.
    cap : float or None
        Losses above it count as it, nats.
    functions : mapping of str to callable
        What is evaluated of a row, by metric.
    """

    classifier: Classifier
    scale: float
    cap: float | None
    functions: Mapping[str, RowFunction]

    @cached_property
    def _forward(self) -> Callable[[NDArray[Any]], NDArray[Any]]:
        return self.classifier.from_stored(self.scale)

    def __call__(self, block: Block, *, where: Callable[[int], str]) -> Scores:
        """Score a block of rows; `where` says for an error which of them a row is."""
        gives, labels = self.classifier.gives, block.labels
        outputs = in_blocks(self._forward, block.inputs)
        if gives == "scores":
            return self._capped(dict(zip(self.classifier.metrics, outputs.T, strict=True)))
        assert labels is not None
        if gives == "labels":
            truth = labels.argmax(axis=1) if labels.ndim == 2 else labels
            said = {PREDICTED: self.functions[PREDICTED]} if PREDICTED in self.functions else {}
            further = {name: function(outputs, labels, gives=gives) for name, function in said.items()}
            return Scores(None, outputs == truth, further=further)
        if gives == "probabilities" and not self.classifier.is_checked:
            refuse_sums(outputs, where)
        columns = {metric: function(outputs, labels, gives=gives) for metric, function in self.functions.items()}
        return self._capped(columns, ties=int(np.count_nonzero(accuracy.is_tied(outputs))))

    def _capped(self, columns: dict[str, NDArray[Any]], ties: int = 0) -> Scores:
        capped = 0
        for name, values in columns.items():
            if self.cap is not None and of_column(name).takes_loss_cap:
                capped += int(np.count_nonzero(values > self.cap))
                columns[name] = np.minimum(values, self.cap)
        if "accuracy" in columns:
            columns["accuracy"] = columns["accuracy"].astype(np.bool_, copy=False)
        return Scores.of(columns, ties=ties, capped=capped)


def in_blocks(forward: Callable[[NDArray[Any]], NDArray[Any]], inputs: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs of rows, block by block; more than one as a view (n, k) of a contiguous (k, n)."""
    if forward is unchanged or len(inputs) <= BLOCK:
        return forward(inputs)
    blocks = [forward(inputs[start : start + BLOCK]).T for start in range(0, len(inputs), BLOCK)]
    return np.concatenate(blocks, axis=-1).T


def refuse_sums(probabilities: NDArray[Any], where: Callable[[int], str], tolerance: float = TOLERANCE) -> None:
    """Refuse rows of probabilities that do not sum to 1, or are below 0; nothing is normalised.

    Raises
    ------
    BadInput
        With the first such row, and by how much it is off.
    """
    if are_distributions(probabilities, tolerance):
        return
    sums, lowest = row_sums(probabilities), probabilities.min(axis=1)
    row = int((is_off(sums, tolerance) | (lowest < 0)).argmax())
    found = f"{sums[row] - 1:+.3g} off" if lowest[row] >= 0 else f"{lowest[row]:.3g}"
    raise BadInput(
        f"probabilities must be 0 or more and sum to 1 within {tolerance:g}; found {found} in {where(row)}: mend "
        "that row, or give logits"
    )
