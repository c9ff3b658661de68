"""Whether each example is classified right; the share of them is the accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def of_block(outputs: NDArray[Any], labels: NDArray[Any], *, gives: str) -> NDArray[np.bool_]:
    """Tell for each row of a block of a model's outputs whether it is right: the stage that a run evaluates.

    Parameters
    ----------
    outputs : ndarray of float, shape (n, k)
        Fastest as a view of a contiguous (k, n) that stays in a core's cache.
    labels : ndarray, shape (n,) of int or (n, k) of float
        The true classes 0 … k - 1, or a row of label probabilities each.
    gives : str
        What `outputs` are: ``logits`` or ``probabilities``; the largest counts in both.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If the shapes do not match.
    """
    return is_correct(outputs, labels)


def is_correct(logits: ArrayLike, labels: ArrayLike) -> NDArray[np.bool_]:
    """Tell for each example whether its largest logit is the label's; a tie goes to the lowest class.

    Parameters
    ----------
    logits : array_like of float, shape (n, k)
        Or probabilities: only their order within a row counts.
    labels : array_like, shape (n,) of int or (n, k) of float
        The true classes 0 … k - 1, or a row of label probabilities each, whose largest (lowest on a tie) counts.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    ValueError
        If the shapes do not match.

    Examples
    --------
    >>> is_correct([[1.0, 1.0], [0.2, 0.8]], [1, 1]).tolist()
    [False, True]
    """
    turned = _turned(logits)
    found = np.asarray(labels)
    classes = found.argmax(axis=1) if found.ndim == 2 and found.shape == turned.shape[::-1] else found
    if classes.shape != turned.shape[1:]:
        raise ValueError(f"labels must match the logits' shape {turned.shape[::-1]}; found {found.shape}")
    largest = turned.max(axis=0)
    is_largest = turned == largest
    # As `is_largest[classes, np.arange(n)]`, in half the time; a class that is none is refused as there.
    rows = np.arange(len(classes))
    # In the labels' own type, int8 for one, places would overflow.
    correct = is_largest.ravel().take(classes.astype(np.intp, casting="same_kind") * len(rows) + rows)
    if _has_ties(is_largest, largest):
        tied = np.flatnonzero(is_largest.sum(axis=0) > 1)
        correct[tied] = is_largest[:, tied].argmax(axis=0) == classes[tied]
    return correct


def is_tied(logits: ArrayLike) -> NDArray[np.bool_]:
    """Tell for each example whether two or more classes share its largest logit.

    Parameters
    ----------
    logits : array_like of float, shape (n, k)
        Or probabilities.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> is_tied([[1.0, 1.0], [0.2, 0.8]]).tolist()
    [True, False]
    """
    turned = _turned(logits)
    largest = turned.max(axis=0)
    is_largest = turned == largest
    return is_largest.sum(axis=0) > 1 if _has_ties(is_largest, largest) else np.zeros(len(largest), dtype=np.bool_)


def _has_ties(is_largest: NDArray[np.bool_], largest: NDArray[Any]) -> bool:
    """Whether some row has several largest logits: a row has one (none where it is NaN), so more in all mean a tie."""
    return bool(np.count_nonzero(is_largest) > len(largest) - np.count_nonzero(np.isnan(largest)))


def _turned(logits: ArrayLike) -> NDArray[Any]:
    found = np.asarray(logits)
    if found.ndim != 2 or found.shape[1] == 0:
        raise ValueError(f"logits must have the shape (n, k); found {found.shape}")
    # NumPy reduces a short last axis slowly: turned round, the n values of a class lie side by side.
    return np.ascontiguousarray(found.T)
