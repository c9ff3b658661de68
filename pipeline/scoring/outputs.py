"""What a model says of a row without the label: the class it predicts, how sure it is, the odds of each class."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PREDICTED, CONFIDENCE = "predicted", "confidence"


def predicted_of_block(outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
    """Return the predicted class of each row, 0 … k - 1; a tie goes to the lowest class.

    Parameters
    ----------
    outputs : ndarray, shape (n, k) of float, or (n,) of int where the model gives labels
        What the model gives.
    labels : ndarray
        Not used.
    gives : str
        What `outputs` are: ``logits``, ``probabilities`` or ``labels``.

    Returns
    -------
    ndarray of float64, shape (n,)
        Whole numbers, in the type that scores are kept in.
    """
    return np.asarray(outputs if gives == "labels" else outputs.argmax(axis=1)).astype(np.float64)


def confidence_of_block(outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.float64]:
    """Return the probability of the predicted class of each row, 1/k … 1.

    Parameters
    ----------
    outputs, labels, gives
        As `predicted_of_block` has them, without labels.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    rows = np.asarray(outputs, dtype=np.float64)
    if gives == "probabilities":
        return rows.max(axis=1)
    # A row of nothing but -inf is refused by its loss.
    with np.errstate(invalid="ignore"):
        return np.asarray(1 / np.exp(rows - rows.max(axis=1, keepdims=True)).sum(axis=1))


# By the name of the column of scores.
SAID: dict[str, Callable[..., NDArray[Any]]] = {PREDICTED: predicted_of_block, CONFIDENCE: confidence_of_block}


@dataclass(frozen=True)
class Odds:
    """What ranks rows by a class: the log-odds of that class, or its probability where the model gives probabilities.

    The log-odds do not round where a probability next to 1 would, so that no two rows are tied that are not.

    Attributes
    ----------
    k : int
        The class.
    """

    k: int

    @property
    def column(self) -> str:
        """The name of the column of scores."""
        return f"odds_{self.k}"

    def of_block(self, outputs: NDArray[Any], labels: NDArray[Any] | None, *, gives: str) -> NDArray[np.float64]:
        """Return the odds of each row, -inf … inf; the parameters are those of `confidence_of_block`.

        Returns
        -------
        ndarray of float64, shape (n,)
        """
        rows = np.asarray(outputs, dtype=np.float64)
        if gives == "probabilities":
            return rows[:, self.k].copy()
        # Class by class, for reductions along a short last axis are slow.
        others = np.delete(rows.T, self.k, axis=0)
        top = others.max(axis=0)
        # Where all other classes have -inf, there is no weight on them.
        with np.errstate(invalid="ignore", divide="ignore"):
            rest = np.log(np.exp(others - top).sum(axis=0))
        return np.where(np.isneginf(top), np.inf, rows[:, self.k] - (top + np.where(np.isneginf(top), 0.0, rest)))


def odds_of(n_classes: int) -> list[Odds]:
    """Return what ranks the rows by all classes: of two classes that of class 1, which is that of class 0 turned."""
    return [Odds(k) for k in range(1 if n_classes == 2 else 0, n_classes)] if n_classes > 1 else []


def besides_of(needs: Collection[str], n_classes: int) -> dict[str, Callable[..., NDArray[Any]]]:
    """Return what is evaluated of a row for metrics of all rows together, by the name of the column of scores.

    Parameters
    ----------
    needs : collection of str
        ``predicted``, ``confidence`` or ``odds``, as `metric.together.Together` has them.
    n_classes : int
        Of the model.
    """
    found: dict[str, Callable[..., NDArray[Any]]] = {}
    if needs:
        found[PREDICTED] = predicted_of_block
    if CONFIDENCE in needs:
        found[CONFIDENCE] = confidence_of_block
    if "odds" in needs:
        found |= {odds.column: odds.of_block for odds in odds_of(n_classes)}
    return found
