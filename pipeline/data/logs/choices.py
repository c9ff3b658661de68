"""Multiple-choice rows of lm-evaluation-harness: log-likelihoods of the choices, the correct choice, and the loss."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, brief
from .answers import right_or_wrong


@dataclass(frozen=True, slots=True)
class Choices:
    """One multiple-choice row of a log.

    Attributes
    ----------
    scores : tuple of float, length k
        The log-likelihoods of the choices in nats.
    by_index, by_text : int or None
        The correct choice, if the target is read as an index, or as the text of a choice; None if it cannot be read so.
    right : bool or None
        The logged metric ``acc``: whether the most likely choice is correct; None if it was not logged.
    is_single : bool
        Whether the target names exactly one choice.
    where : str
        The line in its file, for messages.
    """

    scores: tuple[float, ...]
    by_index: int | None
    by_text: int | None
    right: bool | None
    is_single: bool
    where: str

    @property
    def answer(self) -> int:
        """The most likely choice, the first of equals, as lm-evaluation-harness defines it."""
        return self.scores.index(max(self.scores))

    @property
    def by_acc(self) -> int | None:
        """The correct choice, if it follows from ``acc`` alone: there are two choices."""
        if len(self.scores) != 2 or self.right is None or not self.is_single:
            return None
        return self.answer if self.right else 1 - self.answer


def choices_of(record: Mapping[str, Any], metrics: Mapping[str, object], *, where: str) -> Choices | None:
    """Return the choices of a line; None unless it has two or more pairs of log-likelihood and flag.

    Raises
    ------
    BadInput
        If a log-likelihood is NaN or +inf, or all are -inf.
    """
    pairs = record["filtered_resps"]
    if not isinstance(pairs, list) or len(pairs) < 2 or not all(_is_pair(pair) for pair in pairs):
        return None
    # With this metric the second half of the pairs are the choices scored without their question.
    if "acc_mutual_info" in metrics and len(pairs) % 2 == 0:
        pairs = pairs[: len(pairs) // 2]
    scores = tuple(float(pair[0]) for pair in pairs)
    if any(math.isnan(score) or score == math.inf for score in scores) or max(scores) == -math.inf:
        raise BadInput(
            f"{where} must have log-likelihoods that are numbers; found {brief(list(scores))}: evaluate the model again"
        )
    target, k = record["target"], len(scores)
    return Choices(
        scores=scores,
        by_index=_index(target, k),
        by_text=_position(target, _texts(record, k)),
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
    """Return the texts of the choices: the scored texts, or the document's if the former are equal (winogrande)."""
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


def _position(target: object, texts: Sequence[str]) -> int | None:
    text = str(target).strip()
    return texts.index(text) if text in texts else None


def labels_of(rows: Sequence[Choices]) -> tuple[list[int], str]:
    """Return the correct choice of each row of one task.

    The targets of a task are all indices or all texts of choices. If both readings are possible, the one that agrees
    with ``acc`` is used. If neither is, but all rows have two choices, ``acc`` alone gives the correct one.

    Returns
    -------
    list of int
        The labels; empty if they cannot be determined.
    str
        The reason why they cannot be determined; otherwise empty.

    Raises
    ------
    BadInput
        If every possible reading of the targets contradicts ``acc``.
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
    """Return the log-likelihoods, shape (N, k), filled up with -inf in rows of fewer than k choices."""
    logits = np.full((len(rows), max(len(row.scores) for row in rows)), -np.inf)
    for i, row in enumerate(rows):
        logits[i, : len(row.scores)] = row.scores
    return logits


def cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return −log softmax(logits)[label] in nats, shape (N,)."""
    # The maximum is subtracted, because exp of the log-likelihood of a long text underflows to 0.
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
