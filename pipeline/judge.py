"""From a block of rows to its scores: through the classifier, then loss, accuracy and further metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.accuracy import is_correct, is_tied
from pipeline.errors import BadInput
from pipeline.loss import checked_classes, cross_entropy, cross_entropy_of_probabilities
from pipeline.metric.base import Metric
from pipeline.model.base import Classifier, unchanged
from pipeline.records import Block, Scores

# How far a row of probabilities may be off from 1: what rounding to four digits may do to ten of them.
_SUM_TOLERANCE = 1e-3
# Rows the classifier is given at once: a block's pixels as float32 stay in a core's own cache.
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Judge:
    """From a block of rows to its scores.

    Attributes
    ----------
    classifier : Classifier
    scale : float
        Of the inputs as stored.
    cap : float or None
        Losses above it count as it, nats.
    further : mapping of str to Metric
        Metrics besides loss and accuracy.
    """

    classifier: Classifier
    scale: float
    cap: float | None
    further: Mapping[str, Metric]

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
            return Scores(None, outputs == truth)
        if gives == "probabilities" and not self.classifier.is_checked:
            refuse_sums(outputs, where)
        loss, correct, ties = _judged(outputs, labels, gives)
        columns = {"loss": loss, "accuracy": correct}
        for name, metric in self.further.items():
            columns[name] = metric.values(outputs, labels, gives=gives)
        return self._capped(columns, ties=ties)

    def _capped(self, columns: dict[str, NDArray[Any]], ties: int = 0) -> Scores:
        capped = 0
        if "loss" in columns and self.cap is not None:
            capped = int(np.count_nonzero(columns["loss"] > self.cap))
            columns["loss"] = np.minimum(columns["loss"], self.cap)
        if "accuracy" in columns:
            columns["accuracy"] = columns["accuracy"].astype(np.bool_, copy=False)
        return Scores.of(columns, ties=ties, capped=capped)


def _judged(
    outputs: NDArray[Any], labels: NDArray[Any], gives: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Loss, whether right, and the number of ties of a block of rows."""
    if gives == "logits" and labels.ndim == 1:
        return judge_logits(outputs, labels)
    with np.errstate(invalid="ignore"):
        loss = (cross_entropy if gives == "logits" else cross_entropy_of_probabilities)(outputs, labels)
    return loss, is_correct(outputs, labels), int(np.count_nonzero(is_tied(outputs)))


def judge_logits(
    logits: NDArray[Any], labels: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Judge rows by integer labels in one pass: `cross_entropy`, `is_correct` and `is_tied`, to the last bit.

    Parameters
    ----------
    logits : ndarray of float32 or float64, shape (n, k)
        Fastest as a view of a contiguous (k, n) that stays in a core's cache.
    labels : ndarray of int, shape (n,)
        The true classes 0 … k - 1.

    Returns
    -------
    loss : ndarray of float64, shape (n,)
        In nats; nan where the logits make no probabilities: then the rest is not to be relied on.
    correct : ndarray of bool, shape (n,)
        A tie goes to the lowest class.
    ties : int
        Rows whose largest logit two or more classes share.

    Raises
    ------
    ValueError
        If a label is no class.
    """
    turned = np.ascontiguousarray(logits.T)
    classes = checked_classes(labels, *reversed(turned.shape))
    with np.errstate(invalid="ignore", under="ignore"):
        shifted = turned - turned.max(axis=0)
        own = shifted.ravel().take(classes * len(classes) + np.arange(len(classes)))
        is_largest = shifted == 0
        correct, ties = own == 0, 0
        # Each row has a largest logit; more of them in all than rows, and some are shared.
        if np.count_nonzero(is_largest) > len(classes):
            tied = np.flatnonzero(is_largest.sum(axis=0) > 1)
            correct[tied] = is_largest[:, tied].argmax(axis=0) == classes[tied]
            ties = len(tied)
        np.exp(shifted, out=shifted)
        return np.log(shifted.sum(axis=0, dtype=np.float64)) - own, correct, ties


def in_blocks(forward: Callable[[NDArray[Any]], NDArray[Any]], inputs: NDArray[Any]) -> NDArray[Any]:
    """Return the outputs of rows, block by block; more than one as a view (n, k) of a contiguous (k, n)."""
    if forward is unchanged or len(inputs) <= BLOCK:
        return forward(inputs)
    blocks = [forward(inputs[start : start + BLOCK]).T for start in range(0, len(inputs), BLOCK)]
    return np.concatenate(blocks, axis=-1).T


def refuse_sums(probabilities: NDArray[Any], where: Callable[[int], str], tolerance: float = _SUM_TOLERANCE) -> None:
    """Refuse rows of probabilities that do not sum to 1, or are below 0; nothing is normalised.

    Raises
    ------
    BadInput
        With the first such row, and by how much it is off.
    """
    sums = probabilities.sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(sums - 1) <= tolerance) | (probabilities.min(axis=1) < 0)
    if wrong.any():
        row = int(wrong.argmax())
        found = f"{sums[row] - 1:+.3g} off" if probabilities[row].min() >= 0 else f"{probabilities[row].min():.3g}"
        raise BadInput(
            f"probabilities must be 0 or more and sum to 1 within {tolerance:g}; found {found} in {where(row)}: mend "
            "that row, or give logits"
        )
