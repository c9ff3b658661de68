"""Multiple-choice rows: the log-likelihoods of the choices, the right one, and the loss."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import BadInput
from pipeline.logs.answers import right_or_wrong, shown


@dataclass(frozen=True, slots=True)
class Choices:
    """One multiple-choice row of a log.

    Attributes
    ----------
    scores : tuple of float, length k
        Log-likelihoods of the choices in nats.
    by_index, by_text : int or None
        The right choice if the target is its index, or its text; None if it cannot be.
    right : bool or None
        The harness's own ``acc``: whether the likeliest choice is right; None if it was not logged.
    is_single : bool
        Whether one choice alone is right.
    where : str
        The line, for errors.
    """

    scores: tuple[float, ...]
    by_index: int | None
    by_text: int | None
    right: bool | None
    is_single: bool
    where: str

    @property
    def answer(self) -> int:
        """The likeliest choice, the first of equals, as the harness has it."""
        return self.scores.index(max(self.scores))

    @property
    def by_acc(self) -> int | None:
        """The right choice of two, told from whether the answer was right."""
        if len(self.scores) != 2 or self.right is None or not self.is_single:
            return None
        return self.answer if self.right else 1 - self.answer


def choices_of(record: Mapping[str, Any], metrics: Mapping[str, object], *, where: str) -> Choices | None:
    """Return the choices of a line; None if it does not hold two or more pairs of log-likelihood and flag.

    Raises
    ------
    BadInput
        If a log-likelihood is NaN or +inf, or all are -inf.
    """
    pairs = record["filtered_resps"]
    if not isinstance(pairs, list) or len(pairs) < 2 or not all(_is_pair(pair) for pair in pairs):
        return None
    # With this metric each choice is scored twice, and once more without its question in the second half.
    if "acc_mutual_info" in metrics and len(pairs) % 2 == 0:
        pairs = pairs[: len(pairs) // 2]
    scores = tuple(float(pair[0]) for pair in pairs)
    if any(math.isnan(score) or score == math.inf for score in scores) or max(scores) == -math.inf:
        raise BadInput(
            f"{where} must have log-likelihoods that are numbers; found {shown(list(scores))}: evaluate the model again"
        )
    target, k = record["target"], len(scores)
    return Choices(
        scores=scores,
        by_index=_index(target, k),
        by_text=_place(target, _texts(record, k)),
        right=right_or_wrong(metrics.get("acc")),
        is_single=not isinstance(target, list) and not re.fullmatch(r"\s*\[.*\]\s*", str(target), re.DOTALL),
        where=where,
    )


def _is_pair(pair: object) -> bool:
    if not isinstance(pair, list) or len(pair) != 2 or str(pair[1]) not in ("True", "False"):
        return False
    try:
        float(pair[0])
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _index(target: object, k: int) -> int | None:
    text = str(target).strip()
    return int(text) if re.fullmatch("[0-9]{1,6}", text) and int(text) < k else None


def _texts(record: Mapping[str, Any], k: int) -> list[str]:
    """The choices' texts: what was scored, or the document's where that is the same for all (winogrande)."""
    arguments, doc = record.get("arguments"), record["doc"]
    try:
        if isinstance(arguments, dict):
            scored = [arguments[f"gen_args_{i}"]["arg_1"] for i in range(k)]
        else:
            scored = [argument[1] for argument in arguments or []][:k]
    except (KeyError, IndexError, TypeError):
        scored = []
    given = doc.get("choices") if isinstance(doc, dict) else None
    given = given.get("text") if isinstance(given, dict) else given
    for texts in (scored, given):
        if isinstance(texts, list) and len(texts) == k and all(isinstance(text, str) for text in texts):
            stripped = [text.strip() for text in texts]
            if len(set(stripped)) > 1:
                return stripped
    return []


def _place(target: object, texts: Sequence[str]) -> int | None:
    text = str(target).strip()
    return texts.index(text) if text in texts else None


def labels_of(rows: Sequence[Choices]) -> tuple[list[int], str]:
    """Tell the right choice of each row of one task.

    A target is an index or a choice's text, the same in all rows; which of them, ``acc`` tells if it was logged. If it
    is neither, ``acc`` tells the right one of two choices.

    Returns
    -------
    list of int
        The labels; empty if they cannot be told.
    str
        Why not.

    Raises
    ------
    BadInput
        If every reading of the targets contradicts ``acc``.
    """
    readings = [[row.by_index for row in rows], [row.by_text for row in rows]]
    complete = [[label for label in reading if label is not None] for reading in readings if None not in reading]
    agreeing = [labels for labels in complete if _contradiction(rows, labels) is None]
    if agreeing and all(labels == agreeing[0] for labels in agreeing):
        return agreeing[0], ""
    if agreeing:
        return [], "the targets may be indices or texts of choices"
    if complete:
        row, label = _contradiction(rows, complete[0]) or (rows[0], complete[0][0])
        raise BadInput(
            f"{row.where} must have acc 1 where the likeliest choice is the target, else 0; found acc "
            f"{int(bool(row.right))} with choice {row.answer} likeliest and target {label}: read it without the loss"
        )
    by_acc = [row.by_acc for row in rows]
    if None not in by_acc:
        return [label for label in by_acc if label is not None], ""
    n_several = sum(not row.is_single for row in rows)
    return [], "a target names several choices" if n_several else "a target names no choice"


def _contradiction(rows: Sequence[Choices], labels: Sequence[int]) -> tuple[Choices, int] | None:
    for row, label in zip(rows, labels, strict=True):
        if row.right is not None and row.right != (row.answer == label):
            return row, label
    return None


def padded(rows: Sequence[Choices]) -> NDArray[np.float64]:
    """Return the log-likelihoods, shape (N, k), -inf where a row has fewer than k choices."""
    logits = np.full((len(rows), max(len(row.scores) for row in rows)), -np.inf)
    for i, row in enumerate(rows):
        logits[i, : len(row.scores)] = row.scores
    return logits


def cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return −log softmax(logits)[label] in nats, shape (N,): how unlikely the right choice is among the choices."""
    # Without the largest, the exponentials of log-likelihoods of long texts would all be 0.
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
